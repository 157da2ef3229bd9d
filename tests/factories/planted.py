"""Fifty canaries of one person, planted through every writer, and everything that could give one away."""

import base64
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from uuid import UUID

import psycopg
from psycopg import sql

from access.models import Tenant
from access.services.keyring import key_by_id
from anonymization.services.tokens import tokenize
from anonymization.tokens.form import TokenForm, TokenScope
from compliance.subjects.identifiers import Identifier
from compliance.subjects.matcher import Matcher
from compliance.subjects.stores import READINGS
from datasets.models import Chunk, Dataset, Version
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.places import FAULTS, Place, open_place, places_of
from datasets.tree.chunk import ChunkCodec
from datasets.tree.reader import chunk_digests
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.drafts import make_draft, publish, put
from tests.factories.merges import fork, put_on
from tests.isolation.rows import connect
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.crypto.aead import MAGIC, Context, object_key, open_sealed, read_key_id
from vaultsite.kernel.errors import IntegrityFailure, KeyDestroyed, KeyUnavailable, UnsupportedSealing

COUNT: Final = 50
SECRET_BYTES: Final = 32
_FILLER: Final = "all work and no play " * 30
_HEX: Final = re.compile(r"\\x((?:[0-9a-f]{2}){32,})")
#: What is sealed within JSON, as base64: it begins with MAGIC and the version of the format.
_BASE64: Final = re.compile(rb"TERWMQEB[A-Za-z0-9+/]+=*")
_UUID: Final = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_REFUSED: Final = (IntegrityFailure, UnsupportedSealing, KeyDestroyed, KeyUnavailable)
#: An object as it lies in a store, and where that is.
Copy = tuple[Place, bytes]


def canaries(word: str) -> list[Identifier]:
    """Addresses of one person that nobody else has; ``word`` is of letters."""
    return [Identifier("EMAIL_ADDRESS", f"canary.{number:02}.{word}@example.com") for number in range(COUNT)]


@dataclass(frozen=True)
class Person:
    """``word`` is in each of the canaries and nowhere else."""

    word: str

    @property
    def identifiers(self) -> list[Identifier]:
        return canaries(self.word)

    def row(self, number: int) -> dict[str, str]:
        return {"id": f"c{number:02}", "text": f"{_FILLER} {self.identifiers[number].value} {_FILLER}"}

    def staged(self, number: int) -> dict[str, Any]:
        return {"id": f"c{number:02}", "data": {"text": self.row(number)["text"]}}

    def numbers_in(self, texts: Sequence[bytes]) -> set[int]:
        """Which canaries are in the texts, in whatever spelling a search finds."""
        return {hit.number for _, hit in Matcher(self.identifiers).find(list(texts))}


def others(first: int, count: int = 40) -> list[dict[str, str]]:
    return [{"id": f"o{number:03}", "text": f"{_FILLER} nobody {number}"} for number in range(first, first + count)]


def plant(tenant: Tenant, person: Person) -> Dataset:
    """In two versions, a branch, CSV, a published and an open draft, rejected lines, words in the clear, a token."""
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([*map(person.row, range(15)), *others(0)]))
    upload(tenant, dataset, jsonl([person.row(number) for number in range(10, 25)]), mode="upsert")
    address = [one.value for one in person.identifiers]
    table = "id,text\n" + "".join(f"c{number:02},write to {address[number]}\n" for number in range(25, 30))
    upload(tenant, dataset, table.encode(), format="csv", mode="append")
    fork(tenant, dataset, "side")
    put_on(tenant, dataset, "side", [person.row(number) for number in range(30, 35)])
    published, staged = make_draft(tenant, dataset), make_draft(tenant, dataset)
    put(tenant, published, [person.staged(number) for number in range(35, 40)])
    assert publish(tenant, published).status == "succeeded"
    put(tenant, staged, [person.staged(number) for number in range(40, 45)])
    broken = b"".join(b'{"broken": "%b"\n' % address[number].encode() for number in range(45, 49))
    upload(tenant, dataset, broken + jsonl(others(900, 1)), on_error="reject", mode="append")
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(description=f"made for {address[49]}")
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        scope = TokenScope(dataset_id=dataset.pk)
        tokenize(steward, scope=scope, form=TokenForm.usual(scope), values=[address[0], "else@example.com"])
    return dataset


def canaries_in(tenant: Tenant, dataset: Dataset, person: Person) -> set[int]:
    """The canaries that anything stored of the dataset gives to who has every live key."""
    found: set[int] = set()
    with acting(tenant):
        reader = PackReader(load_keys(dataset.pk))
    for reading in READINGS:
        for block in reading.read(reader, None):
            found |= person.numbers_in([piece.text for piece in block.pieces])
    return found


def copies_of(tenant: Tenant, dataset: Dataset) -> list[Copy]:
    """Every chunk as it lies in the store now: what a backup of the store, or a replica, would keep."""
    with acting(tenant):
        places = places_of(Chunk.objects.filter(dataset=dataset, kind="chunk"))
    store = BlobStore.default()
    return [(place, store.get_range(place.name, place.offset, place.length)) for place in places]


def secrets_now(tenant: Tenant) -> set[bytes]:
    """Every secret of a chunk or node that is stored now."""
    with acting(tenant):
        return {bytes(secret) for secret in Chunk.objects.values_list("secret", flat=True)}


