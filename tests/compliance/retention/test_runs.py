"""Runs announce, wait, act, and leave alone what may not go."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import Alert, AuditEvent, Notification
from audit.notifications.dispatch import tell_of
from audit.selectors import read_body
from compliance.errors.retention import TooManyRetentionPolicies
from compliance.models import NoticeState, RetentionClock, RetentionNotice, RetentionRun, RetentionStep
from compliance.retention import policies
from compliance.retention.clock import confirm_clock, suspicion
from compliance.retention.keeping import promise_anew
from compliance.retention.plan import plan_runs
from compliance.retention.policies import change_policy, end_policy, record_event
from compliance.retention.run import run_retention
from datasets.errors.lifecycle import DatasetKept
from datasets.models import Dataset, Purge
from datasets.services.datasets import DatasetFacts, update_dataset
from datasets.services.erasure.request import request_erasure
from datasets.services.keeping import is_kept, refuse_kept
from datasets.services.lifecycle import delete_dataset, purge_dataset
from datasets.services.purge import run_purge
from tests.factories.access import acting, rooted
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, someone, upload
from tests.factories.retention import let_grace_pass, made_ago, make_policy, officer, run_now
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef


def state_of(tenant, dataset) -> Dataset:
    with acting(tenant):
        return Dataset.objects.get(pk=dataset.pk)


def outcomes(tenant, run) -> dict:
    with acting(tenant):
        rows = RetentionStep.objects.filter(run=run).values_list("dataset_id", "outcome", "error_code")
        return {dataset_id: (outcome, code) for dataset_id, outcome, code in rows}


def events(tenant, kind: str) -> list[dict]:
    with acting(tenant):
        return [read_body(one) for one in AuditEvent.objects.filter(type=kind).order_by("time")]


def test_what_is_due_is_announced_and_goes_after_its_grace_period(tenant) -> None:
    policy = make_policy(tenant, grace_days=14)
    old, young = made_ago(make_dataset(tenant), 400), made_ago(make_dataset(tenant), 300)
    assert outcomes(tenant, run_now(tenant)) == {old.pk: ("announced", "")}
    assert outcomes(tenant, run_now(tenant)) == {old.pk: ("waiting", "")}
    assert state_of(tenant, old).deleted_at is None
    let_grace_pass(old)
    done = run_now(tenant)
    assert outcomes(tenant, done) == {old.pk: ("applied", "")}
    assert (done.status, done.counts) == ("succeeded", {"applied:delete": 1})
    gone = state_of(tenant, old)
    assert gone.deleted_at is not None
    assert gone.delete_after > gone.deleted_at
    assert state_of(tenant, young).deleted_at is None
    (announced,) = events(tenant, "data.retention.announced")
    (applied,) = events(tenant, "data.retention.applied")
    assert announced["metadata"]["owner"] == str(old.created_by)
    assert applied["metadata"]["policy_id"] == str(policy.pk)
    assert applied["resource"]["dataset_id"] == str(old.pk)


@pytest.mark.parametrize(
    ("action", "left"),
    [("archive", (True, False, False)), ("delete", (False, True, False)), ("crypto_shred", (False, True, True))],
)
def test_each_action_does_what_it_says(tenant, action, left) -> None:
    make_policy(tenant, action=action)
    dataset = made_ago(make_dataset(tenant), 400)
    upload(tenant, dataset, jsonl(rows_of(5)))
    run_now(tenant)
    run_now(tenant)
    found = state_of(tenant, dataset)
    assert (found.archived_at is not None, found.deleted_at is not None, found.purged_at is not None) == left
    if action == "archive":
        assert len(read_all(tenant, dataset)) == 5
    with acting(tenant):
        assert Purge.objects.filter(dataset_id=dataset.pk).exists() is (action != "archive")


def test_a_held_dataset_is_refused_and_goes_when_its_hold_is_lifted(tenant) -> None:
    make_policy(tenant)
    dataset = made_ago(make_dataset(tenant), 400)
    run_now(tenant)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("refused", "VAULT_DATA_4006")}
    assert state_of(tenant, dataset).deleted_at is None
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=False)
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("applied", "")}


def test_a_minimum_refuses_every_deletion_and_shows_its_legal_basis(tenant) -> None:
    make_policy(tenant, minimum_days=30, legal_basis="Tax law asks for it")
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    for remove in (delete_dataset, purge_dataset):
        with pytest.raises(DatasetKept) as refused, acting(tenant, steward):
            remove(steward, dataset_id=dataset.pk)
        assert refused.value.extra["legal_basis"] == "Tax law asks for it"
    made_ago(dataset, 31)
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)


def test_time_is_right_or_not() -> None:
    now = timezone.now()
    day, year = timedelta(days=1), timedelta(days=365)

    def why(seen_at, **facts):
        return suspicion(seen_at, now, **({"worker_now": now, "newest_event": now} | facts))

    assert why(now - day) == ""
    assert why(now - year) == "gap"
    assert why(now + year) == "back"
    assert why(now - day, newest_event=now + year) == "back"
    assert why(now - day, newest_event=None) == ""
    assert why(now - day, worker_now=now + year) == why(now - day, worker_now=now - year) == "apart"


@pytest.mark.parametrize("jump", [timedelta(days=365), timedelta(days=-365)])
def test_a_database_clock_that_jumped_a_year_deletes_nothing_until_somebody_confirms_it(tenant, jump) -> None:
    """T74: what the last run saw moves the other way, which is the same to whoever compares."""
    make_policy(tenant)
    dataset = made_ago(make_dataset(tenant), 400)
    run_now(tenant)
    with acting(tenant):
        RetentionClock.objects.update(seen_at=timezone.now() - jump)
    waiting = run_now(tenant)
    assert (waiting.status, waiting.progress, waiting.attempt) == ("queued", {"stage": "clock"}, 0)
    assert state_of(tenant, dataset).deleted_at is None
    with acting(tenant):
        alert = Alert.objects.get(kind="retention.clock")
        assert (alert.severity, alert.facts["suspicion"]) == ("critical", "gap" if jump > timedelta() else "back")
    run_retention(tenant.pk, waiting.pk)
    assert state_of(tenant, dataset).deleted_at is None
    with acting(tenant, officer(tenant)) as scope:
        confirm_clock(scope.principal)
    run_retention(tenant.pk, waiting.pk)
    assert state_of(tenant, dataset).deleted_at is not None
    with acting(tenant):
        assert Alert.objects.get(kind="retention.clock").verdict == "ended"
        assert RetentionRun.objects.get(pk=waiting.pk).status == "succeeded"


@pytest.mark.parametrize("days", [365, -365])
def test_a_worker_whose_clock_jumped_a_year_deletes_nothing_early(tenant, monkeypatch, days) -> None:
    """T74: neither the run, nor a purge whose time to undo is not over by the database's clock."""
    make_policy(tenant)
    due, young = made_ago(make_dataset(tenant), 400), make_dataset(tenant)
    run_now(tenant)
    steward, deleted = someone(tenant, "data_steward"), make_dataset(tenant)
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=deleted.pk)
    with acting(tenant):
        purge = Purge.objects.get(dataset_id=deleted.pk)
    jumped = timezone.now() + timedelta(days=days)
    monkeypatch.setattr(timezone, "now", lambda: jumped)
    run = run_now(tenant)
    run_purge(tenant.pk, purge.pk)
    monkeypatch.undo()
    assert run.progress == {"stage": "clock"}
    assert [state_of(tenant, one).deleted_at for one in (due, young)] == [None, None]
    assert state_of(tenant, deleted).purged_at is None


