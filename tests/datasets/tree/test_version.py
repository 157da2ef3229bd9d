from datetime import UTC, datetime, timedelta, timezone
from uuid import UUID

import pytest

from datasets.tree.version import version_id

FACTS = {
    "root": b"\x01" * 32,
    "parents": [b"\x02" * 32],
    "author_id": UUID(int=3),
    "created_at": datetime(2026, 1, 2, 3, 4, 5, 678901, tzinfo=UTC),
    "nonce": b"\x04" * 16,
    "message": "first",
}


@pytest.mark.parametrize(
    "change",
    [
        {"root": b"\x09" * 32},
        {"parents": []},
        {"parents": [b"\x02" * 32] * 2},
        {"author_id": UUID(int=4)},
        {"created_at": FACTS["created_at"] + timedelta(microseconds=1)},
        {"nonce": b"\x05" * 16},
        {"message": "First"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_the_id_covers_every_fact(change):
    assert version_id(**FACTS) != version_id(**(FACTS | change))


def test_the_same_moment_in_another_zone_gives_the_same_id():
    moved = FACTS["created_at"].astimezone(timezone(timedelta(hours=-7)))
    assert version_id(**FACTS) == version_id(**(FACTS | {"created_at": moved}))


@pytest.mark.parametrize(
    "change",
    [{"root": b"short"}, {"parents": [b""]}, {"nonce": b""}, {"created_at": datetime(2026, 1, 1)}],  # noqa: DTZ001
    ids=lambda change: next(iter(change)),
)
def test_facts_of_another_form_are_refused(change):
    with pytest.raises(ValueError, match=r"bytes|time zone"):
        version_id(**(FACTS | change))
