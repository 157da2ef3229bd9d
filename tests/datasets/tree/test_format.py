"""The format is frozen: vectors, and a reader that shares no code with the product."""

import json
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.tree.boundary import STANDARD, boundary_hash
from datasets.tree.builder import Upsert, build
from datasets.tree.chunk import ChunkCodec, ChunkSidecar
from datasets.tree.digests import EMPTY_ROOT, chunk_digest, keyed_digest, leaf_digest
from datasets.tree.merkle import merkle_root
from datasets.tree.node import decode_node
from datasets.tree.reader import iterate_chunk_children, iterate_records
from datasets.tree.record import TreeRecord, canonical_record
from datasets.tree.statistics import ChunkStatistics, describe, describe_records
from datasets.tree.store import MemoryTreeStore
from datasets.tree.version import version_id
from vaultsite.kernel.crypto.aead import Context, object_key, seal
from vaultsite.kernel.crypto.keys import SecretKey

from . import independent_reader
from .trees import built, record

PROJECT = Path(__file__).parents[3]
FROZEN = json.loads((PROJECT / "tests/vectors/tree.json").read_bytes())
REFERENCE = (PROJECT / "docs/reference/tree-format.md").read_text(encoding="utf-8")


def secret(text):
    return SecretKey(bytes.fromhex(text))


@pytest.mark.parametrize("case", FROZEN["records"], ids=lambda case: case["id"])
def test_frozen_records(case):
    data, metadata = json.loads(case["data"]), json.loads(case["metadata"])
    canonical = canonical_record(case["id"], data, metadata)
    nonce = keyed_digest(secret(case["job_seed"]))(case["id"].encode())
    assert canonical.decode() == case["canonical"]
    assert nonce.hex() == case["nonce"]
    data_canonical = canonical_record("x", data, {})[8 : -len(b',"id":"x","metadata":{}}')]
    assert keyed_digest(secret(case["content_hmac_key"]))(data_canonical).hex() == case["content_key"]
    assert leaf_digest(nonce, canonical).hex() == case["leaf"]


def test_frozen_merkle_roots():
    for size, root in enumerate(FROZEN["merkle_roots"]):
        leaves = [sha256(b"\0" + bytes([number])).digest() for number in range(size)]
        assert merkle_root(leaves).hex() == independent_reader.merkle_root(leaves).hex() == root
    assert EMPTY_ROOT.hex() == FROZEN["empty_root"]


def test_the_frozen_chunk():
    case = FROZEN["chunk"]
    chunk = ChunkCodec().decode(bytes.fromhex(case["payload"]))
    assert [list(each) for each in zip(chunk.ids, chunk.lines, strict=True)] == [
        [each["id"], each["canonical"].encode()] for each in case["records"]
    ]
    assert [each.nonce.hex() for each in chunk] == [each["nonce"] for each in case["records"]]
    assert [each.content_key.hex() for each in chunk] == [each["content_key"] for each in case["records"]]
    assert chunk_digest(chunk.leaves()).hex() == case["digest"]
    sidecar = ChunkSidecar.decode(bytes.fromhex(case["sidecar"]))
    assert sidecar.encode().hex() == case["sidecar"]
    assert sidecar == ChunkSidecar(chunk.ids[0], chunk.ids[-1], sum(sidecar.sizes), tuple(map(len, chunk.lines)))


def test_the_frozen_chunk_with_erased_records():
    case, whole = FROZEN["erased"], FROZEN["chunk"]
    payload = bytes.fromhex(case["payload"])
    chunk = ChunkCodec().decode(payload)
    assert [each._asdict() | {"leaf": each.leaf.hex()} for each in chunk.erased] == case["tombstones"]
    assert [each.id for each in chunk.erased] == case["ids"]
    assert chunk.ids == [each["id"] for each in whole["records"] if each["id"] not in case["ids"]]
    assert chunk_digest(chunk.leaves()).hex() == whole["digest"]
    digest, records = independent_reader.read_chunk(payload)
    assert (digest.hex(), [each[0] for each in records]) == (whole["digest"], chunk.ids)
    sidecar = ChunkSidecar.decode(bytes.fromhex(case["sidecar"]))
    assert sidecar.has_erased
    assert sidecar.statistics == describe_records(list(chunk))
    assert sidecar.encode().hex() == case["sidecar"]


def test_the_frozen_statistics():
    case = FROZEN["statistics"]
    assert describe(case["rows"]).encode().hex() == case["encoded"]
    assert ChunkStatistics.decode(bytes.fromhex(case["encoded"])) == describe(case["rows"])
    assert case["encoded"] in REFERENCE.replace("\n", "").replace(" ", "")


