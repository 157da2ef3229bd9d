"""How I sign in: my second factors, my recovery codes, and the browsers I am signed in with."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.models import User
from access.pages.agents import named_browser
from access.pages.page import refusal_of, render_page
from access.services.assurance import needs_second_factor, require_step_up, sign_in_rules
from access.services.browsers import end_other_sessions, end_own_session, own_sessions
from access.services.second_factor import MOST, factors_of, remove_factor, renew_codes, unused_codes
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


def account_page(request: HttpRequest) -> HttpResponse:
    """What the signed-in person can see and change of their own sign-in."""
    principal = resolve_principal(request)
    user = User.objects.get(pk=principal.id)
    refusal = None
    if request.method == "POST":
        act = request.POST.get("act", "")
        if act == "codes":
            return _new_codes(request, principal, user)
        if act not in _ACTS:
            raise Http404
        refusal = refusal_of(lambda: _ACTS[act](request, principal, user))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:account"))
    context = {
        "title": "Your sign-in",
        "factors": factors_of(user.pk),
        "most": MOST,
        "unused_codes": unused_codes(user.pk),
        "is_asked": needs_second_factor(principal.roles),
        "browsers": [(one, named_browser(one.agent)) for one in own_sessions(principal)],
        "present": principal.session_id,
    }
    return render_page(request, "vault/account.html", context, refusal=refusal)


def _new_codes(request: HttpRequest, principal: Principal, user: User) -> HttpResponse:
    """New recovery codes, this once. They are in no redirect, no session and no message."""
    require_step_up(principal, sign_in_rules().step_up)
    context = {"title": "Your recovery codes", "codes": renew_codes(user), "wanted": reverse("admin:account")}
    return render_page(request, "vault/recovery_codes_renewed.html", context)


def _remove(request: HttpRequest, principal: Principal, user: User) -> None:
    require_step_up(principal, sign_in_rules().step_up)
    remove_factor(user, factor_id=_named(request))
    messages.success(request, "It confirms nothing any more.")


def _end(request: HttpRequest, principal: Principal, user: User) -> None:  # noqa: ARG001 - like its fellows
    end_own_session(principal, session_id=_named(request))
    messages.success(request, "That browser is signed out.")


def _end_others(request: HttpRequest, principal: Principal, user: User) -> None:  # noqa: ARG001 - like its fellows
    count = end_other_sessions(principal)
    messages.success(request, f"Signed out of {count} other browser{'' if count == 1 else 's'}.")


def _named(request: HttpRequest) -> UUID:
    try:
        return UUID(request.POST.get("id", ""))
    except ValueError:
        raise Http404 from None


_ACTS: Final[Mapping[str, Callable[[HttpRequest, Principal, User], Any]]] = MappingProxyType(
    {"remove": _remove, "end": _end, "end_others": _end_others}
)
