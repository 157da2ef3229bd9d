"""T72: Rules of quotas."""

import threading

import pytest
from django.db import connections

from audit.models import AuditEvent
from audit.selectors import read_body
from datasets.errors.lifecycle import QuotaExceeded
from datasets.models import Dataset, Quota, Version
from datasets.services import quotas
from datasets.services.branches import create_branch
from datasets.services.lifecycle import delete_dataset
from datasets.services.quotas import kept_records, set_quotas, stored_bytes
from datasets.services.rollback import roll_back
from datasets.services.write import run_ingest
from tests.factories.access import acting, principal_with
from tests.factories.datasets import jsonl, make_dataset, purge, queue_upload, reload, rows_of, someone, upload
from tests.factories.drafts import make_draft, put
from tests.factories.exports import export, queue_export, reload_export


def limit(tenant, **limits):
    admin = principal_with(tenant, "tenant_admin")
    with acting(tenant, admin):
        return {measure.kind: measure for measure in set_quotas(admin, limits=limits)}


def counted(tenant, count):
    with acting(tenant):
        return count()


def refused(call):
    with pytest.raises(QuotaExceeded) as caught:
        call()
    return caught.value.extra


def test_without_a_quota_there_is_no_limit(tenant):
    dataset = make_dataset(tenant)
    assert upload(tenant, dataset, jsonl(rows_of(5))).status == "succeeded"
    measures = limit(tenant)
    assert {kind: (measure.limit, measure.percent) for kind, measure in measures.items()} == {
        "bytes": (None, 0),
        "datasets": (None, 0),
        "records": (None, 0),
    }
    assert (measures["datasets"].used, measures["records"].used) == (1, 5)
    assert upload(tenant, dataset, jsonl(rows_of(6))).status == "succeeded"


def test_one_dataset_more_than_allowed_is_refused_with_figures(tenant):
    limit(tenant, datasets=2)
    first, _ = make_dataset(tenant), make_dataset(tenant)
    assert refused(lambda: make_dataset(tenant)) == {"quota": "datasets", "limit": 2, "used": 2, "asked": 1}
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=first.pk)
    refused(lambda: make_dataset(tenant))
    purge(tenant, first)
    make_dataset(tenant)


def test_records_are_counted_in_the_largest_head_of_each_dataset(tenant):
    first, second = make_dataset(tenant), make_dataset(tenant)
    upload(tenant, first, jsonl(rows_of(4)))
    upload(tenant, second, jsonl(rows_of(3)))
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        create_branch(steward, dataset_id=first.pk, name="side")
    upload(tenant, first, jsonl(rows_of(2)), branch="side")
    assert counted(tenant, kept_records) == 7
    upload(tenant, first, jsonl(rows_of(9)), branch="side")
    assert counted(tenant, kept_records) == 12


def test_a_version_that_brings_too_many_records_fails_and_leaves_nothing(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(4)))
    limit(tenant, records=6)
    failed = upload(tenant, dataset, jsonl(rows_of(7)))
    assert (failed.status, failed.error_code) == ("failed", QuotaExceeded.code)
    assert (failed.error["quota"], failed.error["limit"], failed.error["used"], failed.error["asked"]) == (
        "records",
        6,
        4,
        3,
    )
    assert upload(tenant, dataset, jsonl(rows_of(6))).status == "succeeded"
    assert upload(tenant, dataset, jsonl(rows_of(5))).status == "succeeded"
    assert upload(tenant, dataset, jsonl(rows_of(1, seed=2)), mode="append").version.record_count == 6
    assert refused(lambda: queue_upload(tenant, dataset, jsonl(rows_of(1)), mode="append"))["quota"] == "records"


def test_bytes_are_those_of_the_packs_in_use_and_limit_what_is_added(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(50)))
    used = counted(tenant, stored_bytes)
    with acting(tenant):
        version = Version.objects.get()
        assert used >= version.new_sealed_bytes > 0
    limit(tenant, bytes=used + 100)
    failed = upload(tenant, dataset, jsonl(rows_of(60)))
    assert (failed.status, failed.error["quota"], failed.error["used"]) == ("failed", "bytes", used)
    assert counted(tenant, stored_bytes) == used
    limit(tenant, bytes=used)
    assert refused(lambda: queue_upload(tenant, dataset, jsonl(rows_of(1))))["limit"] == used
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        roll_back(steward, dataset_id=dataset.pk, branch_name="main", version="v1.0.0")  # adds no byte


def test_exports_and_staged_records_count(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(50)))
    packs = counted(tenant, stored_bytes)
    written = export(tenant, dataset)
    with_export = counted(tenant, stored_bytes)
    assert with_export > packs
    put(tenant, make_draft(tenant, dataset), [{"id": "staged", "data": {"text": "x" * 1000}}])
    assert counted(tenant, stored_bytes) > with_export + 1000
    limit(tenant, bytes=packs)
    assert refused(lambda: queue_export(tenant, dataset))["quota"] == "bytes"
    assert reload_export(tenant, written).status == "succeeded"


def test_a_limit_lowered_below_use_takes_nothing_away(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(5)))
    measures = limit(tenant, records=2, datasets=0, bytes=0)
    assert [measures[kind].percent for kind in quotas.KINDS] == [100, 100, 100]
    with acting(tenant):
        assert Dataset.objects.get(pk=dataset.pk).deleted_at is None


def test_of_uploads_at_once_no_more_are_let_in_than_fit(tenant):
    limit(tenant, records=10)
    ingests = [queue_upload(tenant, make_dataset(tenant), jsonl(rows_of(4))) for _ in range(4)]

    def work(ingest):
        try:
            run_ingest(tenant.pk, ingest.pk)
        finally:
            connections.close_all()

    threads = [threading.Thread(target=work, args=(ingest,)) for ingest in ingests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ended = [reload(tenant, ingest) for ingest in ingests]
    assert sorted(ingest.status for ingest in ended) == ["failed", "failed", "succeeded", "succeeded"]
    assert counted(tenant, kept_records) == 8


def test_a_quota_limits_its_own_tenant_only(tenant, rival):
    limit(tenant, datasets=0)
    refused(lambda: make_dataset(tenant))
    make_dataset(rival)
    with acting(rival):
        assert not Quota.objects.exists()


def test_a_limit_that_is_nearly_reached_is_told_of_once_for_each_level(tenant):
    limit(tenant, datasets=5)
    for _ in range(5):
        make_dataset(tenant)
    refused(lambda: make_dataset(tenant))
    with acting(tenant):
        rows = list(AuditEvent.objects.filter(type="storage.capacity.warning").order_by("time", "pk"))
    told = [read_body(row) for row in rows]
    assert [(one["metadata"]["level"], one["severity"]) for one in told] == [(80, "warning"), (95, "critical")]
    assert told[0]["metadata"] | {"duration_ms": 0} == {
        "quota": "datasets", "level": 80, "limit": 5, "used": 4, "duration_ms": 0,
    }  # fmt: skip
