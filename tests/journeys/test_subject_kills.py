"""Erasures of people whose worker is killed: they end with one erasure a dataset and one receipt."""

import os
import signal
from datetime import timedelta

import pytest
from django.db import transaction

from compliance.models import SubjectErasure, SubjectErasurePart, SubjectSearch
from compliance.subjects.receipt import read_receipt
from datasets.models import Erasure
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from tests.factories.subjects import ADA, EMAIL, queue_erasure_of, search_for
from tests.factories.upkeep import readable_bytes
from tests.journeys.test_erasure_kills import finished, waits_for
from tests.journeys.test_kills import worker
from tests.journeys.waiting import until
from vaultsite.celery import app
from vaultsite.kernel import jobs

pytestmark = pytest.mark.slow
COUNT = 60


@pytest.fixture
def erasure(tenant, monkeypatch):
    monkeypatch.setattr(jobs, "QUEUED_LEASE", timedelta(seconds=4))
    app.control.purge()
    rows = [
        {"id": f"r{index:03}", "text": f"{EMAIL if index % 3 == 0 else 'nobody'} {'x ' * 400}"}
        for index in range(COUNT)
    ]
    for _ in range(2):
        assert upload(tenant, make_dataset(tenant), jsonl(rows)).status == "succeeded"
    search = search_for(tenant, ADA[:1])
    assert search.counts == {"record": 2 * COUNT // 3}
    return queue_erasure_of(tenant, search)


def _row(index):
    return {"id": f"r{index:03}", "text": f"{EMAIL if index % 3 == 0 else 'nobody'} {'x ' * 400}"}


def assert_erased(tenant, erasure):
    assert (erasure.status, erasure.error) == ("succeeded", None)
    with acting(tenant):
        parts = list(SubjectErasurePart.objects.filter(erasure=erasure).order_by("pk"))
        assert Erasure.objects.count() == len(parts) == 2
        receipt = read_receipt(SubjectErasure.objects.select_related("search").get(pk=erasure.pk))
        datasets = [Erasure.objects.get(pk=part.record_erasure).dataset for part in parts]
    assert receipt["counts"]["tombstones"] == receipt["counts"]["record"] == 2 * COUNT // 3
    assert receipt["remaining"] == {}
    for dataset in datasets:
        assert EMAIL.encode() not in readable_bytes(tenant, dataset)
        assert len(read_all(tenant, dataset)) == 2 * COUNT // 3


def test_one_killed_while_records_are_rewritten_ends(tenant, erasure, tmp_path):
    with worker(tmp_path, "pack:1"):
        until((tmp_path / "died").exists)
        done = finished(tenant, erasure)
    assert_erased(tenant, done)


@pytest.mark.parametrize(
    ("model", "table"),
    [(SubjectErasurePart, "compliance_subjecterasurepart"), (SubjectSearch, "compliance_subjectsearch")],
    ids=["asking for the erasures", "signing the receipt"],
)
def test_one_killed_between_its_steps_does_none_of_them_twice(tenant, erasure, tmp_path, model, table):
    with worker(tmp_path) as process, transaction.atomic(using="owner"):
        rows = model.objects.using("owner").select_for_update().filter(tenant_id=tenant.pk)
        assert list(rows)
        until(lambda: _nudged() and waits_for(table))
        os.killpg(process.pid, signal.SIGKILL)
    with worker(tmp_path):
        done = finished(tenant, erasure)
    assert_erased(tenant, done)


def _nudged():
    """Overdue jobs are woken, as beat does."""
    jobs.reap()
    return True
