"""A part of the archive that is lost: who reads the audit goes on, and says what is missing."""

from types import SimpleNamespace
from uuid import uuid4

import pytest
from django.template.loader import render_to_string

from compliance.incidents import scope_work
from compliance.reports.events import COLUMNS, LOST, event_rows
from compliance.reports.kind import Ask
from compliance.subjects import recipients
from compliance.subjects.identifiers import Identifier
from compliance.subjects.receipt import read_receipt
from datasets.services.erasure import work as record_work
from tests.audit.archive.moving import archive, at, happened, next_month, parts_of
from tests.factories.access import acting
from tests.factories.audit import dataset_ref, make_principal
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of
from tests.factories.subjects import EMAIL, ROWS, erase_person, queue_erasure_of, search_for
from tests.factories.upkeep import again
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.scope import tenant_scope


@pytest.fixture
def taken(tenant):
    """A dataset with records, of which exports were downloaded in two months; the first one's part is lost."""
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    download = {"type": EventType.EXPORTED, "operation": "export", "resource": dataset_ref(made.pk)}
    lost, kept = next_month(), next_month()
    happened(tenant.pk, lost, 2, metadata={"export": str(uuid4())}, **download)
    happened(tenant.pk, kept, 2, metadata={"export": "kept"}, **download)
    assert archive(lost).parts == 1
    first, _ = parts_of(tenant.pk)
    BlobStore.default().delete(first.name)
    return SimpleNamespace(dataset=made, lost=lost, kept=kept)


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_a_person_is_erased_and_the_receipt_names_the_month(tenant, taken, monkeypatch) -> None:
    monkeypatch.setattr(record_work, "PLACE_SECONDS", 0.0)
    done = erase_person(tenant, search_for(tenant, [Identifier("EMAIL_ADDRESS", EMAIL)]))
    assert done.status == JobStatus.SUCCEEDED
    with acting(tenant):
        receipt = read_receipt(done)
    assert (receipt["recipients"], receipt["recipients_unknown"]) == (1, [f"{taken.lost:%Y-%m}"])
    assert any("past the audit's retention" in one for one in receipt["not_covered"])
    page = browser_of(tenant, "privacy_officer").get(f"/admin/compliance/subjects/erasures/{done.pk}/")
    assert f"cannot be read: {taken.lost:%Y-%m}" in " ".join(page.text.split())


def test_the_tasks_know_the_downloads_of_the_parts_that_are_left(tenant, taken) -> None:
    erasure = again(tenant, queue_erasure_of(tenant, search_for(tenant, [Identifier("EMAIL_ADDRESS", EMAIL)])))
    for _ in range(2):
        count, unknown = recipients.make_tasks(erasure, [taken.dataset.pk], scope=lambda: acting(tenant))
        assert (count, unknown) == (1, [f"{taken.lost:%Y-%m}"])
    with acting(tenant):
        task = recipients.RecipientTask.objects.get()
    assert (task.exports, task.downloaded_at) == (["kept"], at(taken.kept, 1))


def test_a_report_has_a_row_in_the_place_of_what_is_lost(tenant, taken) -> None:
    ask = Ask(
        tenant_id=tenant.pk,
        asker=make_principal(tenant.pk),
        since=at(taken.lost, 1),
        until=at(taken.kept, 59),
        datasets=frozenset([taken.dataset.pk]),
        users=frozenset(),
        scope=lambda: tenant_scope(tenant.pk, make_principal(tenant.pk)),
    )
    lost, *others = [dict(zip(COLUMNS, row, strict=True)) for row in event_rows(ask, ())]
    assert (lost["time"], lost["event_type"], lost["event_id"]) == (at(taken.lost, 1), LOST, "")
    assert lost["failure_reason"] == f"archive of {taken.lost:%Y-%m}, part 0 cannot be read; it had 2 events"
    assert [one["event_type"] for one in others] == [EventType.EXPORTED] * 2


def test_the_scope_of_an_incident_counts_the_rest_and_names_what_is_lost(tenant, taken) -> None:
    criteria = {"principals": [], "datasets": [], "since": None, "until": at(taken.kept, 59).isoformat()}
    state = {"stage": "archive", "accesses": {}, "files": {}}
    with acting(tenant):
        while state["stage"] == "archive":
            scope_work._read_archive(SimpleNamespace(criteria=criteria), state)
    assert sum(one["events"] for one in state["accesses"].values()) == 2
    assert state["unread"] == [{"month": f"{taken.lost:%Y-%m}", "events": 2}]
    page = render_to_string(
        "vault/incident_scope.html", {"scope": SimpleNamespace(finished_at=None), "unread": state["unread"]}
    )
    assert f"2 events of {taken.lost:%Y-%m} are missing" in " ".join(page.split())