def due_purge(tenant) -> Purge:
    """Of a dataset whose time to undo is over."""
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    past = timezone.now() - timedelta(seconds=1)
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(delete_after=past)
        Purge.objects.filter(dataset_id=dataset.pk).update(lease_until=past)
        return Purge.objects.get(dataset_id=dataset.pk)


def test_a_minimum_is_over_when_it_is_by_both_clocks(tenant, monkeypatch) -> None:
    """Whichever of them jumped forward; the database's is moved by moving the minimum the other way."""
    make_policy(tenant, minimum_days=30)
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    for days_old, days_jumped in ((0, 365), (31, -365)):
        made_ago(dataset, days_old)
        with acting(tenant):
            promise_anew()
        jumped = timezone.now() + timedelta(days=days_jumped)
        with acting(tenant, steward), monkeypatch.context() as inner:
            inner.setattr(timezone, "now", lambda jumped=jumped: jumped)
            with pytest.raises(DatasetKept):
                refuse_kept(Dataset.objects.get(pk=dataset.pk))
    with acting(tenant):
        assert not is_kept(Dataset.objects.get(pk=dataset.pk))


@pytest.mark.parametrize("jump", [timedelta(days=365), timedelta(days=-365)])
def test_a_purge_waits_while_the_time_is_not_trusted(tenant, jump) -> None:
    make_policy(tenant)
    purge = due_purge(tenant)
    with acting(tenant):
        RetentionClock.objects.update(seen_at=timezone.now() - jump)
    run_purge(tenant.pk, purge.pk)
    with acting(tenant):
        assert Dataset.objects.get(pk=purge.dataset_id).purged_at is None
        waiting = Purge.objects.get(pk=purge.pk)
        assert (waiting.status, waiting.attempt, waiting.lease_until > timezone.now()) == ("queued", 0, True)
    run_now(tenant)
    with acting(tenant, officer(tenant)) as scope:
        confirm_clock(scope.principal)
    run_purge(tenant.pk, purge.pk)
    with acting(tenant):
        assert not Dataset.objects.filter(pk=purge.dataset_id).exists()


