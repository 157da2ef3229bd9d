"""Pages of datasets: the tour, the record browser, rejected lines. Decisions and reading are the services'."""

import io
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

import orjson
from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from access.policy.question import ask
from access.selectors import known_purposes
from access.services.authorize import authorize, decide, may
from access.services.metering import charge
from anonymization.services.anonymize import apply
from datasets.errors import DatasetNotFound, RecordNotFound
from datasets.models import Dataset, Ingest
from datasets.pages.page import empty_page, render_page
from datasets.selectors import get_dataset, get_ingest, head_of, resource_of
from datasets.services.overview import shares
from datasets.services.read import ReadRecord, Release, note_withheld, open_release, read_record, read_records
from datasets.services.rejects import open_rejects
from datasets.shown_record import ShownRecord, show_record
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

PAGE_SIZE: Final = 10
REJECTS_SHOWN: Final = 200
_TAB: Final = "datasets_records"
#: What the tour tells its story with, where the demo data is.
TOUR_DATASET: Final = "support-chats"
TOUR_RECORD: Final = "chat-0001"


@dataclass(frozen=True)
class Part:
    """One column of the tour: what one kind of reader gets of the record. ``note`` stands where there is nothing."""

    title: str
    subtitle: str
    record: ShownRecord | None = None
    note: str = ""
    problem: str = ""
    is_mine: bool = False


def tour(request: HttpRequest) -> HttpResponse:
    """The demo story; where the demo data is not, the first three steps."""
    principal = resolve_principal(request)
    dataset = Dataset.objects.visible_to(principal).filter(name=TOUR_DATASET).first()
    context: dict[str, Any] = {"title": "Tour", "dataset": dataset, "record_id": TOUR_RECORD}
    if dataset is None or head_of(dataset) is None or not may(principal, "record.read"):
        if may(principal, "dataset.list"):
            authorize(principal, "dataset.list", ResourceRef("dataset"))
        return _page(request, "vault/tour_start.html", context)
    if current_scope().purpose is None:
        return _purpose_page(request, dataset, context)
    release = open_release(principal, dataset_id=dataset.pk, version="main")
    try:
        record = read_record(release, TOUR_RECORD)
    except RecordNotFound:
        return _page(request, "vault/tour_start.html", context)
    context |= {
        "release": release,
        "parts": _tour_parts(principal, release, record),
        "by_type": shares(Counter(finding.entity_type for finding in show_record(record).findings)),
        "event": _recorded_event(),
    }
    return _page(request, "vault/tour.html", context)


def _tour_parts(principal: Principal, release: Release, record: ReadRecord) -> list[Part]:
    shown = show_record(record)
    mine = f"You, {principal.name}"
    outsider = Part(
        "A reader of another organization",
        "The same answer as for an id that never was",
        problem=orjson.dumps(DatasetNotFound().as_problem(), option=orjson.OPT_INDENT_2).decode(),
    )
    if release.is_raw:
        masked = apply({"data": record.data, "metadata": record.metadata}, record.findings, operator="mask")
        theirs = show_record(ReadRecord(record.id, masked["data"], masked["metadata"]))
        return [
            Part("As a data steward", f"{mine}: your role reads raw", shown, is_mine=True),
            Part("As a data scientist", "Personal data masked", theirs),
            outsider,
        ]
    how = {"mask": "masked", "redact": "cut out"}.get(release.operator or "", "hidden")
    hidden = "A steward sees the record as it came in. Your role does not, so this page does not show it to you."
    return [
        Part("As a data steward", "The record as it came in", note=hidden),
        Part("As you see it", f"{mine}: personal data {how}", shown, is_mine=True),
        outsider,
    ]


def _recorded_event() -> dict[str, Any] | None:
    """The decision event of this very request, as it will be written when the page is done."""
    recorded = current_scope().events.primary
    if recorded is None:
        return None
    event = recorded.event
    return {
        "type": str(event.type),
        "outcome": event.status,
        "purpose": event.purpose,
        "obligations": ", ".join(event.obligations) or "none",
        "policies": ", ".join(event.policies),
        "request_id": recorded.request.request_id,
    }


