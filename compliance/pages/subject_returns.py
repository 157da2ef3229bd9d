"""Records of erased people that came back, in the browser."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.pages.page import refusal_of, render_page
from access.selectors import people_named
from access.services.authorize import may
from compliance.models import SubjectSearch
from compliance.subjects.returns import MAX_GROUND, dismiss_returns, list_returns, search_again, searches_of
from compliance.subjects.review import erasure_of
from datasets.models import IdentifierReturn, ReturnState, VersionKind
from vaultsite.kernel.errors import InvalidCursor, InvalidInput
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50
#: How a record came back, in words, by what brought it.
_CAUSES: Final = dict(VersionKind.choices) | {"restore": "restored dataset", "rescan": "rescan"}


def subject_returns_page(request: HttpRequest) -> HttpResponse:
    """What came back, how and when; posted, the person is searched for anew, or records are said to stay."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        made: list[str] = []
        refusal = refusal_of(lambda: made.append(_act(request, principal)))
        if refusal is None:
            return HttpResponseRedirect(made[0])
    state = request.GET.get("state", ReturnState.OPEN)
    if state not in {"all", *ReturnState.values}:
        raise InvalidInput
    wanted = "" if state == "all" else state
    found = list_returns(principal, state=wanted, after=_after(request), limit=PAGE_SIZE + 1)
    shown = found[:PAGE_SIZE]
    context = {
        "title": "Returns of erased people",
        "rows": _rows(shown),
        "state": state,
        "states": ReturnState.choices,
        "names": people_named(principal, [one.settled_by for one in shown]),
        "next_query": urlencode({"state": state, "after": shown[-1].pk}) if len(found) > PAGE_SIZE else "",
        "ground": request.POST.get("ground", "") if refusal else "",
        "max_ground": MAX_GROUND,
        "may_search": may(principal, "subject.search"),
        "may_review": may(principal, "subject.review"),
    }
    return render_page(request, "vault/subject_returns.html", context, refusal=refusal)


def _after(request: HttpRequest) -> UUID | None:
    try:
        return UUID(str(request.GET["after"])) if request.GET.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc


def _rows(returns: list[IdentifierReturn]) -> list[dict[str, Any]]:
    searches = searches_of(returns)
    return [
        {
            "one": one,
            "cause": _CAUSES.get(one.cause, one.cause),
            "is_open": one.state == ReturnState.OPEN,
            "is_live": one.dataset.deleted_at is None,
            **_searched(searches.get(one.search) if one.search else None),
        }
        for one in returns
    ]


def _searched(search: SubjectSearch | None) -> dict[str, Any]:
    """How far the search from it is, and whether another may be made."""
    if search is None:
        return {"search": None, "may_search_again": True}
    erasure = erasure_of(search.pk) if search.status == JobStatus.SUCCEEDED else None
    return {
        "search": search,
        "erasure": erasure,
        "may_search_again": search.is_final and (search.status != JobStatus.SUCCEEDED or erasure is not None),
    }


def _act(request: HttpRequest, principal: Principal) -> str:
    """Where to go once it is done."""
    given = request.POST
    if given.get("search"):
        (return_id,) = _ids([given["search"]])
        search = search_again(principal, return_id=return_id)
        messages.success(request, "The search has been queued. Erase the person again from it once it has ended.")
        return reverse("admin:subject_search", args=[search.pk])
    if given.get("do") == "dismiss":
        rows = dismiss_returns(principal, return_ids=_ids(given.getlist("return")), ground=given.get("ground", ""))
        messages.success(request, f"{len(rows)} noted as staying.")
        return reverse("admin:subject_returns")
    raise InvalidInput


def _ids(texts: list[str]) -> list[UUID]:
    try:
        return [UUID(text) for text in texts]
    except ValueError as exc:
        raise InvalidInput from exc


PATHS: Final = (("returns/", subject_returns_page, "subject_returns"),)
