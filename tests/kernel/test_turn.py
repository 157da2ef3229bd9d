"""What becomes of a job whose work ends, fails, is refused, or is tried too often; the kind at hand is an ingest."""

from uuid import uuid4

import pytest
from django.db import DatabaseError

from access.models import Purpose
from datasets.models import Dataset, Ingest
from tests.factories.audit import make_principal
from vaultsite.kernel.errors import BlobMissing, InvalidInput, JobExhausted, JobFenced, KeyDestroyed, StorageFull
from vaultsite.kernel.jobs import MAX_ATTEMPTS, JobStatus, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.turn import is_hopeless, take_turn


def scope_of(tenant):
    return tenant_scope(tenant.pk, make_principal(tenant.pk))


@pytest.fixture
def job(tenant):
    """A queued job of a tenant of its own."""
    with scope_of(tenant):
        dataset = Dataset.objects.create(name=f"turns {uuid4()}", created_by=uuid4())
        return Ingest.objects.create(
            dataset=dataset, format="jsonl", mode="append", requested_by=uuid4(), lease_until=new_lease()
        )


def change(job, **fields):
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        Ingest.objects.filter(pk=job.pk).update(**fields)


def state(job):
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        return Ingest.objects.get(pk=job.pk)


def turn(job, work, **rules):
    take_turn(Ingest, job.tenant_id, job.pk, work, **rules)
    return state(job)


def raising(error):
    def work(_row, _held):
        raise error

    return work


def finish(_row, held):
    held.finish()


def test_work_that_ends_the_job_is_done_once(job):
    seen = []

    def work(row, held):
        seen.append((row.pk, held.fence))
        held.finish()

    assert turn(job, work).status == JobStatus.SUCCEEDED
    assert turn(job, work).status == JobStatus.SUCCEEDED
    assert seen == [(job.pk, 1)]


@pytest.mark.parametrize("error", [InvalidInput("not like this"), StorageFull(), KeyDestroyed()])
def test_a_refusal_ends_the_job_and_is_not_raised(job, error):
    now = turn(job, raising(error))
    assert (now.status, now.error_code, now.attempt) == (JobStatus.FAILED, error.code, 1)


@pytest.mark.parametrize("error", [BlobMissing(), DatabaseError(), OSError()])
def test_a_fault_of_ours_is_raised_and_tried_again(job, error):
    with pytest.raises(type(error)):
        turn(job, raising(error))
    now = state(job)
    assert (now.status, now.attempt, now.error_code) == (JobStatus.QUEUED, 1, "")
    assert turn(job, finish).status == JobStatus.SUCCEEDED


def test_upkeep_ends_with_its_key_and_not_with_a_refusal(job):
    with pytest.raises(InvalidInput):
        turn(job, raising(InvalidInput()), ends=is_hopeless)
    assert state(job).status == JobStatus.QUEUED
    assert turn(job, raising(KeyDestroyed()), ends=is_hopeless).status == JobStatus.FAILED


def test_a_job_that_was_taken_over_or_cancelled_is_left_alone(job):
    def work(row, held):
        change(row, status=JobStatus.CANCELLED)
        held.finish()

    assert turn(job, work).status == JobStatus.CANCELLED


def test_a_refusal_that_comes_after_the_job_was_cancelled_changes_nothing(job):
    def work(row, _held):
        change(row, status=JobStatus.CANCELLED)
        raise InvalidInput

    now = turn(job, work)
    assert (now.status, now.error_code) == (JobStatus.CANCELLED, "")


def test_a_job_tried_too_often_is_given_up_once_without_being_worked_on(job):
    for attempt in range(1, MAX_ATTEMPTS + 1):
        with pytest.raises(OSError):
            turn(job, raising(OSError()))
        assert state(job).attempt == attempt
    told = []

    def fail(row, held, error):
        told.append((row.pk, error.code))
        held.fail(error)

    for _ in range(2):
        now = turn(job, raising(AssertionError("worked on")), fail=fail)
    assert (now.status, now.error_code, now.error["code"]) == (JobStatus.FAILED, JobExhausted.code, JobExhausted.code)
    assert now.finished_at is not None
    assert told == [(job.pk, JobExhausted.code)]


def test_giving_up_is_one_transaction_and_done_again_when_it_fails(job):
    change(job, attempt=MAX_ATTEMPTS)

    def fail_half_way(_row, held, error):
        Purpose.objects.create(code="half-way")
        held.fail(error)
        raise OSError

    with pytest.raises(OSError):
        turn(job, finish, fail=fail_half_way)
    assert (state(job).status, state(job).attempt) == (JobStatus.QUEUED, MAX_ATTEMPTS)
    with tenant_scope(job.tenant_id, Principal.system(job.tenant_id)):
        assert not Purpose.objects.filter(code="half-way").exists()
    assert turn(job, finish).status == JobStatus.FAILED


def test_a_worker_that_lost_its_claim_cannot_end_the_job(job):
    def oversleep(_row, held):
        change(job, fence=held.fence + 1)
        raise InvalidInput

    assert turn(job, oversleep).status == JobStatus.RUNNING


def test_the_fence_is_never_taken_for_a_refusal(job):
    assert JobFenced.status < 500
    assert turn(job, raising(JobFenced())).status == JobStatus.RUNNING