def records_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Records of a version in order of id, as this reader may see them; first the purpose, then the data."""
    principal = resolve_principal(request)
    version = request.GET.get("version", "")[:64] or "main"
    asked = _asked_purpose(request, principal, dataset_id)
    if asked is not None:
        return asked
    nothing = empty_page(request, dataset_id, title="Records of", tab=_TAB)
    if nothing is not None:
        return nothing
    release = open_release(principal, dataset_id=dataset_id, version=version, counts_rows=True)
    after = request.GET.get("after", "")[:128] or None
    found = list(read_records(release, after=after, limit=PAGE_SIZE + 1, with_findings=release.is_raw))
    allowed = charge(release.decision, len(found[:PAGE_SIZE]))
    release.note_leaving(record.id for record in found[:allowed])
    records = [show_record(record, is_whole=False) for record in found[:allowed]]
    last = records[-1].id if records and len(found) > allowed else None
    context = (
        _release_context(release)
        | note_withheld(release, shown=len(records), until=last)
        | {
            "title": f"Records of {release.dataset.name}",
            "records": records,
            "after": after,
            "next_after": records[-1].id if len(found) > allowed else None,
            "purposes": known_purposes(),
        }
    )
    return render_page(request, "vault/records.html", context, dataset=release.dataset, tab=_TAB)


def record_page(request: HttpRequest, dataset_id: UUID, record_id: str) -> HttpResponse:
    """One record, whole."""
    principal = resolve_principal(request)
    asked = _asked_purpose(request, principal, dataset_id)
    if asked is not None:
        return asked
    version = request.GET.get("version", "")[:64] or "main"
    release = open_release(principal, dataset_id=dataset_id, version=version, counts_rows=True)
    record = read_record(release, record_id)
    charge(release.decision, 1)
    context = _release_context(release) | {
        "title": record.id,
        "record": show_record(record),
        "json": orjson.dumps(record.as_json(), option=orjson.OPT_INDENT_2).decode(),
    }
    return render_page(request, "vault/record.html", context, dataset=release.dataset, tab=_TAB)


def rejects_page(request: HttpRequest, ingest_id: UUID) -> HttpResponse:
    """The lines an upload rejected, with their numbers and reasons."""
    principal = resolve_principal(request)
    if current_scope().purpose is None and may(principal, "ingest.rejects.read"):
        ingest = get_ingest(principal, ingest_id)
        authorize(principal, "ingest.read", resource_of(ingest.dataset))
        return _purpose_page(request, ingest.dataset)
    frames = open_rejects(principal, ingest_id=ingest_id)
    ingest = Ingest.objects.select_related("dataset").get(pk=ingest_id)
    lines = (line for frame in frames for line in io.BytesIO(frame))
    shown = [orjson.loads(line) for line in islice(lines, REJECTS_SHOWN)]
    context = {
        "title": "Rejected lines",
        "dataset": ingest.dataset,
        "ingest": ingest,
        "rejects": shown,
        "is_cut": ingest.rejected_count > len(shown),
    }
    return _page(request, "vault/rejects.html", context)


def _asked_purpose(request: HttpRequest, principal: Principal, dataset_id: UUID) -> HttpResponse | None:
    """The page that asks what for, where nothing was said yet; None also for who may not read for any purpose.

    Who reads by a grant or a policy alone is offered the purposes that it opens the records for.
    """
    if current_scope().purpose is not None:
        return None
    if may(principal, "record.read"):
        return _purpose_page(request, _decided_dataset(principal, dataset_id))
    resource = resource_of(get_dataset(principal, dataset_id, action="record.read"))
    questions = {code: ask(principal, "record.read", resource, code) for code in known_purposes()}
    opening = [code for code, question in questions.items() if decide(principal, question)[2] is None]
    if not opening:
        return None
    return _purpose_page(request, _decided_dataset(principal, dataset_id), purposes=opening)


def _decided_dataset(principal: Principal, dataset_id: UUID) -> Dataset:
    """The dataset whose name the purpose page shows."""
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    authorize(principal, "dataset.read", resource_of(dataset))
    return dataset


def _release_context(release: Release) -> dict[str, Any]:
    return {
        "dataset": release.dataset,
        "version": release.version,
        "shown_as": release.shown_as,
        "is_raw": release.is_raw,
        "purpose": release.decision.purpose,
    }


def _purpose_page(
    request: HttpRequest,
    dataset: Dataset,
    extra: dict[str, Any] | None = None,
    *,
    purposes: Sequence[str] | None = None,
) -> HttpResponse:
    """``purposes``: those to choose from; None: all, for who may know them."""
    kept = [(name, value) for name, value in request.GET.items() if name != "purpose"]
    if purposes is None:
        purposes = known_purposes() if may(resolve_principal(request), "purpose.read") else []
    context = {"title": f"Why do you read {dataset.name}?", "purposes": purposes, "kept": kept}
    return _page(request, "vault/purpose.html", (extra or {}) | context | {"dataset": dataset})


def _page(request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
    return TemplateResponse(request, template, admin.site.each_context(request) | context)
