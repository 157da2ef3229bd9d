"""Searches for people and their erasure in the browser."""

from datetime import datetime
from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

import orjson
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import refusal_of, render_page
from access.ports import dataset_directory
from access.selectors import people_named
from access.services.authorize import authorize, may
from compliance.api.subjects import file_answer, verifier_source
from compliance.models import (
    LegalBasis,
    MatchState,
    SubjectErasure,
    SubjectMatch,
    SubjectSearch,
    SubjectStore,
)
from compliance.subjects.erase import get_subject_erasure, list_subject_erasures, parts_of, start_subject_erasure
from compliance.subjects.identifiers import KINDS, NAME, OTHER, Identifier
from compliance.subjects.index_search import IndexAnswer, search_index
from compliance.subjects.receipt import open_manifest, open_note, read_receipt
from compliance.subjects.recipients import list_tasks, settle_task
from compliance.subjects.review import decide_matches, erasure_of
from compliance.subjects.search import get_search, list_matches, list_searches, start_subject_search, undecided
from vaultsite.kernel.errors import InvalidCursor, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50
#: Identifiers that the form takes at once.
ROWS: Final = 4
_MOST_USED: Final = ("EMAIL_ADDRESS", "PHONE_NUMBER", NAME, OTHER)
_STORES: Final = dict(SubjectStore.choices)


def subjects_page(request: HttpRequest) -> HttpResponse:
    """The form, what the index says at once, and searches and erasures before."""
    principal = resolve_principal(request)
    searches = list_searches(principal, after=None, limit=PAGE_SIZE)
    answer, refusal = None, None
    if request.method == "POST":
        found: list[Any] = []
        refusal = refusal_of(lambda: found.append(_ask(request, principal)))
        if refusal is None and isinstance(found[0], SubjectSearch):
            messages.success(request, "The search has been queued: the index first, then everything stored.")
            return HttpResponseRedirect(reverse("admin:subject_search", args=[found[0].pk]))
        answer = found[0] if found else None
    context = {
        "title": "Search for a person",
        "searches": searches,
        "erasures": list_subject_erasures(principal, after=None, limit=PAGE_SIZE),
        "names": people_named(principal, [search.requested_by for search in searches]),
        "rows": range(ROWS),
        "kinds": [*_MOST_USED, *(kind for kind in KINDS if kind not in _MOST_USED)],
        "answer": answer,
        "index_rows": _index_rows(answer) if answer else [],
        "may_search": may(principal, "subject.search"),
    }
    return render_page(request, "vault/subjects.html", context, refusal=refusal)


def _ask(request: HttpRequest, principal: Principal) -> SubjectSearch | IndexAnswer:
    given = request.POST
    pairs = zip(given.getlist("type"), given.getlist("value"), strict=False)
    identifiers = [Identifier(kind, value) for kind, value in pairs if value.strip()]
    if given.get("do") == "index":
        return search_index(principal, identifiers)
    if given.get("do") == "sweep":
        return start_subject_search(principal, identifiers=identifiers)
    raise InvalidInput


def _index_rows(answer: IndexAnswer) -> list[dict[str, Any]]:
    return [{"id": pk, "name": answer.names.get(pk, ""), "count": count} for pk, count in answer.datasets.items()]