def test_the_frozen_node():
    case = FROZEN["node"]
    node = decode_node(bytes.fromhex(case["body"]), bytes.fromhex(case["sidecar"]), bytes.fromhex(case["digest"]))
    assert [child._asdict() | {"digest": child.digest.hex()} for child in node.children] == case["children"]
    assert node.level == case["level"]
    assert node.body().hex() == case["body"]


@pytest.mark.parametrize("sidecar", ["sidecar", "packed_sidecar"])
def test_the_frozen_sidecars_of_the_node(sidecar):
    case = FROZEN["node"]
    body, digest = bytes.fromhex(case["body"]), bytes.fromhex(case["digest"])
    node = decode_node(body, bytes.fromhex(case[sidecar]), digest)
    assert [child._asdict() | {"digest": child.digest.hex()} for child in node.children] == case["children"]
    again = node.sidecar()  # how well it is packed is not part of the format
    assert again[:16].hex() == case["packed_sidecar"][:32]
    assert decode_node(body, again, digest) == node


def test_the_frozen_boundaries():
    case = FROZEN["boundary"]
    digest = boundary_hash(secret(case["key"]))
    for message, expected in case["hashes"]:
        assert f"{digest(bytes.fromhex(message)):016x}" == expected


def test_the_frozen_tree():
    case = FROZEN["tree"]
    store = MemoryTreeStore()
    changes = [Upsert(record(number, size=case["size"])) for number in range(case["records"])]
    tree = build(store, None, changes, secret(FROZEN["boundary"]["key"]))
    assert [child.record_count for child in iterate_chunk_children(store, tree.root)] == case["records_per_chunk"]
    assert tree.root.hex() == case["root"]


def test_the_shape_of_trees_is_frozen():
    assert {name: getattr(STANDARD, name) for name in FROZEN["shape"]} == FROZEN["shape"]


@pytest.mark.parametrize("case", FROZEN["versions"], ids=lambda case: case["message"] or "no message")
def test_frozen_version_ids(case):
    root, nonce = bytes.fromhex(case["root"]), bytes.fromhex(case["nonce"])
    parents = [bytes.fromhex(parent) for parent in case["parents"]]
    author, said = UUID(case["author_id"]), {"nonce": nonce, "message": case["message"]}
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=case["microseconds"])
    found = version_id(root=root, parents=parents, author_id=author, created_at=moment, **said)
    again = independent_reader.version_id(root, parents, author=author.bytes, microseconds=case["microseconds"], **said)
    assert found.hex() == again.hex() == case["version_id"]


class SealingStore(MemoryTreeStore):
    """Keeps nothing but sealed bytes and the secrets that a database row would keep."""

    tenant_id, dataset_id, key_id = UUID(int=11), UUID(int=12), UUID(int=13)

    def __init__(self, dek):
        super().__init__()
        self.dek = dek
        self.sealed = {}

    def save(self, objects):
        for item in objects:
            row_secret = sha256(b"secret" + item.digest).digest()
            context = Context(self.tenant_id, self.dataset_id, item.kind, item.digest)
            key = object_key(SecretKey(self.dek), row_secret)
            sealed = seal(key, key_id=self.key_id, context=context, plaintext=item.body)
            self.sealed[item.kind, item.digest] = (row_secret, sealed)
        super().save(objects)

    def fetch(self, kind, digest):
        """Read as a third party with the keys would."""
        row_secret, sealed = self.sealed[kind, digest]
        place = {"tenant_id": self.tenant_id.bytes, "dataset_id": self.dataset_id.bytes, "kind": kind}
        return independent_reader.open_sealed(sealed, self.dek, row_secret, object_id=digest, **place)


def test_an_independent_reader_opens_a_tree_and_recomputes_every_digest():
    store = SealingStore(bytes(range(32)))
    _, tree = built([record(number, size=2000) for number in range(500)], store=store, shape=STANDARD)
    records = independent_reader.read_tree(store.fetch, tree.root)
    assert [tuple(each) for each in iterate_records(store, tree.root)] == records
    assert tree.chunks > 3
    chunk = next(digest for kind, digest in store.sealed if kind == "chunk")
    assert independent_reader.read_chunk(store.fetch("chunk", chunk))[0] == chunk


@given(st.lists(st.integers(0, 300), min_size=1, max_size=40, unique=True))
def test_the_independent_reader_agrees_on_any_chunk(numbers):
    records = [record(number) for number in sorted(numbers)]
    digest, read = independent_reader.read_chunk(ChunkCodec().encode(records))
    assert digest == chunk_digest([each.leaf for each in records])
    assert [TreeRecord(*each) for each in read] == records


def test_the_reference_names_the_frozen_numbers():
    for number in (FROZEN["empty_root"], FROZEN["chunk"]["digest"], FROZEN["node"]["digest"], FROZEN["tree"]["root"]):
        assert number in REFERENCE
    assert FROZEN["versions"][0]["version_id"] in REFERENCE
