"""Rectification in the browser: a record as it is, what it is to say, a second look, and the version made of it."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.views.decorators.http import require_POST

from access.pages.page import refusal_of, render_page
from access.selectors import people_named
from access.services.authorize import may
from compliance.models import Correction, SubjectRequest
from compliance.models.request import RequestType
from compliance.requests.correction_form import KINDS, MAX_ENTRIES, SAME, Entry, compare, members_of, read_patch
from compliance.requests.corrections import (
    begin_application,
    current_record,
    end_application,
    get_correction,
    preview,
    propose,
    run_application,
    waiting_corrections,
)
from compliance.requests.intake import MANAGE
from compliance.requests.matches import matches_of
from compliance.requests.selectors import get_request
from compliance.requests.states import DONE
from datasets.models import Dataset, Publication
from datasets.services.drafts.patch import merge_patch
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Members that the form takes at first and that it is extended by, and records to choose from.
ROWS: Final = 4
_RECORDS: Final = 200
_LISTED: Final = 100


def new_correction_page(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """The subject's records to choose from; of one its members, what they are to say, and the second look at it."""
    principal = resolve_principal(request)
    if "record" not in request.GET:
        return _choose(request, get_request(principal, request_id, action=MANAGE))
    dataset_id, record_id = _dataset(request.GET.get("dataset", "")), request.GET["record"]
    case, data = current_record(principal, request_id=request_id, dataset_id=dataset_id, record_id=record_id)
    entries, refusal, lines = _entries(request.POST), None, []
    asks_for_more = request.POST.get("do") == "more"
    if request.method == "POST" and not asks_for_more:
        made: list[Any] = []
        refusal = refusal_of(lambda: made.append(_patched(entries, data)))
        if refusal is None and request.POST.get("do") == "propose":
            patches = [{"id": record_id, "data": made[0]}]
            refusal = refusal_of(lambda: made.append(_propose(principal, request_id, dataset_id, patches)))
            if refusal is None:
                messages.success(request, "Proposed. Somebody who may write the dataset applies it.")
                return HttpResponseRedirect(reverse("admin:subject_correction", args=[request_id, made[1].pk]))
        lines = compare(data, merge_patch(data, made[0])) if refusal is None else []
    context = {
        "title": "Correct a record",
        "case": case,
        "dataset_name": Dataset.objects.values_list("name", flat=True).get(pk=dataset_id),
        "record_id": record_id,
        "members": members_of(data),
        "rows": _rows(entries, refusal, more=ROWS if asks_for_more else 0),
        "most": MAX_ENTRIES,
        "kinds": KINDS,
        "lines": lines,
        "here": f"?{urlencode({'dataset': dataset_id, 'record': record_id})}",
    }
    return render_page(request, "vault/subject_correction_new.html", context, refusal=refusal)


def _choose(request: HttpRequest, case: SubjectRequest) -> HttpResponse:
    found = matches_of(case)
    names = dict(Dataset.objects.filter(pk__in=[one.dataset_id for one in found]).values_list("pk", "name"))
    records = [(one.dataset_id, record_id) for one in found for record_id in one.record_ids]
    shown = [
        (names.get(pk, ""), record_id, urlencode({"dataset": pk, "record": record_id}))
        for pk, record_id in records[:_RECORDS]
    ]
    context = {
        "title": "Correct a record",
        "case": case,
        "records": shown if case.type == RequestType.RECTIFICATION else [],
        "more": max(0, len(records) - _RECORDS),
    }
    return render_page(request, "vault/subject_correction_choose.html", context)


