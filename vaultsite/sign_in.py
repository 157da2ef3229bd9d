"""Signing in with a password, and changing it: the forms, and where they lead."""

from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from django import forms
from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldAdminTextInputWidget

from access.auth.sessions import HALF_KEY, WANTED_KEY
from access.errors import AccessDenied, TooManyAttempts
from access.models import User
from access.services.users import change_own_password
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import tenant_scope


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
    wanted = _without_purpose(request.POST.get(REDIRECT_FIELD_NAME, ""))
    if user.must_change_password:
        wanted = reverse("admin:password_change")
    elif not is_own_address(request, wanted):
        wanted = reverse("admin:index")
    if request.session.get(HALF_KEY):
        request.session[WANTED_KEY] = wanted
        return reverse("admin:second_factor")
    return wanted


def is_own_address(request: HttpRequest, address: str) -> bool:
    """Whether an address that a request named leads to a page of this site."""
    return url_has_allowed_host_and_scheme(address, {request.get_host()}, require_https=request.is_secure())


def _without_purpose(address: str) -> str:
    """The address to go on to after signing in. It may come from a foreign link, which states no purpose."""
    try:
        parts = urlsplit(address)
    except ValueError:
        return ""
    query = [(name, value) for name, value in parse_qsl(parts.query, keep_blank_values=True) if name != "purpose"]
    return urlunsplit(parts._replace(query=urlencode(query)))


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