def subject_search_page(request: HttpRequest, subject_search_id: UUID) -> HttpResponse:
    """One search and its matches with their reasons; posted, matches are decided on or the erasure is started."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        made: list[Any] = []
        refusal = refusal_of(lambda: made.append(_act(request, principal, subject_search_id)))
        if refusal is None:
            return HttpResponseRedirect(made[0])
    search = get_search(principal, subject_search_id)
    state, after = request.GET.get("state", ""), _after(request.GET)
    if state not in {"", *MatchState.values}:
        raise InvalidInput
    found = list_matches(principal, search.pk, state=state, after=after, limit=PAGE_SIZE + 1)
    context = {
        "title": "Search for a person",
        "search": search,
        "state": state,
        "states": MatchState.choices,
        "rows": _match_rows(found[:PAGE_SIZE]),
        "next_query": urlencode({"state": state, "after": found[PAGE_SIZE - 1].pk}) if len(found) > PAGE_SIZE else "",
        "bars": bars_of(search.counts),
        "undecided": undecided(search.pk),
        "erasure": erasure_of(search.pk),
        "bases": LegalBasis.choices,
        "may_review": may(principal, "subject.review") and search.status == JobStatus.SUCCEEDED,
        "may_erase": may(principal, "subject.erase")
        and search.status == JobStatus.SUCCEEDED
        and not search.is_truncated
        and search.case is None,
    }
    return render_page(request, "vault/subject_search.html", context, refusal=refusal)


def _after(given: QueryDict) -> UUID | None:
    try:
        return UUID(str(given["after"])) if given.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc


def _match_rows(matches: list[SubjectMatch]) -> list[dict[str, Any]]:
    known = dataset_directory().describe([match.dataset_id for match in matches if match.dataset_id])
    return [
        {
            "match": match,
            "number": None if match.identifier is None else match.identifier + 1,
            "percent": round(match.score * 100),
            "dataset": known[match.dataset_id].name if match.dataset_id and match.dataset_id in known else "",
            "is_request": match.store == SubjectStore.REQUEST,
            "is_record": match.store == SubjectStore.RECORD and match.dataset_id in known,
        }
        for match in matches
    ]


def bars_of(counts: dict[str, int]) -> list[dict[str, Any]]:
    """Stores with how much is there, the fullest as long as the picture is wide."""
    shown = {store: count for store, count in counts.items() if store in _STORES and count}
    most = max(shown.values(), default=1)
    return [
        {"name": _STORES[store], "count": count, "percent": max(1, round(100 * count / most))}
        for store, count in sorted(shown.items(), key=lambda item: -item[1])
    ]


def _act(request: HttpRequest, principal: Principal, search_id: UUID) -> str:
    """Where to go once it is done."""
    given = request.POST
    here = reverse("admin:subject_search", args=[search_id])
    if given.get("do") in {MatchState.ACCEPTED, MatchState.REJECTED}:
        ids = _ids(given.getlist("match"))
        rows = decide_matches(principal, search_id=search_id, match_ids=ids, decision=MatchState(given["do"]))
        messages.success(request, f"{len(rows)} decided on.")
        return f"{here}?{urlencode({'state': given.get('state', '')})}"
    if given.get("do") == "erase" and given.get("confirmed") == "1" and given.get("basis") in LegalBasis.values:
        erasure = start_subject_erasure(principal, search_id=search_id, legal_basis=LegalBasis(given["basis"]))
        messages.success(request, "The erasure has begun.")
        return reverse("admin:subject_erasure", args=[erasure.pk])
    raise InvalidInput


def _ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts[:1000]]
    except ValueError as exc:
        raise InvalidInput from exc


def subject_erasure_page(request: HttpRequest, subject_erasure_id: UUID) -> HttpResponse:
    """How far an erasure is, store by store; once it has ended its receipt, and whom to tell."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _tell(request, principal, subject_erasure_id))
        if refusal is None:
            messages.success(request, "Noted that the recipient was told.")
            return HttpResponseRedirect(reverse("admin:subject_erasure", args=[subject_erasure_id]))
    erasure = get_subject_erasure(principal, subject_erasure_id)
    tasks = list_tasks(principal, erasure.pk, after=None, limit=PAGE_SIZE)
    parts = parts_of(erasure)
    known = dataset_directory().describe([part.dataset_id for part in parts] + [task.dataset_id for task in tasks])
    datasets = {pk: one.name for pk, one in known.items()}
    receipt = read_receipt(erasure) if erasure.receipt is not None else None
    context = {
        "title": "Erasure of a person",
        "erasure": erasure,
        "receipt": receipt,
        "signed_at": datetime.fromisoformat(receipt["finished_at"]) if receipt else None,
        "bars": bars_of(erasure.counts or erasure.search.counts),
        "steps": _steps(erasure),
        "parts": [(part, datasets.get(part.dataset_id, "")) for part in parts],
        "tasks": [(task, datasets.get(task.dataset_id, "")) for task in tasks],
        "names": people_named(principal, [erasure.requested_by, *(task.recipient for task in tasks)]),
        "may_tell": may(principal, "subject.erase"),
    }
    return render_page(request, "vault/subject_erasure.html", context, refusal=refusal)


#: The steps of an erasure, as its progress names them.
_STEPS: Final = (
    ("queued", "Identifiers suppressed"),
    ("records", "Records cut out of every version"),
    ("look", "Everything read again"),
    ("done", "Receipt signed"),
)


def _steps(erasure: SubjectErasure) -> list[dict[str, Any]]:
    stage = str(erasure.progress.get("stage", "queued"))
    order = [name for name, _ in _STEPS]
    at = order.index(stage) if stage in order else 0
    is_done = erasure.status == JobStatus.SUCCEEDED
    return [
        {"title": title, "state": "done" if is_done or number < at else "now" if number == at else "waits"}
        for number, (_, title) in enumerate(_STEPS)
    ]


def _tell(request: HttpRequest, principal: Principal, erasure_id: UUID) -> None:
    (task_id,) = _ids([request.POST.get("task", "")])
    proof = request.POST.get("proof", "").strip()
    if not proof or len(proof) > 1000:  # noqa: PLR2004 - as the column holds
        raise InvalidInput
    settle_task(principal, erasure_id=erasure_id, task_id=task_id, proof=proof)


def subject_receipt_file(request: HttpRequest, subject_erasure_id: UUID) -> HttpResponse:
    """The signed receipt as a file."""
    note = open_note(get_subject_erasure(resolve_principal(request), subject_erasure_id))
    return file_answer(note, f"erasure-{subject_erasure_id}.receipt", "text/plain; charset=utf-8")


def subject_manifest_file(request: HttpRequest, subject_erasure_id: UUID) -> HttpResponse:
    """The training exclusion manifest as a file."""
    manifest = open_manifest(get_subject_erasure(resolve_principal(request), subject_erasure_id))
    text = orjson.dumps(manifest, option=orjson.OPT_INDENT_2).decode()
    return file_answer(text, f"exclude-{subject_erasure_id}.json", "application/json")


def subject_verifier_file(request: HttpRequest) -> HttpResponse:
    """The script that checks receipts without the vault."""
    authorize(resolve_principal(request), "subject.read", ResourceRef("subject_erasure"))
    return file_answer(verifier_source(), "verify_receipt.py", "text/x-python; charset=utf-8")


PATHS: Final = (
    ("subjects/", subjects_page, "subjects"),
    ("subjects/verifier/", subject_verifier_file, "subject_verifier"),
    ("subjects/searches/<uuid:subject_search_id>/", subject_search_page, "subject_search"),
    ("subjects/erasures/<uuid:subject_erasure_id>/", subject_erasure_page, "subject_erasure"),
    ("subjects/erasures/<uuid:subject_erasure_id>/receipt/", subject_receipt_file, "subject_receipt"),
    ("subjects/erasures/<uuid:subject_erasure_id>/manifest/", subject_manifest_file, "subject_manifest"),
)
