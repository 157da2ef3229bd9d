"""The admin site of the vault: one scope a page, opened inside exception conversion."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial, update_wrapper
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from django.contrib.auth import REDIRECT_FIELD_NAME, SESSION_KEY
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import SimpleTemplateResponse, TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.decorators import method_decorator
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from unfold.sites import UnfoldAdminSite

from access.auth.landing import is_own_address
from access.auth.sessions import PURPOSE_KEY
from access.errors import AccessDenied, AuthenticationError, LoginRefused, TooManyAttempts
from access.factors.errors import SecondFactorRequired, StepUpRequired
from access.federation.departure import way_out
from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.providers import sign_in_choices
from access.models import User
from access.pages.paths import bound as bound_access
from access.pages.proving import completes_sign_in
from access.selectors import current_tenant, is_known_purpose, may
from access.services.sessions import end_session, federated_login, login, start_session
from anonymization.pages.paths import bound
from audit.notifications.own import unread_count
from audit.pages.paths import bound as bound_audit
from compliance.pages.paths import bound as bound_compliance
from datasets.views import tour
from vaultsite.dashboard.pages import bound as bound_home
from vaultsite.dashboard.pages import home_page
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope
from vaultsite.pages import error_page
from vaultsite.search.pages import ACTION as SEARCH
from vaultsite.search.pages import bound as bound_find
from vaultsite.sign_in import LoginForm, PasswordForm, after_login, changed_user

View = Callable[..., HttpResponse]

#: Paths of Django's admin that are not served: they look rows up outside the page that was decided on.
_NOT_SERVED: Final = frozenset({"autocomplete", "view_on_site", "search"})


def opens_own_scope(view: Any) -> Any:
    """Marks a view of the site that may not run inside a scope: signing in and out starts and ends sessions."""
    view.opens_own_scope = True
    return view


class VaultAdminSite(UnfoldAdminSite):  # type: ignore[misc]
    """The browser side of the vault, for people who hold a role in a tenant."""

    site_header = "LLM Data Vault"
    index_title = "Home"

    def get_urls(self) -> list[URLPattern | URLResolver]:
        mine = [path("tour/", self.admin_view(tour), name="tour")]
        mine += [path(f"home/{route}", view, name=name) for route, view, name in bound_home(self.admin_view)]
        mine += [path(f"find/{route}", view, name=name) for route, view, name in bound_find(self.admin_view)]
        mine += [path(f"privacy/{route}", view, name=name) for route, view, name in bound(self.admin_view)]
        mine += [
            path(f"access-control/{route}", view, name=name) for route, view, name in bound_access(self.admin_view)
        ]
        mine += [path(f"oversight/{route}", view, name=name) for route, view, name in bound_audit(self.admin_view)]
        mine += [
            path(f"compliance/{route}", view, name=name) for route, view, name in bound_compliance(self.admin_view)
        ]
        return mine + [url for url in super().get_urls() if getattr(url, "name", None) not in _NOT_SERVED]

    def each_context(self, request: HttpRequest) -> dict[str, Any]:
        """The frame's facts, and whether it holds the box that finds things."""
        principal = getattr(request, "vault_principal", None)
        context: dict[str, Any] = super().each_context(request)
        return context | {
            "may_search": principal is not None and may(principal, SEARCH),
            "unread_notifications": partial(unread_count, principal),
        }

    def admin_view(self, view: View, cacheable: bool = False) -> View:
        """``view`` for who is signed in, in one scope of their tenant, rendered inside it.

        What is raised leaves the scope before it becomes a page, so that nothing but the decision stays.
        """

        def inner(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
            try:
                return self._serve(view, request, *args, **kwargs)
            except StepUpRequired:
                return HttpResponseRedirect(f"{reverse('admin:confirm')}?{urlencode({'next': _way_back(request)})}")
            except SecondFactorRequired:
                return HttpResponseRedirect(reverse("admin:second_factor"))
            except Exception as exc:  # noqa: BLE001 - the edge: everything becomes a page
                return error_page(request, exc)

        served = inner if cacheable else never_cache(inner)
        return update_wrapper(csrf_protect(served), view)

    def _serve(self, view: View, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if getattr(view, "completes_sign_in", False):
            return view(request, *args, **kwargs)
        principal = _signed_in(request)
        if principal is None:
            return redirect_to_login(request.get_full_path(), reverse("admin:login", current_app=self.name))
        own_password = reverse("admin:password_change")
        if isinstance(request.user, User) and request.user.must_change_password and request.path != own_password:
            return HttpResponseRedirect(own_password)
        if getattr(view, "opens_own_scope", False):
            return view(request, *args, **kwargs)
        stated = None if _holds_nul(request) else _stated_purpose(request)
        facts = replace(facts_of(request), purpose=stated or facts_of(request).purpose)
        with tenant_scope(principal.tenant_id, principal, facts) as scope:
            _expect_decision(request, scope)
            if _holds_nul(request):
                raise InvalidInput("The path, the query and the form hold no NUL")
            request.vault_tenant_name = current_tenant().name  # type: ignore[attr-defined]
            try:
                response = view(request, *args, **kwargs)
            except PermissionDenied as denied:  # Django's word for what its admin found the roles do not permit
                raise AccessDenied from denied
            if isinstance(response, SimpleTemplateResponse):
                response.render()
            is_remembered = stated is not None and response.status_code < 400 and is_known_purpose(stated)  # noqa: PLR2004
        if is_remembered:
            request.session[PURPOSE_KEY] = stated
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Home: what waits for the reader, and what happens in the vault."""
        return home_page(request)

    def app_index(self, request: HttpRequest, app_label: str, extra_context: Any = None) -> HttpResponse:
        """One list is enough: the home page."""
        return HttpResponseRedirect(reverse("admin:index"))

    @method_decorator(never_cache)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The page to sign in; no scope is open while it is shown."""
        try:
            return self._login(request, extra_context or {})
        except Exception as exc:  # noqa: BLE001 - the edge: everything becomes a page
            return error_page(request, exc)

    def _login(self, request: HttpRequest, extra_context: dict[str, Any]) -> HttpResponse:
        if request.method != "POST" and request.session.get(SESSION_KEY):
            return HttpResponseRedirect(reverse("admin:index"))
        organization = request.GET.get("org", "")[:63]
        form = LoginForm(request.POST or None, initial={"organization": organization})
        status = 200
        if form.is_valid():
            given = form.cleaned_data
            try:
                user = login(
                    request,
                    tenant_slug=given["organization"],
                    username=given["username"],
                    password=given["password"],
                )
            except (LoginRefused, TooManyAttempts, DirectoryUnavailable) as refusal:
                form.add_error(None, refusal.title)
                status = refusal.status
            else:
                return HttpResponseRedirect(after_login(request, user))
        context = {
            **self.each_context(request),
            "title": "Sign in",
            "form": form,
            "is_signed_out": "signed_out" in request.GET,
            "organization": organization,
            "choices": sign_in_choices(organization) if organization else [],
            REDIRECT_FIELD_NAME: request.GET.get(REDIRECT_FIELD_NAME, ""),
            **extra_context,
        }
        return TemplateResponse(request, "admin/login.html", context, status=status)

    @completes_sign_in
    def logout(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """End the session, not only the cookie."""
        if request.method != "POST":
            return HttpResponseRedirect(reverse("admin:index"))
        begun_with, tenant_id = federated_login(request), request.session.tenant_id  # type: ignore[attr-defined]
        end_session(request)
        elsewhere = way_out(request, begun_with, tenant_id) if begun_with and tenant_id else None
        if elsewhere is not None:
            context = {**self.each_context(request), "elsewhere": elsewhere}
            return TemplateResponse(request, "vault/signed_out.html", context)
        return HttpResponseRedirect(f"{reverse('admin:login')}?signed_out=1")

    @opens_own_scope
    def password_change(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """One's own password. It ends every session of the user; this browser gets a new one."""
        form = PasswordForm(request.POST or None)
        user = changed_user(request, form) if form.is_valid() else None
        if user is not None:
            # A password alone is no fresh proof of who has a second factor.
            shown = resolve_principal(request)
            start_session(request, user, mfa=shown.mfa, proved_at=shown.authenticated_at if shown.mfa else None)
            return HttpResponseRedirect(reverse("admin:index"))
        is_forced = isinstance(request.user, User) and request.user.must_change_password
        context = {
            **self.each_context(request),
            "title": "Change password",
            "form": form,
            "is_forced": is_forced,
            **(extra_context or {}),
        }
        return TemplateResponse(request, "admin/password_change.html", context)


def _signed_in(request: HttpRequest) -> Principal | None:
    """Who is signed in with this browser; API keys do not open pages."""
    if request.session.tenant_id is None:  # type: ignore[attr-defined]
        return None
    try:
        principal = resolve_principal(request)
    except SecondFactorRequired:
        raise
    except AuthenticationError:
        return None
    return principal if principal.credential == "session" else None


def _way_back(request: HttpRequest) -> str:
    """The page to see again after a confirmation: the one asked for, or the one whose form was sent."""
    if request.method in {"GET", "HEAD"}:
        return request.get_full_path()
    referer = request.headers.get("Referer", "")
    return urlsplit(referer).path if is_own_address(request, referer) else reverse("admin:index")


def _stated_purpose(request: HttpRequest) -> str | None:
    """The purpose in the address, unless another site sent the reader there: nobody states a purpose for others."""
    stated = request.GET.get("purpose", "")[:63]
    return stated if stated and _is_own_doing(request) else None


def _is_own_doing(request: HttpRequest) -> bool:
    """Whether a page of ours or the reader's own typing led here (Fetch Metadata, W3C).

    Browsers leave the header out where there is no TLS, and programs everywhere; then the Referer must not be foreign.
    """
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        return site in {"same-origin", "none"}
    referer = request.headers.get("Referer")
    return referer is None or referer.startswith(f"{request.scheme}://{request.get_host()}/")


def _expect_decision(request: HttpRequest, scope: Scope) -> None:
    """Hold the event of a page that fails before any decision was made."""
    is_read = request.method in {"GET", "HEAD", "OPTIONS"}
    event = Event(
        type=EventType.ACCESS_READ if is_read else EventType.ACCESS_WRITE,
        operation="read" if is_read else "write",
        resource=ResourceRef(type="page"),
        purpose=scope.purpose or "",
    )
    scope.events.expect(event, scope.principal, scope.request, scope.tenant_id)


def _holds_nul(request: HttpRequest) -> bool:
    """No text of the database holds a NUL: a path, query or form with one can name nothing."""
    given = (*request.GET.lists(), *request.POST.lists())
    return "\0" in request.path_info or any("\0" in text for name, texts in given for text in (name, *texts))
