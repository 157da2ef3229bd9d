"""Conflicts: listed, shown on the reader's view, resolved by hand, and never guessed."""

import json
from datetime import timedelta

import pytest

from audit.models import AuditEvent
from datasets.errors import RefusedPaymentData
from datasets.errors.merges import ConflictsLeft, MergeConflictNotFound, MergeNotWaiting
from datasets.errors.quarantine import VersionQuarantined
from datasets.models import Blob, Merge, MergeConflict, Resolution
from datasets.services.merges import plan
from datasets.services.merges.conflicts import open_conflicts, resolve_conflict
from datasets.services.merges.lookup import list_conflicts
from datasets.services.merges.resolutions import forget_resolutions
from datasets.services.merges.start import abandon_merge, continue_merge
from datasets.services.merges.work import run_merge
from datasets.services.version_quarantine import quarantine_version
from tests.factories.access import acting
from tests.factories.datasets import read_all, someone
from tests.factories.merges import merged, parted, put_on, reload_merge
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.scope import tenant_scope

CANARY = "canary.lovelace@example.com"
BASE = [{"id": name, "text": f"text of {name}", "n": 0} for name in "abcdef"]
OURS = [
    row | {"a": {"text": "ours"}, "b": {"n": 1, "text": CANARY}, "d": {"n": 1}}.get(row["id"], {})
    for row in BASE
    if row["id"] != "c"
]
THEIRS = [
    row | {"a": {"text": "theirs"}, "b": {"n": 2}, "c": {"n": 2}}.get(row["id"], {}) for row in BASE if row["id"] != "d"
]


@pytest.fixture
def merge(tenant):
    """A merge with four conflicts: two of members, one deletion on either side."""
    return merged(tenant, parted(tenant, BASE, OURS, THEIRS))


def shown(tenant, merge, role="data_steward"):
    reader = someone(tenant, role)
    with tenant_scope(tenant.pk, reader):
        found = open_conflicts(reader, merge_id=merge.pk)
        rows = list_conflicts(found.merge, limit=100)
    return {conflict.row.record_id: conflict for conflict in found.shown(rows)}


def resolve(tenant, merge, **resolutions):
    """``a="ours"``, or a record's data."""
    steward = someone(tenant, "data_steward")
    for record_id, wanted in resolutions.items():
        with tenant_scope(tenant.pk, steward):
            row = MergeConflict.objects.get(merge=merge, record_id=record_id)
            given = {"data": wanted} if isinstance(wanted, dict) else {}
            chosen = Resolution.RECORD if given else Resolution(wanted)
            resolve_conflict(steward, merge_id=merge.pk, conflict_id=row.pk, resolution=chosen, **given)


def go_on(tenant, merge):
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        continue_merge(steward, merge_id=merge.pk)
    run_merge(tenant.pk, merge.pk)
    return reload_merge(tenant, merge)


def state(tenant, merge):
    return {record.id: record.data for record in read_all(tenant, merge.dataset)}


def test_conflicts_stop_the_merge_and_are_listed(tenant, merge):
    assert (merge.status, merge.state, merge.version) == ("succeeded", "conflicted", None)
    assert merge.seed is not None
    found = shown(tenant, merge)
    assert {name: (c.row.kind, [m.pointer for m in c.members]) for name, c in found.items()} == {
        "a": ("members", ["/data/text"]),
        "b": ("members", ["/data/n"]),
        "c": ("deleted_ours", [""]),
        "d": ("deleted_theirs", [""]),
    }
    assert (found["a"].base.data["text"], found["a"].ours.data["text"], found["a"].theirs.data["text"]) == (
        "text of a",
        "ours",
        "theirs",
    )
    assert found["c"].ours is None
    with acting(tenant):
        assert AuditEvent.objects.filter(type="data.merge.conflicted").count() == 1
        assert not Blob.objects.filter(job=merge.pk).exclude(state="dead").exists()


def test_nothing_about_a_conflict_is_kept_in_the_clear(tenant, merge):
    resolve(tenant, merge, b={"text": f"{CANARY} by hand"})
    with acting(tenant):
        rows = list(MergeConflict.objects.filter(merge=merge).values())
        job = Merge.objects.filter(pk=merge.pk).values().get()
    said = repr([{k: bytes(v) if isinstance(v, memoryview) else v for k, v in row.items()} for row in [*rows, job]])
    assert "text of" not in said
    assert CANARY not in said


def test_a_reader_of_masked_records_sees_masked_sides(tenant, merge):
    found = shown(tenant, merge, "data_scientist")
    said = json.dumps([conflict.as_json() for conflict in found.values()])
    assert CANARY not in said
    assert found["a"].ours.data["text"] == "ours"


def test_a_disagreement_that_the_view_hides_is_said_to_be_hidden(tenant):
    rows = [[{"id": "a", "text": f"{name}@example.com"}] for name in ("carla", "carlo", "carls")]
    merge = merged(tenant, parted(tenant, *rows))
    assert merge.state == "conflicted"
    assert not shown(tenant, merge)["a"].is_hidden
    hidden = shown(tenant, merge, "analyst")["a"]
    assert (hidden.is_hidden, hidden.as_json()["pointers"]) == (True, [])