def canaries_in_copies(
    tenant: Tenant, dataset: Dataset, person: Person, copies: Iterable[Copy], secrets: Collection[bytes]
) -> set[int]:
    """The canaries in old bytes that open with any of the secrets, whichever object it is of, and every live key."""
    with acting(tenant):
        keys = load_keys(dataset.pk)
    lines = [line for copy in copies for secret in secrets for line in _lines(keys, copy, secret)]
    return person.numbers_in(lines) if lines else set()


def _lines(keys: DatasetKeys, copy: Copy, secret: bytes) -> Sequence[bytes]:
    place, sealed = copy
    try:
        return ChunkCodec().decode(keys.open("chunk", place.digest, secret, sealed)).lines
    except FAULTS:
        return ()


def roots_of(tenant: Tenant, dataset: Dataset) -> dict[str, bytes]:
    with acting(tenant):
        return {version.label: bytes(version.root) for version in Version.objects.filter(dataset=dataset)}


def assert_whole(tenant: Tenant, dataset: Dataset, roots: dict[str, bytes]) -> None:
    """Every version's tree is walked from its root: each object has the digest that its parent names."""
    assert roots_of(tenant, dataset) == roots
    with acting(tenant):
        keys = load_keys(dataset.pk)
        reader = PackReader(keys)
        places = places_of(Chunk.objects.filter(dataset=dataset))
    for label, root in roots.items():
        for digest in chunk_digests(reader, root):
            assert ChunkCodec().decode(reader.load(digest).body).leaf_count > 0, label
    for place in places:
        open_place(keys, BlobStore.default(), place)


def all_rows() -> Iterator[tuple[str, str]]:
    """Every row of every table of the database, as text: (table, row), as its owner is shown them."""
    with connect("vault_owner") as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public' ORDER BY tablename")
        for (table,) in found.fetchall():
            yield from ((table, row) for row in _rows_of(connection, table))


def _rows_of(connection: psycopg.Connection, table: str) -> Iterator[str]:
    with connection.cursor().copy(sql.SQL("COPY {} TO STDOUT").format(sql.Identifier(table))) as copied:
        for row in copied.rows():
            yield "\t".join(value or "" for value in row)


def contexts_used(monkeypatch: Any) -> set[Context]:
    """A set that grows with the place of whatever is sealed or opened from now on in this process."""
    used: set[Context] = set()
    encode = Context.encode

    def noted(self: Context) -> bytes:
        used.add(self)
        return encode(self)

    monkeypatch.setattr(Context, "encode", noted)
    return used


def canaries_in_rows(
    tenant: Tenant, person: Person, rows: Iterable[tuple[str, str]], contexts: Collection[Context]
) -> tuple[set[int], set[str]]:
    """The canaries in the rows, in the clear or in what opens with every live key; and the tables where none opened it.

    A sealed value is tried as whatever was ever sealed or opened of an id that its row names, with and without each
    secret that the row has.
    """
    found, shut = set[int](), set[str]()
    own = [one for one in contexts if one.tenant_id == tenant.pk]
    with acting(tenant):
        for table, row in rows:
            values = [bytes.fromhex(text) for text in _HEX.findall(row)]
            if person.word in row or any(person.word.encode() in value for value in values):
                found |= person.numbers_in([row.encode(), *values])
            if str(tenant.pk) not in row:
                continue
            ids = {UUID(text).bytes for text in _UUID.findall(row)} | {v for v in values if len(v) <= SECRET_BYTES}
            tried = [one for one in own if one.object_id and any(name in one.object_id for name in ids)]
            secrets = [None, *(value for value in values if len(value) == SECRET_BYTES)]
            for sealed in _sealed_in(values):
                opened = _opened(sealed, tried, secrets)
                if opened is None:
                    shut.add(table)
                else:
                    found |= person.numbers_in([opened])
    return found, shut


def _sealed_in(values: Iterable[bytes]) -> Iterator[bytes]:
    for value in values:
        if value.startswith(MAGIC):
            yield value
        yield from (base64.b64decode(text) for text in _BASE64.findall(value))


def _opened(sealed: bytes, contexts: Sequence[Context], secrets: Sequence[bytes | None]) -> bytes | None:
    try:
        key = key_by_id(read_key_id(sealed))
    except _REFUSED:
        return None
    for secret in secrets:
        used = key if secret is None else object_key(key, secret)
        for context in contexts:
            try:
                return open_sealed(used, context=context, sealed=sealed)
            except _REFUSED:
                continue
    return None


def secrets_in_rows(rows: Iterable[tuple[str, str]]) -> set[bytes]:
    """Whatever in the rows is as long as a secret of a chunk."""
    values = (bytes.fromhex(text) for _, row in rows for text in _HEX.findall(row))
    return {value for value in values if len(value) == SECRET_BYTES}


def found_in_files(folders: Iterable[Path], needles: Collection[bytes]) -> dict[bytes, set[str]]:
    """Needle -> the files below the folders whose bytes hold it; those that go meanwhile hold nothing."""
    found: dict[bytes, set[str]] = {}
    for path in (file for folder in folders for file in folder.rglob("*") if file.is_file()):
        try:
            content = path.read_bytes()
        except FileNotFoundError:
            continue
        for needle in needles:
            if needle in content:
                found.setdefault(needle, set()).add(path.name)
    return found
