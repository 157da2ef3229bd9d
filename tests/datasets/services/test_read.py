import json

import pytest

from access.errors import AccessDenied, PurposeRequired, UnknownPurpose
from audit.models import AuditEvent
from datasets.errors import DatasetNotFound, NotScanned, RecordNotFound, VersionNotFound
from datasets.errors.upkeep import DataCorruption
from datasets.models import Chunk, FindingsBlob
from datasets.services.read import open_release, read_record, read_records, stream_data
from tests.factories.access import acting, principal_with
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, someone, upload
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import RequestFacts

SECRETS = ("ada@example.com", "4111 1111 1111 1111", "078-05-1120")
RECORD = {
    "id": "r1",
    "messages": [
        {"role": "user", "content": f"I am {SECRETS[0]}, card {SECRETS[1]}"},
        {"role": "assistant", "tool_calls": [{"arguments": json.dumps({"ssn": SECRETS[2]})}]},
    ],
}


def _release(tenant, dataset, role, version="main", **asking):
    reader = someone(tenant, role)
    with acting(tenant, reader):
        return open_release(reader, dataset_id=dataset.pk, version=version, **asking)


@pytest.mark.parametrize("role", ["data_scientist", "ml_engineer", "analyst", "tenant_admin", "service"])
def test_who_may_not_see_personal_data_gets_the_record_without_it(tenant, role):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    shown = json.dumps(read_record(_release(tenant, dataset, role), "r1").as_json())
    assert not [secret for secret in SECRETS if secret in shown]
    assert "I am " in shown


@pytest.mark.parametrize("role", ["auditor", "viewer"])
def test_who_reads_no_records_is_denied(tenant, role):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    with pytest.raises(AccessDenied):
        _release(tenant, dataset, role)


def test_a_foreign_dataset_is_as_unknown_as_one_that_never_was(tenant, rival):
    dataset = make_dataset(tenant)
    for unknown in (dataset.pk, uuid7()):
        spy = someone(rival, "data_steward")
        with pytest.raises(DatasetNotFound) as refusal, acting(rival, spy):
            open_release(spy, dataset_id=unknown, version="main")
        assert (refusal.value.detail, refusal.value.extra) == ("", {})


def test_reading_needs_a_known_purpose(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    nobody_said_why = principal_with(tenant, "data_steward")
    with pytest.raises(PurposeRequired), acting(tenant, nobody_said_why):
        open_release(nobody_said_why, dataset_id=dataset.pk, version="main")
    with pytest.raises(UnknownPurpose):
        _release(tenant, dataset, "data_steward", purpose="curiosity")


def test_a_version_has_many_names(tenant):
    dataset = make_dataset(tenant)
    version = upload(tenant, dataset, jsonl([RECORD])).version
    for name in ("main", "v1.0.0", "1", bytes(version.digest).hex(), str(version.pk)):
        assert _release(tenant, dataset, "data_steward", name).version.pk == version.pk
    for name in ("v9.9.9", "2", "other", "0" * 64, str(uuid7())):
        with pytest.raises(VersionNotFound):
            _release(tenant, dataset, "data_steward", name)


def test_records_come_in_order_of_id_from_any_point(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl({"id": f"k{number:05d}", "n": number} for number in range(2500)))
    release = _release(tenant, dataset, "data_steward")
    page = list(read_records(release, after="k00041", limit=3))
    assert [record.id for record in page] == ["k00042", "k00043", "k00044"]
    assert [record.id for record in read_records(release, after="k00041~", limit=1)] == ["k00042"]
    assert not list(read_records(release, after="k02499"))
    with pytest.raises(RecordNotFound):
        read_record(release, "k1")


def test_without_a_complete_scan_nothing_leaves_under_an_obligation(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    with acting(tenant):
        FindingsBlob.objects.all().delete()
    with pytest.raises(NotScanned):
        list(read_records(_release(tenant, dataset, "data_scientist")))
    assert len(read_all(tenant, dataset)) == 1


def test_a_stream_reports_its_end_as_an_event_of_its_own(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(20)))
    reader = someone(tenant, "data_steward")
    with acting(tenant, reader):
        release = open_release(reader, dataset_id=dataset.pk, version="main")
    body = b"".join(stream_data(release, reader, RequestFacts(request_id="request-1")))
    assert body.count(b"\n") == 20
    with acting(tenant):
        done = AuditEvent.objects.get(type="data.access.completed")
        facts = json.loads(bytes(done.body))["metadata"]
    assert (facts["records_accessed"], facts["bytes_transferred"]) == (20, len(body))


def test_a_chunk_moved_to_another_place_does_not_open(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(2000)))
    with acting(tenant):
        first, second = Chunk.objects.filter(kind="chunk").order_by("offset")[:2]
        places = {
            name: getattr(second, name) for name in ("offset", "length", "secret", "sidecar_offset", "sidecar_length")
        }
        Chunk.objects.filter(pk=first.pk).update(**places)
    with pytest.raises(DataCorruption):
        read_all(tenant, dataset)


def test_a_chunk_without_its_secret_is_gone(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(200)))
    with acting(tenant):
        Chunk.objects.filter(kind="chunk").update(secret=bytes(32))
    with pytest.raises(DataCorruption):
        read_all(tenant, dataset)
