"""A replay whose worker is killed in the middle goes on from its checkpoint and counts nothing twice."""

import os
import signal
import subprocess
import sys
from contextlib import contextmanager
from datetime import timedelta
from uuid import uuid4

import pytest

from access.models import PolicyReplay
from access.services import policies, replays
from access.services.authorize import ResourceRef, authorize
from tests.factories.access import acting, principal_with
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs
from vaultsite.kernel.jobs import FINAL, reap
from vaultsite.runtime.binaries import launch_command
from vaultsite.runtime.environment import PROJECT

pytestmark = pytest.mark.slow
DECISIONS = 600
FORBID = 'forbid(principal, action == Action::"record.read", resource);'
COUNTS = ("replayed", "differing", "drifted", "unreplayable")
#: A worker as production starts it, with small pages, a pause before each, and a short lease.
WORKER = """
import os
import sys
import time
from datetime import timedelta
import django
django.setup()
from access.services import replays
from vaultsite.celery import app
from vaultsite.kernel import jobs
replays.PAGE = 5
compare = replays._compare
replays._compare = lambda *given: (time.sleep(float(os.environ["PAUSE"])), compare(*given))[1]
jobs.RUNNING_LEASE, jobs.RETRY_DELAY = timedelta(seconds=8), timedelta(seconds=1)
sys.exit(app.worker_main(["--quiet", "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"]))
"""


@contextmanager
def worker(tmp_path, *, pause=0.0):
    with (tmp_path / "worker.log").open("ab") as log:
        command = launch_command(sys.executable, "-c", WORKER, death_signal="KILL")
        process = subprocess.Popen(
            command,
            cwd=PROJECT,
            env=os.environ | {"PAUSE": str(pause)},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        yield process
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def fresh(tenant, replay):
    with acting(tenant):
        return PolicyReplay.objects.get(pk=replay.pk)


def ended(tenant, replay):
    reap()
    return fresh(tenant, replay).status in FINAL


def counts(replay):
    return [getattr(replay, name) for name in COUNTS]


@pytest.fixture
def drafted(tenant, monkeypatch):
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    steward = principal_with(tenant, "data_steward")
    with acting(tenant, steward):
        for number in range(DECISIONS):
            dataset = ResourceRef("dataset", str(uuid4()) if number % 100 == 0 else "", classification="pii")
            authorize(steward, "record.read", dataset, purpose="analytics")
    admin = principal_with(tenant, "tenant_admin")
    app.control.purge()
    with acting(tenant, admin):
        return policies.draft_policy(admin, name="none-reads", text=FORBID)


def begin(tenant, drafted):
    admin = principal_with(tenant, "tenant_admin")
    with acting(tenant, admin):
        return replays.start_replay(admin, policy_id=drafted.policy_id, number=1, days=1)


def test_a_replay_killed_in_the_middle_ends_with_the_counts_of_one_that_was_not(tenant, drafted, tmp_path):
    queued = begin(tenant, drafted)
    with worker(tmp_path, pause=0.25):
        until(lambda: fresh(tenant, queued).replayed > 0, every=0.05)
    interrupted = fresh(tenant, queued)
    assert interrupted.status not in FINAL
    assert 0 < interrupted.replayed < DECISIONS
    with worker(tmp_path):
        until(lambda: ended(tenant, queued), every=0.3)
    done = fresh(tenant, queued)
    assert done.status == "succeeded"
    assert done.attempt >= 2
    undisturbed = begin(tenant, drafted)
    PolicyReplay.objects.using("owner").filter(pk=undisturbed.pk).update(since=done.since, until=done.until)
    replays.run_replay(tenant.pk, undisturbed.pk)
    again = fresh(tenant, undisturbed)
    assert counts(done) == counts(again)
    assert done.differing == DECISIONS
    with acting(tenant):
        listed = [sorted(one.differences.values_list("resource_id", "decisions")) for one in (done, again)]
    assert listed[0] == listed[1]
    assert sum(number for _, number in listed[0]) == DECISIONS
