"""What a merge makes of two lines of versions."""

import pytest

from audit.models import AuditEvent
from datasets.errors import PersonalDataInText, VersionLabelTaken, VersionNotFound
from datasets.errors.branches import BranchMoved, BranchNotFound, BranchProtected
from datasets.errors.merges import NothingToMerge
from datasets.models import Blob, Branch, MergeConflict, SubjectIndexEntry, Version, VersionKind
from datasets.services.commit import read_profile
from datasets.services.merges import work
from tests.factories.access import acting
from tests.factories.datasets import make_dataset, purge, read_all
from tests.factories.merges import fork, merged, parted, put_on, queue_merge, reload_merge

BASE = [{"id": f"r{n:02d}", "text": f"row {n}", "n": n, "mail": f"ada.{n}@example.com"} for n in range(12)]


def changed(rows, *, without=(), extra=(), **members):
    """Rows with some members changed by id (``r01={..}``), some left out, some more."""
    kept = [row | members.get(row["id"], {}) for row in rows if row["id"] not in without]
    return [*kept, *extra]


def state(tenant, dataset, version="main"):
    return {record.id: record.data for record in read_all(tenant, dataset, version=version)}


def by_id(rows):
    return {row["id"]: row for row in rows}


def test_changes_of_both_sides_stand_in_the_merge(tenant):
    dataset = parted(
        tenant,
        BASE,
        changed(BASE, without=["r00"], r01={"text": "ours"}, r05={"text": "both"}, r06={"text": "mine"}),
        changed(
            BASE, without=["r02"], extra=[{"id": "new", "n": 1}], r03={"n": 33}, r05={"text": "both"}, r06={"n": 66}
        ),
    )
    merge = merged(tenant, dataset, message="together")
    assert (merge.status, merge.state, merge.error, merge.seed) == ("succeeded", "merged", None, None)
    assert state(tenant, dataset) == by_id(
        changed(
            BASE,
            without=["r00", "r02"],
            extra=[{"id": "new", "n": 1}],
            r01={"text": "ours"},
            r03={"n": 33},
            r05={"text": "both"},
            r06={"text": "mine", "n": 66},
        )
    )
    version = merge.version
    assert (version.kind, version.message, version.record_count) == (VersionKind.MERGE, "together", 11)
    assert (version.parent_id, version.merge_parent_id) == (merge.ours_id, merge.source_id)
    assert (merge.result["merged"], merge.result["collisions"]) == (1, 1)


def test_findings_profile_and_index_of_the_merge_are_complete(tenant):
    ours = changed(BASE, without=["r00"], r06={"text": "write to grace@example.org"})
    theirs = changed(BASE, r06={"n": 66}, extra=[{"id": "s", "text": "call turing@example.org"}])
    dataset = parted(tenant, BASE, ours, theirs)
    version = merged(tenant, dataset).version
    shown = {record.id: record.data for record in read_all(tenant, dataset, "data_scientist")}
    assert "grace@" not in str(shown)
    assert "turing@" not in str(shown)
    with acting(tenant):
        leaves = set(SubjectIndexEntry.objects.filter(dataset=dataset, record_id="r06").values_list("leaf", flat=True))
        assert len(leaves) == 4  # base, ours, theirs and the merged record
        profile = {key: count for key, count in read_profile(version).items() if count}
    rebuilt = make_dataset(tenant)
    again = put_on(tenant, rebuilt, "main", list(state(tenant, dataset).values()))
    with acting(tenant):
        assert profile == {key: count for key, count in read_profile(again).items() if count}


def test_a_target_that_did_not_move_moves_forward_without_a_version(tenant):
    theirs = changed(BASE, r01={"n": 2})
    dataset = parted(tenant, BASE, BASE, theirs)
    merge = merged(tenant, dataset)
    assert (merge.state, merge.version_id) == ("fast_forward", merge.source_id)
    assert state(tenant, dataset) == by_id(theirs)
    with acting(tenant):
        assert Version.objects.filter(dataset=dataset).count() == 2
        (event,) = AuditEvent.objects.filter(type="data.merged")
        assert event.body
    assert merged(tenant, dataset).state == "unchanged"


def test_what_is_merged_already_changes_nothing(tenant):
    dataset = parted(tenant, BASE, changed(BASE, r01={"n": 2}), changed(BASE, r02={"n": 3}))
    first = merged(tenant, dataset)
    again = merged(tenant, dataset)
    assert (again.state, again.version_id) == ("unchanged", first.version_id)
    back = merged(tenant, dataset, source="main", target="work")
    assert (back.state, back.version_id) == ("fast_forward", first.version_id)


def test_either_way_round_the_records_are_the_same(tenant):
    ours, theirs = changed(BASE, r01={"n": 2}, r02={"text": "x"}), changed(BASE, without=["r07"], r02={"n": 3})
    states = []
    for mine, yours in ((ours, theirs), (theirs, ours)):
        dataset = parted(tenant, BASE, mine, yours)
        assert merged(tenant, dataset).state == "merged"
        states.append(state(tenant, dataset))
    assert states[0] == states[1]


def test_lines_without_a_common_version_are_merged_too(tenant):
    dataset = make_dataset(tenant)
    put_on(tenant, dataset, "main", BASE[:3])
    with acting(tenant):
        Branch.objects.create(dataset=dataset, name="work")
    put_on(tenant, dataset, "work", BASE[2:5])
    assert merged(tenant, dataset).state == "merged"
    assert state(tenant, dataset) == by_id(BASE[:5])