def test_a_minimum_that_came_later_keeps_what_was_deleted_from_its_purge(tenant) -> None:
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)
    policy = make_policy(tenant, minimum_days=30)
    with acting(tenant):
        past = timezone.now() - timedelta(seconds=1)
        Dataset.objects.filter(pk=dataset.pk).update(delete_after=past)
        Purge.objects.filter(dataset_id=dataset.pk).update(lease_until=past)
        purge = Purge.objects.get(dataset_id=dataset.pk)
    run_purge(tenant.pk, purge.pk)
    assert state_of(tenant, dataset).purged_at is None
    with acting(tenant, officer(tenant)) as scope:
        end_policy(scope.principal, policy_id=policy.pk)
    run_purge(tenant.pk, purge.pk)
    with acting(tenant):
        assert not Dataset.objects.filter(pk=dataset.pk).exists()


def test_tags_taken_away_do_not_take_the_minimum_away(tenant) -> None:
    dataset, steward = make_dataset(tenant, tags=("alpha",)), someone(tenant, "data_steward")
    policy = make_policy(tenant, minimum_days=30, tags=("alpha",))
    with acting(tenant, steward):
        update_dataset(steward, dataset_id=dataset.pk, facts=DatasetFacts(tags=()))
    run_now(tenant)
    with pytest.raises(DatasetKept), acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)
    with acting(tenant, officer(tenant)) as scope:
        change_policy(scope.principal, policy_id=policy.pk, changes={"minimum_days": 60})
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)


def test_a_change_of_no_minimum_takes_no_promise_away(tenant) -> None:
    dataset, steward = make_dataset(tenant, tags=("alpha",)), someone(tenant, "data_steward")
    policy = make_policy(tenant, minimum_days=30, tags=("alpha",))
    with acting(tenant, steward):
        update_dataset(steward, dataset_id=dataset.pk, facts=DatasetFacts(tags=()))
    other = make_policy(tenant, tags=("beta",))
    make_policy(tenant, minimum_days=5, tags=("beta",))
    with acting(tenant, officer(tenant)) as scope:
        change_policy(scope.principal, policy_id=policy.pk, changes={"grace_days": 3})
        change_policy(scope.principal, policy_id=other.pk, changes={"tags": ("gamma",)})
        end_policy(scope.principal, policy_id=other.pk)
        record_event(scope.principal, dataset_id=dataset.pk, name="closed", occurred_at=timezone.now())
    with pytest.raises(DatasetKept), acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)
    with acting(tenant, officer(tenant)) as scope:
        end_policy(scope.principal, policy_id=policy.pk)
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)


def test_an_erasure_of_records_that_must_be_kept_is_refused(tenant) -> None:
    make_policy(tenant, minimum_days=30)
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    with pytest.raises(DatasetKept), acting(tenant, steward):
        request_erasure(steward, dataset_id=dataset.pk, record_ids=["a"], reason="asked for")


def test_another_wording_is_announced_anew_and_an_ended_policy_withdraws(tenant) -> None:
    policy = make_policy(tenant)
    dataset = made_ago(make_dataset(tenant), 400)
    run_now(tenant)
    with acting(tenant, officer(tenant)) as scope:
        change_policy(scope.principal, policy_id=policy.pk, changes={"action": "crypto_shred", "grace_days": 3})
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("announced", "")}
    with acting(tenant, officer(tenant)) as scope:
        end_policy(scope.principal, policy_id=policy.pk)
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("withdrawn", "")}
    assert outcomes(tenant, run_now(tenant)) == {}
    with acting(tenant):
        states = RetentionNotice.objects.filter(dataset_id=dataset.pk).order_by("id").values_list("state", flat=True)
        assert list(states) == [NoticeState.WITHDRAWN, NoticeState.WITHDRAWN]
    assert state_of(tenant, dataset).purged_at is None


def test_its_owner_is_told(tenant) -> None:
    make_policy(tenant)
    dataset = made_ago(make_dataset(tenant, rooted(tenant, someone(tenant, "data_steward"))), 400)
    run_now(tenant)
    with acting(tenant):
        tell_of(AuditEvent.objects.get(type="data.retention.announced"))
        (told,) = Notification.objects.filter(user_id=dataset.created_by)
    assert told.subject == "A retention policy acts on a dataset of yours soon"
    assert str(dataset.pk) in told.url


