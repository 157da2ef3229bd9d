"""What a dataset keeps in the object store and in which state, and what was erased from it."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.selectors import people_named
from access.services.authorize import authorize, may
from datasets.formats.ids import is_allowed_id
from datasets.models import Dataset, Erasure, GarbageCollection, Scrub
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.selectors import get_dataset, resource_of
from datasets.services.erasure.receipt import open_receipt
from datasets.services.erasure.request import MAX_RECORDS, request_erasure
from datasets.services.upkeep.jobs import start_collection, start_scrub
from datasets.upkeep_selectors import get_erasure, list_jobs, storage_of
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_JOBS: Final = 10
_PACKS: Final = 50
_ERASURES: Final = 50
_IDS_SHOWN: Final = 200


def storage_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Packs with live and dead bytes, garbage collections, scrubs, quarantined objects; a form starts the jobs."""
    principal = resolve_principal(request)
    if request.method == "POST":
        start = {"collect": start_collection, "scrub": start_scrub}.get(request.POST.get("do", ""))
        if start is None:
            raise InvalidInput
        start(principal, dataset_id=dataset_id)
        return HttpResponseRedirect(reverse("admin:datasets_storage", args=[dataset_id]))
    dataset = open_dataset(request, dataset_id, action="storage.read")
    storage = storage_of(dataset)
    context = {
        "title": f"Storage of {dataset.name}",
        "storage": storage,
        "packs": storage.packs[:_PACKS],
        "collections": list_jobs(GarbageCollection, dataset, after=None, limit=_JOBS),
        "scrubs": list_jobs(Scrub, dataset, after=None, limit=_JOBS),
        "may_manage": may(principal, "storage.manage"),
    }
    return render_page(request, "vault/storage.html", context, dataset=dataset, tab="datasets_storage")


def erasures_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """What was erased; a form posted here asks for another erasure."""
    principal = resolve_principal(request)
    if request.method != "POST":
        return _erasures(request, open_dataset(request, dataset_id, action="erasure.read"))
    refusal = refusal_of(partial(_ask, principal, dataset_id, request))
    if refusal is None:
        return HttpResponseRedirect(reverse("admin:datasets_erasures", args=[dataset_id]))
    return _erasures(request, get_dataset(principal, dataset_id, action="erasure.read"), refusal)


def erasure_page(request: HttpRequest, erasure_id: UUID) -> HttpResponse:
    """One erasure with its receipt."""
    erasure = get_erasure(resolve_principal(request), erasure_id)
    authorize(resolve_principal(request), "erasure.read", resource_of(erasure.dataset))
    receipt = open_receipt(erasure)
    context = {
        "title": f"Erasure from {erasure.dataset.name}",
        "erasure": erasure,
        "people": people_named(resolve_principal(request), [erasure.requested_by]),
        "receipt": receipt,
        "records": receipt["records"][:_IDS_SHOWN] if receipt else [],
        "not_found": receipt["not_found"][:_IDS_SHOWN] if receipt else [],
    }
    return render_page(request, "vault/storage_erasure.html", context, dataset=erasure.dataset, tab="datasets_erasures")


def _erasures(request: HttpRequest, dataset: Dataset, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    erasures = list_jobs(Erasure, dataset, after=None, limit=_ERASURES)
    context: dict[str, Any] = {
        "title": f"Erasures from {dataset.name}",
        "erasures": erasures,
        "people": people_named(principal, [row.requested_by for row in erasures]),
        "refusal": refusal,
        "given": request.POST,
        "max_records": MAX_RECORDS,
        "may_erase": may(principal, "record.erase"),
    }
    page = render_page(request, "vault/storage_erasures.html", context, dataset=dataset, tab="datasets_erasures")
    page.status_code = refusal.status if refusal else 200
    return page


def _ask(principal: Principal, dataset_id: UUID, request: HttpRequest) -> Erasure:
    """Raises InvalidInput for ids that no record can have, or without the confirmation."""
    ids = request.POST.get("record_ids", "").split()
    problems = [FieldProblem("record_ids", f"line {number} is no record id") for number in _malformed(ids)]
    if not 1 <= len(ids) <= MAX_RECORDS:
        problems = [FieldProblem("record_ids", f"give 1 to {MAX_RECORDS:,} ids, one on each line")]
    reason = request.POST.get("reason", "").strip()[:1000]
    if not reason:
        problems.append(FieldProblem("reason", "say why"))
    if request.POST.get("confirmed") != "1":
        problems.append(FieldProblem("confirmed", "confirm that this cannot be undone"))
    if problems:
        raise InvalidInput(errors=problems[:5])
    return request_erasure(principal, dataset_id=dataset_id, record_ids=ids, reason=reason)


def _malformed(ids: list[str]) -> list[int]:
    return [number for number, record_id in enumerate(ids, start=1) if not is_allowed_id(record_id)]
