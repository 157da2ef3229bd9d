"""The token vault on screen: what there is and who uses it, in counters; never a token or a value."""

from collections.abc import Callable, Sequence
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.selectors import people_named
from access.services.authorize import may
from anonymization.models import TokenResealing
from anonymization.pages.page import refusal_of, render_page
from anonymization.services.token_vault.overview import SpaceView, list_spaces
from anonymization.services.token_vault.upkeep import allow_frequent, expire_space, rotate_space
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal

#: Scopes of one page.
_PAGE = 25
_JOBS_SHOWN = 10
_LONGEST_REASON = 1000


def tokens_page(request: HttpRequest) -> HttpResponse:
    """GET shows, POST does one of the things in ``_ACTIONS``, once it is confirmed."""
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:privacy_tokens"))
    return _show(request, refusal)


def _show(request: HttpRequest, refusal: VaultError | None) -> HttpResponse:
    principal = resolve_principal(request)
    found = list_spaces(principal, after=_uuid_or_none(request.GET.get("after", "")), limit=_PAGE + 1)
    spaces = found[:_PAGE]
    context = {
        "title": "Token vault",
        "spaces": spaces,
        "people": people_named(principal, _acted(spaces)),
        "jobs": TokenResealing.objects.order_by("-created_at")[:_JOBS_SHOWN],
        "next_after": spaces[-1].space.pk if len(found) > _PAGE else None,
        "may_manage": may(principal, "token.manage"),
        "may_allow": may(principal, "anonymization.manage"),
    }
    return render_page(request, "vault/tokens.html", context, refusal=refusal)


def _acted(spaces: Sequence[SpaceView]) -> list[UUID | None]:
    """Everybody whom the page names."""
    revealed = [one.principal_id for view in spaces for one in view.revealers]
    return [*revealed, *(view.space.frequent_by for view in spaces)]


def _act(request: HttpRequest) -> None:
    act = _ACTIONS.get(request.POST.get("act", ""))
    if act is None:
        raise InvalidInput(errors=[FieldProblem("act", "is not one of those offered")])
    space_id = _uuid_or_none(request.POST.get("space", ""))
    if space_id is None:
        raise InvalidInput(errors=[FieldProblem("space", "is no id")])
    messages.success(request, act(request, space_id))


def _rotate(request: HttpRequest, space_id: UUID) -> str:
    _require_confirmation(request)
    rotate_space(resolve_principal(request), space_id=space_id)
    return "New tokens come from new keys; the old ones still open."


def _expire(request: HttpRequest, space_id: UUID) -> str:
    _require_confirmation(request)
    expire_space(resolve_principal(request), space_id=space_id)
    return "Every token of the scope has expired."


def _allow(request: HttpRequest, space_id: UUID) -> str:
    reason = request.POST.get("reason", "").strip()
    if not 1 <= len(reason) <= _LONGEST_REASON:
        raise InvalidInput(errors=[FieldProblem("reason", f"1 to {_LONGEST_REASON} characters")])
    allow_frequent(resolve_principal(request), space_id=space_id, reason=reason)
    return "Frequent values are tokenized in this scope, for the reason recorded."


def _refuse(request: HttpRequest, space_id: UUID) -> str:
    allow_frequent(resolve_principal(request), space_id=space_id, reason="")
    return "Frequent values are refused again."


def _require_confirmation(request: HttpRequest) -> None:
    if request.POST.get("confirmed") != "yes":
        raise InvalidInput(errors=[FieldProblem("confirmed", "confirm that this cannot be undone")])


def _uuid_or_none(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None


_ACTIONS: dict[str, Callable[[HttpRequest, UUID], str]] = {
    "rotate": _rotate,
    "expire": _expire,
    "allow": _allow,
    "refuse": _refuse,
}