def test_policies_changed_are_told_of(tenant) -> None:
    policy = make_policy(tenant)
    with acting(tenant, officer(tenant)) as scope:
        end_policy(scope.principal, policy_id=policy.pk)
    assert [one["metadata"]["change"] for one in events(tenant, "data.retention.changed")] == ["created", "ended"]


def test_a_run_is_planned_once_a_day_for_who_had_a_policy(tenant, rival) -> None:
    make_policy(tenant)
    plan_runs()
    plan_runs()
    with acting(tenant):
        run = RetentionRun.objects.get()
        RetentionRun.objects.update(created_at=timezone.now() - timedelta(hours=25))
    plan_runs()
    run_retention(tenant.pk, run.pk)
    plan_runs()
    with acting(tenant):
        assert sorted(RetentionRun.objects.values_list("status", flat=True)) == ["queued", "succeeded"]
    with acting(rival):
        assert not RetentionRun.objects.exists()


def test_an_event_from_the_future_makes_runs_wait_until_it_is_explained(tenant) -> None:
    make_policy(tenant)
    dataset = made_ago(make_dataset(tenant), 400)
    run_now(tenant)
    ahead = timezone.now() + timedelta(hours=1)
    with acting(tenant):
        emit(Event(EventType.UPDATED, operation="update", resource=ResourceRef("dataset"), time=ahead))
    assert run_now(tenant).progress == {"stage": "clock"}
    assert state_of(tenant, dataset).deleted_at is None
    with acting(tenant, officer(tenant)) as scope:
        confirm_clock(scope.principal)
    assert run_now(tenant).status == "succeeded"
    assert state_of(tenant, dataset).deleted_at is not None


def test_a_recorded_event_gives_a_minimum_and_its_correction_takes_it_back(tenant) -> None:
    make_policy(tenant, minimum_days=30, starts="event", event="closed")
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    for days, stands in ((1, True), (31, False)):
        with acting(tenant, officer(tenant)) as scope:
            when = timezone.now() - timedelta(days=days)
            record_event(scope.principal, dataset_id=dataset.pk, name="closed", occurred_at=when)
        assert (state_of(tenant, dataset).keep_until > timezone.now()) is stands
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)


def test_what_was_announced_is_withdrawn_when_somebody_deletes_the_dataset_first(tenant) -> None:
    make_policy(tenant)
    dataset, steward = made_ago(make_dataset(tenant), 400), someone(tenant, "data_steward")
    run_now(tenant)
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=dataset.pk)
    assert outcomes(tenant, run_now(tenant)) == {dataset.pk: ("withdrawn", "")}
    assert len(events(tenant, "data.retention.applied")) == 0


def test_there_may_be_only_so_many_policies(tenant, monkeypatch) -> None:
    monkeypatch.setattr(policies, "MAX_POLICIES", 1)
    make_policy(tenant)
    with pytest.raises(TooManyRetentionPolicies):
        make_policy(tenant)


def test_a_run_dated_by_a_clock_that_was_ahead_stops_no_other(tenant) -> None:
    make_policy(tenant)
    assert plan_runs_of(tenant) == 1
    run_retention(tenant.pk, latest_run(tenant).pk)
    assert plan_runs_of(tenant) == 0, "one a day"
    ahead = timezone.now() + timedelta(days=365)
    RetentionRun._base_manager.using("owner").filter(tenant=tenant).update(created_at=ahead)
    assert plan_runs_of(tenant) == 1


def test_a_dataset_dated_by_a_clock_that_was_ahead_waits_and_stops_no_other(tenant) -> None:
    make_policy(tenant, minimum_days=30, action="delete", duration_days=365)
    due, ahead = made_ago(make_dataset(tenant), 400), made_ago(make_dataset(tenant), -400)
    run_now(tenant)
    assert outcomes(tenant, run_now(tenant)) == {due.pk: ("applied", "")}
    left = state_of(tenant, ahead)
    assert (left.deleted_at, left.keep_until > timezone.now() + timedelta(days=400)) == (None, True)


def plan_runs_of(tenant) -> int:
    """How many runs of the organization one look of the planner makes."""
    with acting(tenant):
        before = RetentionRun.objects.count()
    plan_runs()
    with acting(tenant):
        return RetentionRun.objects.count() - before


def latest_run(tenant) -> RetentionRun:
    with acting(tenant):
        return RetentionRun.objects.order_by("-id")[0]