@pytest.mark.parametrize(("strategy", "text"), [("ours", "mine"), ("theirs", "yours")])
def test_a_strategy_decides_conflicts_and_nothing_else(tenant, strategy, text):
    ours = changed(BASE, without=["r02"], r01={"text": "mine", "n": 100}, r03={"n": 30})
    theirs = changed(BASE, without=["r03"], r01={"text": "yours"}, r02={"n": 20})
    dataset = parted(tenant, BASE, ours, theirs)
    assert merged(tenant, dataset, strategy=strategy).state == "merged"
    found = state(tenant, dataset)
    assert (found["r01"]["text"], found["r01"]["n"]) == (text, 100)
    assert ("r02" in found, "r03" in found) == ((False, True) if strategy == "ours" else (True, False))


def test_a_target_that_moves_during_the_merge_is_merged_into_where_it_is_then(tenant, monkeypatch):
    dataset = parted(tenant, BASE, changed(BASE, r01={"n": 2}), changed(BASE, r02={"n": 3}, r06={"n": 6}))
    moves = []

    def move_first(*args, **options):
        if not moves:
            moves.append(put_on(tenant, dataset, "main", changed(BASE, r01={"n": 2}, r04={"n": 4}, r06={"text": "t"})))
        return built(*args, **options)

    built = work.build_merge
    monkeypatch.setattr(work, "build_merge", move_first)
    merge = merged(tenant, dataset)
    assert (merge.state, merge.version.parent_id) == ("merged", moves[0].pk)
    found = state(tenant, dataset)
    assert [found[name]["n"] for name in ("r01", "r02", "r04", "r06")] == [2, 3, 4, 6]
    assert found["r06"]["text"] == "t"


def test_a_merge_that_expects_a_head_fails_when_the_target_moves(tenant, monkeypatch):
    dataset = parted(tenant, BASE, changed(BASE, r01={"n": 2}), changed(BASE, r02={"n": 3}))
    merge = queue_merge(tenant, dataset, expected="main")
    put_on(tenant, dataset, "main", changed(BASE, r01={"n": 9}))
    work.run_merge(tenant.pk, merge.pk)
    failed = reload_merge(tenant, merge)
    assert (failed.status, failed.error_code, failed.seed) == ("failed", "VAULT_DATA_4365", None)
    with acting(tenant):
        assert AuditEvent.objects.filter(type="data.merge.failed").count() == 1
    with pytest.raises(BranchMoved):
        queue_merge(tenant, dataset, expected="v1.0.0")


def test_a_target_that_moves_again_and_again_is_given_up(tenant, monkeypatch):
    dataset = parted(tenant, BASE, changed(BASE, r01={"n": 2}), changed(BASE, r02={"n": 3}))
    monkeypatch.setattr(work, "commit_merge", lambda *_, **__: False)
    failed = merged(tenant, dataset)
    assert (failed.status, failed.error_code) == ("failed", "VAULT_DATA_4365")
    with acting(tenant):
        assert not Blob.objects.filter(job=failed.pk).exists()


def test_an_erasure_during_the_merge_makes_it_look_again(tenant, monkeypatch):
    dataset = parted(tenant, BASE, changed(BASE, r01={"n": 2}), changed(BASE, r02={"n": 3}))
    epochs = []

    def erase_first(*args, **options):
        if not epochs:
            with acting(tenant):
                type(dataset).objects.filter(pk=dataset.pk).update(erasure_epoch=7)
        epochs.append(1)
        return built(*args, **options)

    built = work.build_merge
    monkeypatch.setattr(work, "build_merge", erase_first)
    assert merged(tenant, dataset).state == "merged"
    assert len(epochs) == 2


def test_a_protected_branch_is_not_merged_into_directly(tenant):
    dataset = parted(tenant, BASE, changed(BASE, r01={"n": 2}), changed(BASE, r02={"n": 3}))
    merge = queue_merge(tenant, dataset)
    with acting(tenant):
        Branch.objects.filter(dataset=dataset, name="main").update(is_protected=True)
    with pytest.raises(BranchProtected):
        queue_merge(tenant, dataset)
    work.run_merge(tenant.pk, merge.pk)
    assert reload_merge(tenant, merge).error_code == "VAULT_DATA_4302"


@pytest.mark.parametrize(
    ("wish", "error"),
    [
        ({"source": "nowhere"}, VersionNotFound),
        ({"target": "nowhere"}, BranchNotFound),
        ({"target": "v1.0.0"}, BranchNotFound),
        ({"source": "main"}, NothingToMerge),
        ({"label": "v1.0.0"}, VersionLabelTaken),
        ({"message": "for ada.lovelace@example.com"}, PersonalDataInText),
    ],
)
def test_what_cannot_be_merged_is_refused_at_once(tenant, wish, error):
    dataset = parted(tenant, BASE[:2], BASE[:2], BASE[:3])
    with pytest.raises(error):
        queue_merge(tenant, dataset, **wish)


def test_a_dataset_with_merges_can_be_purged(tenant):
    dataset = parted(tenant, BASE[:2], [BASE[0] | {"n": 9}, BASE[1]], [BASE[0] | {"n": 8}, BASE[1]])
    assert merged(tenant, dataset).state == "conflicted"
    merged(tenant, dataset, strategy="ours")
    purge(tenant, dataset)
    with acting(tenant):
        assert not MergeConflict.objects.exists()
        assert not Version.objects.exists()


def test_a_branch_made_in_between_is_no_part_of_it(tenant):
    dataset = parted(tenant, BASE, changed(BASE, r01={"n": 2}), changed(BASE, r02={"n": 3}))
    fork(tenant, dataset, "aside", "work")
    put_on(tenant, dataset, "aside", changed(BASE, r02={"n": 3}, r09={"n": 99}))
    merged(tenant, dataset)
    assert state(tenant, dataset)["r09"]["n"] == 9
