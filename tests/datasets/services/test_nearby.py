"""Bodies that lie near each other in a pack are read together, and each stands and falls alone."""

import random

import pytest

from datasets.errors.upkeep import DataCorruption
from datasets.models import Chunk
from datasets.services import pack_reader
from datasets.services.keys import load_keys
from datasets.services.pack_store import PackReader
from datasets.services.places import places_of
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.upkeep import file_of
from vaultsite.kernel.blobs import BlobStore

#: No digits: detectors have nothing to look into.
LETTERS = "abcdefghijklmnop "


@pytest.fixture
def places(tenant):
    """Chunks of one pack, in its order; too various to be compressed into few bytes."""
    dataset = make_dataset(tenant)
    rng = random.Random(7)
    rows = [{"id": f"r{index:05}", "text": "".join(rng.choices(LETTERS, k=1000))} for index in range(800)]
    assert upload(tenant, dataset, jsonl(rows)).status == "succeeded"
    with acting(tenant):
        found = places_of(Chunk.objects.filter(dataset=dataset, kind="chunk").order_by("offset"))
    assert len(found) > 3
    assert len({place.name for place in found}) == 1
    return found


@pytest.fixture
def reader(tenant, places):
    with acting(tenant):
        return PackReader(load_keys(Chunk.objects.get(pk=places[0].pk).dataset_id))


@pytest.fixture
def ranges(monkeypatch):
    """What was asked of the blob store."""
    asked, get_range = [], BlobStore.get_range

    def noted(store, name, offset, length):
        asked.append((offset, length))
        return get_range(store, name, offset, length)

    monkeypatch.setattr(BlobStore, "get_range", noted)
    monkeypatch.setattr(pack_reader, "PLACE_SECONDS", 600.0)
    return asked


def test_neighbours_are_read_together_and_give_the_same_bodies(reader, places, ranges):
    digests = [place.digest for place in places]
    bodies = list(reader.load_bodies(digests))
    assert len(ranges) == 1
    assert bodies == [stored.body for stored in reader.load_many(digests)]


def test_in_whatever_order_they_are_asked_for_the_bodies_are_theirs(reader, places):
    digests = [place.digest for place in places]
    backwards = list(reader.load_bodies(digests[::-1]))
    assert backwards[::-1] == list(reader.load_bodies(digests))


def test_nothing_is_read_before_it_is_asked_for(reader, places, ranges):
    bodies = reader.load_bodies([place.digest for place in places])
    assert ranges == []
    next(bodies)
    assert len(ranges) == 1


def test_a_pack_that_is_cut_off_gives_what_lies_before(reader, places):
    path = file_of(places[0].name)
    path.write_bytes(path.read_bytes()[: places[2].offset + 10])
    given = []
    with pytest.raises(DataCorruption) as raised:
        given.extend(reader.load_bodies([place.digest for place in places]))
    assert raised.value.extra == {"digest": places[2].digest.hex()}
    assert list(reader.load_bodies([place.digest for place in places[:2]])) == given


def test_what_moves_while_neighbours_are_read_is_read_where_it_is_now(tenant, reader, places, monkeypatch):
    """Its secret is new there, as after an erasure; the bytes that were read along with the first are not served."""
    digests = [place.digest for place in places]
    bodies = reader.load_bodies(digests)
    first = next(bodies)
    with acting(tenant):
        moved = Chunk.objects.get(pk=places[1].pk)
        secret, anew = bytes(range(32)), reader.keys.seal("chunk", places[1].digest, bytes(range(32)), b"anew")
        sidecar = reader.keys.seal("chunk-sidecar", places[1].digest, secret, b"")
    path = file_of(places[1].name)
    end = path.stat().st_size
    path.write_bytes(path.read_bytes() + anew + sidecar)
    with acting(tenant):
        Chunk.objects.filter(pk=moved.pk).update(
            offset=end,
            length=len(anew),
            sidecar_offset=end + len(anew),
            sidecar_length=len(sidecar),
            secret=secret,
        )
    monkeypatch.setattr(pack_reader, "PLACE_SECONDS", -1.0)  # what was looked up is too old to be read from
    assert [first, *bodies][1] == b"anew"
