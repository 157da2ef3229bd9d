"""What was erased does not come back unseen."""

from datetime import timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent
from audit.models.alert import Alert
from compliance.models import SubjectErasure, SubjectSearch
from compliance.subjects.search import forget_identifiers
from datasets.models import Dataset, IdentifierReturn, SuppressedIdentifier
from datasets.services.lifecycle import delete_dataset, restore_dataset
from datasets.services.rescan.start import start_rescan
from datasets.services.rescan.work import run_rescan
from datasets.services.rollback import roll_back
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.drafts import make_draft, publish, put
from tests.factories.subjects import ADA, EMAIL, erase_person, queue_erasure_of, search_for
from tests.factories.upkeep import again


def returns(tenant):
    with acting(tenant):
        rows = IdentifierReturn.objects.exclude(cause="stays").order_by("seen_at")
        return [(row.dataset_id, row.record_id, row.cause) for row in rows]


@pytest.fixture
def erased(tenant, dataset):
    erasure = erase_person(tenant, search_for(tenant, ADA[:1]))
    assert erasure.status == "succeeded"
    assert returns(tenant) == []
    return erasure


def test_an_upload_that_brings_the_person_back_is_flagged(tenant, dataset, erased):
    other = make_dataset(tenant)
    upload(tenant, other, jsonl([{"id": "new", "text": f"Ask {EMAIL.upper()}."}, {"id": "none", "text": "Nobody."}]))
    assert returns(tenant) == [(other.pk, "new", "ingest")]
    with acting(tenant):
        event = AuditEvent.objects.get(type="data.subject.returned")
        alert = Alert.objects.get(kind="subject.returned")
    assert (event.dataset_id, event.severity) == (other.pk, "warning")
    assert (alert.dataset_id, alert.facts["records"]) == (other.pk, 1)
    assert EMAIL.encode() not in bytes(event.body).lower()


def test_a_record_that_comes_back_under_its_old_id_is_flagged(tenant, dataset, erased):
    upload(tenant, dataset, jsonl([{"id": "mail", "text": f"Ask {EMAIL}."}]), mode="upsert")
    assert returns(tenant) == [(dataset.pk, "mail", "ingest")]


def test_a_draft_that_brings_the_person_back_is_flagged(tenant, dataset, erased):
    draft = make_draft(tenant, dataset)
    put(tenant, draft, [{"id": "staged", "data": {"text": f"Mail {EMAIL} today."}}])
    assert publish(tenant, draft).status == "succeeded"
    assert returns(tenant) == [(dataset.pk, "staged", "publish")]


def test_a_restored_dataset_is_looked_through(tenant, dataset):
    steward = someone(tenant, "data_steward")
    other = make_dataset(tenant, steward)
    upload(tenant, other, jsonl([{"id": "kept", "text": f"Ask {EMAIL}."}]))
    search = search_for(tenant, ADA[:1])
    with acting(tenant):
        Dataset.objects.filter(pk=other.pk).update(legal_hold=True)
    erase_person(tenant, search)
    assert returns(tenant) == []
    with acting(tenant):
        Dataset.objects.filter(pk=other.pk).update(legal_hold=False)
        IdentifierReturn.objects.filter(dataset=other).delete()  # as if it had come from a backup
    with acting(tenant, steward):
        delete_dataset(steward, dataset_id=other.pk)
        restore_dataset(steward, dataset_id=other.pk)
    assert returns(tenant) == [(other.pk, "kept", "restore")]


def test_a_rollback_to_what_brings_the_person_back_is_flagged(tenant, dataset, erased):
    upload(tenant, dataset, jsonl([{"id": "new", "text": f"Ask {EMAIL}."}]), mode="append")
    with acting(tenant):
        IdentifierReturn.objects.all().delete()
    upload(tenant, dataset, jsonl([{"id": "none", "text": "Nobody."}]))
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        roll_back(steward, dataset_id=dataset.pk, branch_name="main", version="v1.1.0")
    assert returns(tenant) == [(dataset.pk, "new", "rollback")]


def test_what_stays_because_it_is_held_is_no_return(tenant, dataset):
    search = search_for(tenant, ADA[:1])
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    erase_person(tenant, search)
    upload(tenant, dataset, jsonl([{"id": "none", "text": "Nobody."}]), mode="append")
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        roll_back(steward, dataset_id=dataset.pk, branch_name="main", version="v1.0.0")
    assert returns(tenant) == []


def test_the_list_says_nothing_of_whom_it_is_about(tenant, dataset, erased):
    with acting(tenant):
        keys = {bytes(key) for key in SuppressedIdentifier.objects.values_list("key", flat=True)}
    assert [len(key) for key in keys] == [32]


def test_identifiers_are_forgotten_after_their_time(tenant, dataset):
    search, fresh = search_for(tenant, ADA[:1]), search_for(tenant, ADA[:1])
    SubjectSearch.objects.using("owner").filter(pk=search.pk).update(forget_at=timezone.now() - timedelta(1))
    assert forget_identifiers() >= 1
    assert again(tenant, search).identifiers is None
    assert again(tenant, fresh).identifiers is not None


def test_identifiers_of_an_erasure_that_is_under_way_are_kept(tenant, dataset):
    search = search_for(tenant, ADA[:1])
    erasure = queue_erasure_of(tenant, search)
    SubjectSearch.objects.using("owner").filter(pk=search.pk).update(forget_at=timezone.now() - timedelta(1))
    forget_identifiers()
    assert again(tenant, search).identifiers is not None
    SubjectErasure.objects.using("owner").filter(pk=erasure.pk).update(status="failed")
    assert forget_identifiers() >= 1
    assert again(tenant, search).identifiers is None


def test_a_rescan_flags_what_nobody_had_flagged(tenant, dataset, erased):
    other = make_dataset(tenant)
    upload(tenant, other, jsonl([{"id": "new", "text": f"Ask {EMAIL}."}]))
    with acting(tenant):
        IdentifierReturn.objects.all().delete()  # as if the list had come later than the record
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        rescan = start_rescan(steward, dataset_id=other.pk)
    run_rescan(tenant.pk, rescan.pk)
    assert returns(tenant) == [(other.pk, "new", "rescan")]
