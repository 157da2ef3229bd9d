import secrets
from uuid import UUID

import pytest
from django.utils import timezone
from hypothesis import given
from hypothesis import strategies as st

from datasets.models import Version
from datasets.services import history
from datasets.services.history import Step, ancestry, common_ancestor, merge_base
from tests.factories.access import acting
from tests.factories.datasets import make_dataset


@st.composite
def histories(draw):
    """Versions 1..n, each from nothing, one or two earlier ones."""
    count = draw(st.integers(1, 24))
    parents = {1: ()}
    for number in range(2, count + 1):
        parents[number] = tuple(draw(st.sets(st.integers(1, number - 1), max_size=2)))
    return parents


def steps_of(parents):
    """Newest first, as they come from the table."""
    for number in sorted(parents, reverse=True):
        first, second = (*(UUID(int=parent) for parent in parents[number]), None, None)[:2]
        yield Step(UUID(int=number), first, second, number)


def ancestors(parents, number):
    """The naive model: the whole closure."""
    return {number}.union(*(ancestors(parents, parent) for parent in parents[number]))


@given(st.data(), histories())
def test_a_merge_base_is_the_latest_common_ancestor_no_other_comes_from(data, parents):
    ours, theirs = (data.draw(st.sampled_from(sorted(parents))) for _ in range(2))
    common = ancestors(parents, ours) & ancestors(parents, theirs)
    best = {one for one in common if not any(one in ancestors(parents, other) for other in common - {one})}
    found = common_ancestor(steps_of(parents), UUID(int=ours), UUID(int=theirs))
    assert found == (UUID(int=max(best)) if best else None)
    assert found == common_ancestor(steps_of(parents), UUID(int=theirs), UUID(int=ours))


@given(st.data(), histories())
def test_an_ancestry_is_every_version_the_head_comes_from_newest_first(data, parents):
    head = data.draw(st.sampled_from(sorted(parents)))
    walked = [step.sequence for step in ancestry(steps_of(parents), UUID(int=head))]
    assert walked == sorted(ancestors(parents, head), reverse=True)


def plant(dataset, parents):
    """Rows of versions without trees: history asks for nothing else."""
    rows = {}
    for number, of in parents.items():
        first, second = (*(rows[parent] for parent in of), None, None)[:2]
        rows[number] = Version.objects.create(
            dataset=dataset,
            digest=secrets.token_bytes(32),
            root=bytes(32),
            parent=first,
            merge_parent=second,
            sequence=number,
            label=f"v1.{number}.0",
            author=dataset.created_by,
            message_nonce=bytes(16),
            record_count=0,
            canonical_bytes=0,
            chunk_count=0,
            new_chunk_count=0,
            new_sealed_bytes=0,
            profile=b"",
            created_at=timezone.now(),
        )
    return rows


@pytest.mark.parametrize(
    ("ours", "theirs", "base"), [(4, 5, 3), (5, 4, 3), (6, 5, 5), (6, 6, 6), (7, 6, None), (2, 4, 2)]
)
def test_the_merge_base_of_stored_versions(tenant, monkeypatch, ours, theirs, base):
    monkeypatch.setattr(history, "_BATCH", 2)
    dataset = make_dataset(tenant)
    with acting(tenant):
        rows = plant(dataset, {1: (), 2: (1,), 3: (2,), 4: (3,), 5: (3,), 6: (4, 5), 7: ()})
        found = merge_base(rows[ours], rows[theirs])
        assert (found.sequence if found else None) == base
