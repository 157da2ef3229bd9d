"""Rules of long jobs: leases, fences, attempts, and the reaper; the kind at hand is an ingest."""

from datetime import timedelta
from uuid import uuid4

import pytest
import redis
from celery import Celery
from django.conf import settings
from django.db.models.functions import Now
from django.utils import timezone
from kombu.exceptions import OperationalError as BrokerDown

from access.models import Purpose
from datasets.models import Dataset, Ingest
from tests.factories.audit import make_principal
from vaultsite.kernel import jobs
from vaultsite.kernel.errors import InvalidInput, JobFenced
from vaultsite.kernel.jobs import (
    QUEUED_LEASE,
    RUNNING_LEASE,
    JobStatus,
    Pulse,
    claim,
    enqueue,
    installed_jobs,
    new_lease,
    reap,
    send,
)
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


def scope_of(tenant):
    return tenant_scope(tenant.pk, make_principal(tenant.pk))


@pytest.fixture
def job(tenant):
    """A queued job of a tenant of its own."""
    with scope_of(tenant):
        dataset = Dataset.objects.create(name=f"jobs {uuid4()}", created_by=uuid4())
        return Ingest.objects.create(
            dataset=dataset, format="jsonl", mode="append", requested_by=uuid4(), lease_until=new_lease()
        )


@pytest.fixture
def sent(monkeypatch):
    """The ids of jobs a message was sent for; the sending itself is done too, to the broker of the tests."""
    found = []
    original = jobs.send

    def record(task_name, tenant_id, pk):
        found.append(pk)
        original(task_name, tenant_id, pk)

    monkeypatch.setattr(jobs, "send", record)
    return found


def take(job):
    """Claim as a worker does."""
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        return claim(Ingest, job.pk)


def change(job, **fields):
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        Ingest.objects.filter(pk=job.pk).update(**fields)


def state(job):
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        return Ingest.objects.get(pk=job.pk)


def lapse(job):
    """The lease passes: the worker slept too long, or the message was lost."""
    change(job, lease_until=Now() - timedelta(seconds=1))


def lease_left(job):
    return state(job).lease_until - timezone.now()


def test_a_claim_raises_attempt_and_fence_and_starts_the_job(job):
    taken, held = take(job)
    now = state(job)
    assert (now.status, now.attempt, now.fence) == (JobStatus.RUNNING, 1, 1)
    assert (taken.status, taken.attempt, held.fence) == (JobStatus.RUNNING, 1, 1)
    assert now.started_at is not None
    assert RUNNING_LEASE - timedelta(seconds=10) < lease_left(job) <= RUNNING_LEASE


def test_a_job_with_a_running_lease_belongs_to_its_worker(job):
    take(job)
    assert take(job) is None
    assert state(job).attempt == 1


def test_a_queued_job_is_taken_whatever_its_lease(job):
    assert lease_left(job) > timedelta(0)
    assert take(job) is not None


def test_a_lapsed_job_is_taken_over(job):
    _, first = take(job)
    begun = state(job).started_at
    lapse(job)
    _, second = take(job)
    assert (first.fence, second.fence, state(job).attempt) == (1, 2, 2)
    assert state(job).started_at == begun


@pytest.mark.parametrize("status", [JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED])
def test_a_finished_job_is_left_alone(job, status):
    change(job, status=status)
    lapse(job)
    assert take(job) is None
    assert state(job).status == status
    assert state(job).is_final


def test_a_job_that_is_not_there_is_no_error(tenant):
    with scope_of(tenant):
        assert claim(Ingest, uuid4()) is None


def test_another_tenants_job_is_not_there(job, rival):
    with scope_of(rival):
        assert claim(Ingest, job.pk) is None
    assert state(job).status == JobStatus.QUEUED


def test_a_zombie_can_write_nothing(job):
    """T65: a worker sleeps past its lease, another takes over, the first wakes up."""
    _, zombie = take(job)
    lapse(job)
    _, successor = take(job)

    with pytest.raises(JobFenced):
        zombie.save(progress={"by": "zombie"})
    with pytest.raises(JobFenced):
        enter(zombie)
    for end in (zombie.finish, zombie.release, lambda: zombie.fail(InvalidInput())):
        with pytest.raises(JobFenced):
            end()

    assert (state(job).status, state(job).fence, state(job).progress) == (JobStatus.RUNNING, 2, {})
    successor.finish(progress={"by": "successor"})
    assert (state(job).status, state(job).progress) == (JobStatus.SUCCEEDED, {"by": "successor"})


def enter(held):
    with held.scope():
        pytest.fail("entered")


def test_a_zombies_other_writes_are_undone_with_its_save(job):
    """What a worker writes in one transaction with its checkpoint cannot stay when the checkpoint is refused."""
    _, zombie = take(job)
    lapse(job)
    take(job)
    with pytest.raises(JobFenced), tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        Purpose.objects.create(code="zombie")
        zombie.save(checkpoint={"stage": "build"})
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        assert not Purpose.objects.filter(code="zombie").exists()


def test_a_worker_that_only_overslept_may_go_on(job):
    """Nobody took over: the work is still its own, and the lease runs again."""
    _, held = take(job)
    lapse(job)
    held.save(progress={"records": 7})
    assert state(job).progress == {"records": 7}
    assert lease_left(job) > RUNNING_LEASE / 2