def test_resolutions_stand_in_the_merge(tenant, merge):
    with pytest.raises(ConflictsLeft) as refused:
        go_on(tenant, merge)
    assert refused.value.extra["conflicts"] == 4
    resolve(tenant, merge, a="theirs", b={"id": "b", "text": "by hand, ask grace@example.org"}, c="ours", d="ours")
    done = go_on(tenant, merge)
    assert (done.state, done.seed) == ("merged", None)
    found = state(tenant, done)
    assert found["a"]["text"] == "theirs"
    assert found["b"] == {"id": "b", "text": "by hand, ask grace@example.org"}
    assert "c" not in found
    assert found["d"]["n"] == 1
    masked = {record.id: record.data for record in read_all(tenant, done.dataset, "data_scientist")}
    assert "grace@" not in masked["b"]["text"]
    with acting(tenant):
        assert not MergeConflict.objects.filter(merge=done, record__isnull=False).exists()


def test_the_record_before_both_can_be_kept(tenant, merge):
    resolve(tenant, merge, a="base", b="base", c="base", d="base")
    done = go_on(tenant, merge)
    assert (done.state, done.error) == ("merged", None)
    assert state(tenant, done) == {row["id"]: row for row in BASE}


def test_a_resolution_holds_only_for_what_its_author_saw(tenant, merge):
    resolve(tenant, merge, a="ours", b="ours", c="theirs", d="theirs")
    put_on(tenant, merge.dataset, "main", [row | ({"text": "later"} if row["id"] == "a" else {}) for row in OURS])
    again = go_on(tenant, merge)
    assert again.state == "conflicted"
    with acting(tenant):
        left = MergeConflict.objects.filter(merge=merge, resolution="")
        assert [row.record_id for row in left] == ["a"]
    resolve(tenant, merge, a="theirs")
    assert go_on(tenant, merge).state == "merged"


def test_card_verification_values_are_refused_by_hand_too(tenant, merge):
    with pytest.raises(RefusedPaymentData):
        resolve(tenant, merge, a={"text": "card 4111 1111 1111 1111 cvv: 123", "cvv": "123"})
    with acting(tenant):
        assert MergeConflict.objects.get(merge=merge, record_id="a").resolution == ""


def test_an_abandoned_merge_keeps_nothing(tenant, merge):
    resolve(tenant, merge, b={"text": "by hand"})
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        abandon_merge(steward, merge_id=merge.pk)
    gone = reload_merge(tenant, merge)
    assert (gone.state, gone.seed) == ("cancelled", None)
    with acting(tenant):
        assert not MergeConflict.objects.exists()
    with pytest.raises(MergeNotWaiting):
        go_on(tenant, merge)


def test_a_conflict_of_another_merge_is_not_resolved(tenant, merge):
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward), pytest.raises(MergeConflictNotFound):
        resolve_conflict(steward, merge_id=merge.pk, conflict_id=uuid7(), resolution=Resolution.OURS)


def test_what_was_put_in_by_hand_can_be_forgotten(tenant, merge):
    resolve(tenant, merge, a={"text": "by hand"}, b="ours")
    with acting(tenant):
        since = MergeConflict.objects.get(merge=merge, record_id="a").resolved_at
        assert forget_resolutions(merge.dataset_id, ["a", "b"], until=since - timedelta(seconds=1)) == 0
        assert forget_resolutions(merge.dataset_id, ["a", "b"], until=since) == 1
        kept = dict(MergeConflict.objects.filter(merge=merge).values_list("record_id", "resolution"))
        assert not MergeConflict.objects.filter(record__isnull=False).exists()
    assert (kept["a"], kept["b"]) == ("", "ours")


def test_more_conflicts_than_anybody_resolves_fail_the_merge(tenant, monkeypatch):
    monkeypatch.setattr(plan, "MAX_CONFLICTS", 3)
    failed = merged(tenant, parted(tenant, BASE, OURS, THEIRS))
    assert (failed.status, failed.error_code) == ("failed", "VAULT_DATA_4367")
    with acting(tenant):
        assert not MergeConflict.objects.exists()


def test_a_merge_given_back_goes_on_where_it_stopped(tenant):
    """A turn that is over at once saves after every batch; the next turn looks at nothing twice."""
    rows = [[{"id": f"r{n:03d}", "a": 0, "b": 0} for n in range(300)] for _ in range(3)]
    for n in range(300):
        rows[1][n]["a"] = 1
        rows[2][n]["b"] = 1
    dataset = parted(tenant, *rows)
    merge = merged(tenant, dataset)
    assert merge.result["merged"] == 300
    assert all(record.data["a"] == record.data["b"] == 1 for record in read_all(tenant, dataset))


@pytest.mark.parametrize("side", ["base", "ours", "source"])
def test_sides_in_quarantine_are_not_shown(tenant, merge, side):
    officer = someone(tenant, "privacy_officer")
    label = getattr(reload_merge(tenant, merge), side).label
    with acting(tenant, officer):
        quarantine_version(officer, dataset_id=merge.dataset_id, version=label, reason="to be looked at")
    with pytest.raises(VersionQuarantined):
        shown(tenant, merge)
