"""T57, T77: one person planted through every writer is found in every store, erased, and then in nothing that opens."""

import pytest

from anonymization.services.tokens import tokenize
from anonymization.tokens.form import TokenForm, TokenScope
from compliance.models import SubjectErasure
from compliance.subjects.identifiers import Identifier
from compliance.subjects.matcher import Matcher
from compliance.subjects.receipt import read_receipt
from compliance.subjects.stores import READINGS
from datasets.models import Branch, Chunk, Dataset, Version
from datasets.services.erasure import work as record_work
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.places import FAULTS, open_place, places_of
from datasets.tree.chunk import ChunkCodec
from datasets.tree.reader import chunk_digests
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload
from tests.factories.drafts import make_draft, publish, put
from tests.factories.exports import export, reload_export
from tests.factories.merges import fork, put_on
from tests.factories.subjects import erase_person, matches_of, search_for
from vaultsite.kernel.blobs import BlobStore

pytestmark = pytest.mark.slow
COUNT = 50
PERSON = [Identifier("EMAIL_ADDRESS", f"canary.{number:02}.zanzibar@example.com") for number in range(COUNT)]
FILLER = "all work and no play " * 30


def row(number, spelled="{}"):
    return {"id": f"c{number:02}", "text": f"{FILLER} {spelled.format(PERSON[number].value)} {FILLER}"}


def others(first, count=40):
    return [{"id": f"o{number:03}", "text": f"{FILLER} nobody {number}"} for number in range(first, first + count)]


@pytest.fixture
def planted(tenant, monkeypatch):
    """Fifty canaries: in two versions, a branch, CSV, a published and an open draft, rejected lines, words, tokens."""
    monkeypatch.setattr(record_work, "PLACE_SECONDS", 0.0)
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([*map(row, range(15)), *others(0)]))
    upload(tenant, dataset, jsonl([row(number) for number in range(10, 25)]), mode="upsert")
    table = "id,text\n" + "".join(f"c{number:02},write to {PERSON[number].value}\n" for number in range(25, 30))
    upload(tenant, dataset, table.encode(), format="csv", mode="append")
    fork(tenant, dataset, "side")
    put_on(tenant, dataset, "side", [row(number) for number in range(30, 35)])
    published, staged = make_draft(tenant, dataset), make_draft(tenant, dataset)
    put(tenant, published, [_staged(number) for number in range(35, 40)])
    assert publish(tenant, published).status == "succeeded"
    put(tenant, staged, [_staged(number) for number in range(40, 45)])
    broken = b"".join(b'{"broken": "%b"\n' % PERSON[number].value.encode() for number in range(45, 49))
    upload(tenant, dataset, broken + jsonl(others(900, 1)), on_error="reject", mode="append")
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(description=f"made for {PERSON[49].value}")
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        scope = TokenScope(dataset_id=dataset.pk)
        tokenize(steward, scope=scope, form=TokenForm.usual(scope), values=[PERSON[0].value, "else@example.com"])
    return dataset


def _staged(number):
    return {"id": f"c{number:02}", "data": {"text": row(number)["text"]}}


def canaries_in(tenant, dataset):
    """The canaries that anything stored of the dataset gives to who has every live key."""
    found = set()
    with acting(tenant):
        reader = PackReader(load_keys(dataset.pk))
    matcher = Matcher(PERSON)
    for reading in READINGS:
        for block in reading.read(reader, None):
            found |= {hit.number for _, hit in matcher.find([piece.text for piece in block.pieces])}
    return found


def copies_of(tenant, dataset):
    """Every object as it lies in the store now: what a backup of the store, or a replica, would keep."""
    with acting(tenant):
        places = places_of(Chunk.objects.filter(dataset=dataset, kind="chunk"))
    store = BlobStore.default()
    return [(place, store.get_range(place.name, place.offset, place.length)) for place in places]


def canaries_in_copies(tenant, dataset, copies):
    """The canaries in old bytes that open with any secret that is stored today, whichever object it is of."""
    with acting(tenant):
        keys = load_keys(dataset.pk)
        secrets = {bytes(secret) for secret in Chunk.objects.values_list("secret", flat=True)}
    lines = []
    for place, sealed in copies:
        for secret in secrets:
            try:
                body = keys.open("chunk", place.digest, secret, sealed)
            except FAULTS:
                continue
            lines += ChunkCodec().decode(body).lines
    return {hit.number for _, hit in Matcher(PERSON).find(lines)}


def roots_of(tenant, dataset):
    with acting(tenant):
        return {version.label: bytes(version.root) for version in Version.objects.filter(dataset=dataset)}


def test_of_fifty_canaries_none_opens_after_the_erasure_and_every_root_verifies(tenant, planted):
    taken = export(tenant, planted)
    assert taken.has_files
    before, roots = copies_of(tenant, planted), roots_of(tenant, planted)
    assert canaries_in(tenant, planted) == set(range(COUNT)), "the control: all are there"
    assert canaries_in_copies(tenant, planted, before) >= set(range(40))
    search = search_for(tenant, PERSON)
    assert {match.store for match in matches_of(tenant, search)} == {"record", "draft", "rejects", "text", "token"}
    erasure = erase_person(tenant, search)
    assert (erasure.status, erasure.remaining) == ("succeeded", {})
    assert canaries_in(tenant, planted) == set()
    assert canaries_in_copies(tenant, planted, before) == set()
    assert not reload_export(tenant, taken).has_files
    assert roots_of(tenant, planted) == roots
    _assert_whole(tenant, planted, roots)
    assert not [record for record in read_all(tenant, planted) if record.id.startswith("c")]
    with acting(tenant):
        receipt = read_receipt(SubjectErasure.objects.select_related("search").get(pk=erasure.pk))
        assert set(Branch.objects.filter(dataset=planted).values_list("name", flat=True)) == {"main", "side"}
    counts = receipt["counts"]
    assert (counts["record"], counts["draft"], counts["rejects"], counts["text"], counts["token"]) == (40, 5, 1, 1, 1)
    assert [part["state"] for part in receipt["datasets"]] == ["erased"]


def _assert_whole(tenant, dataset, roots):
    """Every version's tree is walked from its root: each object has the digest that its parent names."""
    with acting(tenant):
        keys, reader = load_keys(dataset.pk), None
        reader = PackReader(keys)
    for label, root in roots.items():
        for digest in chunk_digests(reader, root):
            stored = reader.load(digest)
            assert ChunkCodec().decode(stored.body).leaf_count > 0, label
    with acting(tenant):
        places = places_of(Chunk.objects.filter(dataset=dataset))
    for place in places:
        open_place(keys, BlobStore.default(), place)