def test_a_claims_scope_holds_the_job_against_others(job):
    _, held = take(job)
    with held.scope():
        held.save(checkpoint={"stage": "build"})
    assert state(job).checkpoint == {"stage": "build"}


def test_a_finished_job_takes_no_more_writes(job):
    _, held = take(job)
    held.finish()
    assert state(job).finished_at is not None
    with pytest.raises(JobFenced):
        held.save(progress={"late": True})


def test_a_cancelled_job_fences_its_worker(job):
    _, held = take(job)
    change(job, status=JobStatus.CANCELLED)
    with pytest.raises(JobFenced):
        held.save(progress={"late": True})


def test_a_failed_job_keeps_its_problem(job):
    _, held = take(job)
    held.fail(InvalidInput("not like this"))
    now = state(job)
    assert (now.status, now.error_code, now.error["detail"]) == (JobStatus.FAILED, InvalidInput.code, "not like this")
    assert now.finished_at is not None


def test_a_released_job_waits_a_moment_for_the_next_worker(job, sent, monkeypatch):
    monkeypatch.setattr(jobs, "RETRY_DELAY", timedelta(minutes=10))
    _, held = take(job)
    held.release()
    assert state(job).status == JobStatus.QUEUED
    assert timedelta(0) < lease_left(job) <= jobs.RETRY_DELAY
    assert [fresh.pk for fresh in reap_of(job)] == []
    lapse(job)
    assert [overdue.pk for overdue in reap_of(job)] == [job.pk]
    assert take(job) is not None


def test_a_job_that_gives_its_turn_back_has_used_no_attempt(job, sent):
    taken, held = take(job)
    held.give_turn_back(taken)
    now = state(job)
    assert (now.status, now.attempt, now.fence) == (JobStatus.QUEUED, 0, 1)
    assert sent == [str(job.pk)]
    with pytest.raises(JobFenced):
        held.save(progress={"late": True})


def test_the_pulse_renews_the_lease_now_and_then(job, monkeypatch):
    _, held = take(job)
    clock = [100.0]
    monkeypatch.setattr(jobs.time, "monotonic", lambda: clock[0])
    pulse = Pulse(held, progress={"stage": "scan"})
    lapse(job)
    pulse()
    assert lease_left(job) > RUNNING_LEASE / 2
    lapse(job)
    pulse()
    assert lease_left(job) < timedelta(0), "asked again at once, it writes nothing"
    clock[0] += RUNNING_LEASE.total_seconds() / 4 + 0.1
    pulse()
    assert lease_left(job) > RUNNING_LEASE / 2


def test_the_pulse_of_a_fenced_worker_stops_it(job):
    _, held = take(job)
    lapse(job)
    take(job)
    with pytest.raises(JobFenced):
        Pulse(held)()


def reap_of(job):
    return [overdue for overdue in reap(limit=10_000) if overdue.pk == job.pk]


def test_a_job_whose_message_was_lost_is_sent_again(job, sent):
    """T68: the broker was flushed; the row knows."""
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        enqueue(job)
    redis.from_url(settings.REDIS_URL).delete("celery")
    assert reap_of(job) == [], "its lease runs: the message counts as being on its way"
    lapse(job)
    (overdue,) = reap_of(job)
    assert (overdue.task_name, overdue.tenant_id) == ("datasets.run_ingest", job.tenant_id)
    assert sent.count(str(job.pk)) == 2
    assert str(job.pk) in str(redis.from_url(settings.REDIS_URL).lrange("celery", 0, -1))


def test_a_queued_job_is_sent_once_a_lease(job, sent):
    lapse(job)
    assert len(reap_of(job)) == 1
    assert reap_of(job) == []
    assert QUEUED_LEASE / 2 < lease_left(job) <= QUEUED_LEASE


def test_a_job_whose_worker_died_is_sent_again_and_can_be_claimed(job, sent):
    take(job)
    assert reap_of(job) == []
    lapse(job)
    assert len(reap_of(job)) == 1
    assert state(job).status == JobStatus.RUNNING
    assert take(job)[0].attempt == 2


def test_the_reaper_leaves_finished_jobs(job, sent):
    change(job, status=JobStatus.SUCCEEDED)
    lapse(job)
    assert reap_of(job) == []


def test_the_reaper_looks_at_every_kind_of_job():
    assert Ingest in installed_jobs()
    assert all(model.task_name for model in installed_jobs())


def test_a_job_is_announced_after_its_commit(job, sent):
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        enqueue(job)
        assert sent == []
    assert sent == [str(job.pk)]


def test_a_job_of_a_failed_scope_is_not_announced(job, sent):
    with pytest.raises(ZeroDivisionError), tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        enqueue(job)
        raise ZeroDivisionError
    assert sent == []


def test_a_broker_that_is_away_fails_no_request(job, monkeypatch):
    """T68: nothing listens there; the job waits in its row."""
    away = Celery(broker="redis://127.0.0.1:1/0", set_as_current=False)
    away.conf.broker_transport_options = {"max_retries": 1, "interval_start": 0}
    with away.connection_for_write() as connection, pytest.raises((BrokerDown, OSError)):
        connection.ensure_connection(max_retries=1, timeout=1)
    monkeypatch.setattr(jobs, "current_app", away)
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        enqueue(job)
    send("datasets.run_ingest", str(job.tenant_id), str(job.pk))
    assert state(job).status == JobStatus.QUEUED