def _dataset(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(errors=[FieldProblem("/dataset", "an id")]) from None


def _entries(given: QueryDict) -> list[Entry]:
    paths, kinds, values = given.getlist("path"), given.getlist("kind"), given.getlist("value")
    return [Entry(*one) for one in zip(paths, kinds, values, strict=False)][: MAX_ENTRIES + 1]


def _patched(entries: list[Entry], data: dict[str, Any]) -> dict[str, Any]:
    """Raises InvalidInput, also where nothing would change."""
    patch = read_patch(entries, data)
    if not compare(data, merge_patch(data, patch)):
        raise InvalidInput(errors=[FieldProblem("/value/0", "the record says that already")])
    return patch


def _propose(principal: Principal, request_id: UUID, dataset_id: UUID, patches: list[dict[str, Any]]) -> Correction:
    return propose(principal, request_id=request_id, dataset_id=dataset_id, patches=patches)


def _rows(entries: list[Entry], refusal: VaultError | None, *, more: int) -> list[dict[str, Any]]:
    """What was entered, with what is wrong with it, and room for ``more``."""
    wrong: dict[str, str] = {}
    for problem in refusal.errors if refusal else ():
        wrong.setdefault(problem.field, problem.detail)
    room = min(max(ROWS, len(entries) + more), MAX_ENTRIES)
    kept = [*entries, *[Entry("", SAME, "")] * (room - len(entries))]
    return [
        {
            "entry": entry,
            "problems": [wrong[at] for part in ("path", "kind", "value") if (at := f"/{part}/{number}") in wrong],
        }
        for number, entry in enumerate(kept)
    ]


def correction_page(request: HttpRequest, request_id: UUID, correction_id: UUID) -> HttpResponse:
    """What a correction would change, record by record; once it is applied, what it became."""
    principal = resolve_principal(request)
    correction = get_correction(principal, request_id=request_id, correction_id=correction_id)
    changes = []
    if correction.applied_at is None:
        changes = preview(principal, request_id=request_id, correction_id=correction_id)
    case = get_request(principal, request_id, action="subject_request.preview")
    publication = Publication.objects.select_related("version").filter(pk=correction.publication or UUID(int=0)).first()
    context = {
        "title": "Correction",
        "case": case,
        "correction": correction,
        "publication": publication,
        "changes": [(one, compare(one.before or {}, one.after or {})) for one in changes],
        "names": people_named(principal, [correction.proposed_by, correction.applied_by]),
        "may_apply": may(principal, "subject_request.correct") and case.state not in DONE,
        "may_manage": may(principal, MANAGE),
    }
    return render_page(request, "vault/subject_correction.html", context)


def corrections_page(request: HttpRequest) -> HttpResponse:
    """Corrections that wait for somebody who may write the records."""
    principal = resolve_principal(request)
    found = waiting_corrections(principal, limit=_LISTED)
    names = people_named(principal, [one.proposed_by for one in found])
    context = {"title": "Corrections to apply", "rows": found, "names": names}
    return render_page(request, "vault/subject_corrections.html", context)


@require_POST
def apply_correction_page(request: HttpRequest, request_id: UUID, correction_id: UUID) -> HttpResponse:
    """Make it a new version; it may take a while, so no scope is open meanwhile."""
    principal, facts = resolve_principal(request), facts_of(request)
    with tenant_scope(principal.tenant_id, principal, facts):
        begun = begin_application(principal, request_id=request_id, correction_id=correction_id)
    outcome = run_application(principal, begun, facts)
    with tenant_scope(principal.tenant_id, principal, facts):
        end_application(principal, begun, outcome)
    messages.success(request, "Applied.")
    return HttpResponseRedirect(reverse("admin:subject_correction", args=[request_id, correction_id]))


apply_correction_page.opens_own_scope = True  # type: ignore[attr-defined]

PATHS: Final = (
    ("requests/corrections/", corrections_page, "subject_corrections"),
    ("requests/<uuid:request_id>/corrections/new/", new_correction_page, "subject_correction_new"),
    ("requests/<uuid:request_id>/corrections/<uuid:correction_id>/", correction_page, "subject_correction"),
    (
        "requests/<uuid:request_id>/corrections/<uuid:correction_id>/apply/",
        apply_correction_page,
        "subject_correction_apply",
    ),
)
