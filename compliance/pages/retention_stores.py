"""One store in the browser: what stands in it, and for how long the organization keeps that."""

from collections.abc import Callable
from typing import Final

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse

from access.pages.page import open_page, refusal_of, render_page
from access.services.authorize import may
from compliance.retention.policies import MAX_DAYS, MAX_GRACE
from compliance.retention.store_terms import (
    KIND,
    StorePreview,
    Terms,
    end_term,
    find_store,
    preview_term,
    set_term,
)
from compliance.retention.stores import notice_days
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


def typed_number(given: QueryDict, name: str) -> int | None:
    """A whole number that was typed; None for nothing. Raises InvalidInput for anything else."""
    typed = given.get(name, "").strip()
    if not typed:
        return None
    if not (typed.isascii() and typed.isdigit() and len(typed) <= len(str(MAX_DAYS))):
        raise InvalidInput(errors=[FieldProblem(f"/{name}", f"a whole number up to {MAX_DAYS}")])
    return min(int(typed), 10 * MAX_DAYS)


def retention_store_page(request: HttpRequest, store: str) -> HttpResponse:
    """A store and its term; who manages retention can try and set another one, or take it back."""
    principal = resolve_principal(request)
    open_page(request, "retention.read", ResourceRef(KIND, store))
    state = find_store(principal, store)
    refusal = None
    shown: list[StorePreview] = []
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, store, shown))
        if refusal is None and not shown:
            return HttpResponseRedirect(reverse("admin:retention"))
    term = state.term
    now = {"days": term.days, "grace_days": term.grace_days, "legal_basis": term.legal_basis} if term else {}
    context = {
        "title": state.title,
        "state": state,
        "given": request.POST.dict() if request.method == "POST" else {"grace_days": 7} | now,
        "preview": shown[0] if shown else None,
        "least": notice_days(state.store) + 1,
        "most": state.usual_days or MAX_DAYS,
        "max_grace": MAX_GRACE,
        "max_days": MAX_DAYS,
        "may_manage": may(principal, "retention.manage"),
    }
    return render_page(request, "vault/retention_store.html", context, refusal=refusal)


def _act(request: HttpRequest, principal: Principal, store: str, shown: list[StorePreview]) -> None:
    wanted = request.POST.get("do")
    if wanted == "preview":
        ahead = typed_number(request.POST, "ahead_days") or 0
        shown.append(preview_term(principal, name=store, terms=_terms(request.POST), ahead_days=ahead))
    elif wanted == "save":
        set_term(principal, name=store, terms=_terms(request.POST))
        messages.success(request, "The policy is in force: what stands gets its new end by the next run.")
    elif wanted == "end":
        end_term(principal, name=store)
        messages.success(request, "The policy is taken back: what was shortened stays so.")
    else:
        raise InvalidInput


def _terms(given: QueryDict) -> Terms:
    days, grace = typed_number(given, "days"), typed_number(given, "grace_days")
    return Terms(days=days or 0, grace_days=grace or 0, legal_basis=given.get("legal_basis", ""))


STORE_PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("retention/stores/<slug:store>/", retention_store_page, "retention_store"),
)
