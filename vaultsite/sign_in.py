"""Signing in with a password, and changing it: the forms, and where they lead."""

from collections.abc import Callable
from functools import update_wrapper
from typing import Any, Final

from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path, reverse
from django.views.decorators.cache import never_cache
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from access.auth.landing import landing
from access.errors import AccessDenied, TooManyAttempts
from access.federation.paths import PATHS
from access.limits.gate import admit_sign_in, admit_unknown, levels_of
from access.limits.headers import add_headers
from access.models import User
from access.services.users import change_own_password
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.pages import error_page


class LoginForm(forms.Form):
    """Who signs in, and where."""

    organization = forms.CharField(max_length=63, widget=UnfoldAdminTextInputWidget({"autocomplete": "organization"}))
    username = forms.CharField(
        label="User name", max_length=150, widget=UnfoldAdminTextInputWidget({"autocomplete": "username"})
    )
    password = forms.CharField(
        strip=False, max_length=1024, widget=UnfoldAdminPasswordWidget({"autocomplete": "current-password"})
    )


class PasswordForm(forms.Form):
    """The present password once, the new one twice."""

    current = forms.CharField(
        label="Current password",
        strip=False,
        widget=UnfoldAdminPasswordWidget({"autocomplete": "current-password"}),
    )
    password = forms.CharField(
        label="New password",
        strip=False,
        help_text="At least 12 characters; not a common password or pattern, not your name.",
        widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"}),
    )
    again = forms.CharField(
        label="New password again", strip=False, widget=UnfoldAdminPasswordWidget({"autocomplete": "new-password"})
    )

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        if cleaned.get("password") != cleaned.get("again"):
            self.add_error("again", "The two do not match.")
        return cleaned


def after_login(request: HttpRequest, user: User) -> str:
    """The address to go on to once the password held; it comes after the second factor, where one is asked for."""
    is_forced = user.must_change_password
    wanted = reverse("admin:password_change") if is_forced else request.POST.get(REDIRECT_FIELD_NAME, "")
    return landing(request, wanted)


#: Called by a provider's server, for everybody who signs out there at once, and not again when it is refused: it counts
#: against what an address may do in all, so that no session stays open for want of a quota.
_BY_SERVERS: Final = frozenset({"oidc_logout"})


def federated_patterns() -> list[URLPattern]:
    """The paths of identity providers. No scope is open in their views, and whatever they raise becomes a page."""
    return [
        path(route, _as_page(view, admit_unknown if name in _BY_SERVERS else admit_sign_in), name=name)
        for route, view, name in PATHS
    ]


def _as_page(view: Callable[..., HttpResponse], admit: Callable[[HttpRequest], None]) -> Callable[..., HttpResponse]:
    def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        try:
            admit(request)  # before anything is parsed: nobody is known yet
            response = view(request, *args, **kwargs)
        except Exception as exc:  # noqa: BLE001 - the edge: everything becomes a page
            response = error_page(request, exc)
        add_headers(response, levels_of(request))
        return response

    return update_wrapper(never_cache(inner), view)


def changed_user(request: HttpRequest, form: PasswordForm) -> User | None:
    """The user with the new password, or None with the reasons on the form."""
    principal = resolve_principal(request)
    given = form.cleaned_data
    try:
        with tenant_scope(principal.tenant_id, principal, facts_of(request)):
            return change_own_password(principal, current=given["current"], password=given["password"])
    except AccessDenied:
        form.add_error("current", "This is not your password.")
    except TooManyAttempts as locked:
        form.add_error(None, locked.title)
    except VaultError as refusal:
        for problem in refusal.errors:
            form.add_error(problem.field if problem.field in form.fields else None, problem.detail)
        if not refusal.errors:
            raise
    return None
