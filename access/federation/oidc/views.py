"""Signing in at an OpenID provider, in the browser: there, and back."""

from collections.abc import Mapping
from typing import Any, Final, cast
from urllib.parse import urlsplit

from django.core.exceptions import SuspiciousOperation
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.generic import View
from mozilla_django_oidc.views import OIDCAuthenticationCallbackView, OIDCAuthenticationRequestView

from access.auth.landing import landing
from access.auth.sessions import SessionStore
from access.federation.arrival import enter, record_refusal
from access.federation.attempts import keep_attempt, take_attempt
from access.federation.errors import FederationRefused
from access.federation.oidc.backend import PARTY, Vouched
from access.federation.oidc.party import RelyingParty, describe
from access.federation.oidc.tokens import Asked
from access.federation.ports import Connection
from access.federation.providers import connection_of, named_provider
from access.federation.renewal import confirm_arrival, keep_trial, proving_user_id, require_trier
from access.models import IdentityProvider
from access.models.identity_provider import ProviderKind
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: What a sign-in is for: to come in, to prove anew who one is, to try the provider out.
ENTER: Final = "enter"
CONFIRM: Final = "confirm"
TRY: Final = "try"
_STATES: Final = "oidc_states"


class BeginView(OIDCAuthenticationRequestView):  # type: ignore[misc]
    """Sends the browser to the provider. The parent makes state, nonce and code challenge (RFC 7636, S256)."""

    def __init__(self, **kwargs: Any) -> None:
        View.__init__(self, **kwargs)  # not the parent's: its settings are those of the process

    def get(self, request: HttpRequest, organization: str, provider: str) -> HttpResponse:
        """Raises ProviderNotFound, ProviderUnavailable, AccessDenied (to try), after recording what failed."""
        row = named_provider(organization, provider, kind=ProviderKind.OIDC)
        act = _act(request)
        require_trier(request, row) if act == TRY else _require_active(row)
        self._connection = connection = _connection(row)
        try:
            self._metadata = describe(connection)
        except VaultError as refusal:
            record_refusal(request, row, refusal)
            raise
        self._act, self._redirect_uri = act, redirect_uri(request, connection)
        self.OIDC_OP_AUTH_ENDPOINT = self._metadata.authorization_endpoint
        self.OIDC_RP_CLIENT_ID = str(connection.settings["client_id"])
        given, request.session = request.session, SessionStore()
        response: HttpResponse = super().get(request)
        (state, made), *_ = request.session[_STATES].items()
        wanted = request.session["oidc_login_next"] or ""
        request.session = given
        self._put_query(response)
        facts = {"nonce": made["nonce"], "verifier": made["code_verifier"], "wanted": wanted[:1000], "act": act}
        with _nobody(row):
            keep_attempt(request, response, row, state=state, facts=facts | _for_whom(request, act))
        return response

    def get_settings(self, attr: str, *args: Any) -> Any:
        settings = {
            "OIDC_RP_SCOPES": self._connection.settings["scopes"],
            "OIDC_AUTHENTICATION_CALLBACK_URL": "admin:login",  # replaced in get_extra_params
            "OIDC_USE_PKCE": True,
        }
        return settings.get(attr, args[0] if args else None)

    def get_extra_params(self, request: HttpRequest) -> dict[str, str]:  # noqa: ARG002 - the parent's signature
        asked = asked_of(self._connection, self._act)
        params = {"redirect_uri": self._redirect_uri}
        if asked.max_age is not None:
            params["max_age"] = str(asked.max_age)
        if asked.acr_values:
            params["acr_values"] = " ".join(asked.acr_values)
        if self._act == CONFIRM:
            params["prompt"] = "login"
        return params

    def _put_query(self, response: HttpResponse) -> None:
        """The parent knows endpoints without a query of their own."""
        endpoint = self._metadata.authorization_endpoint
        if urlsplit(endpoint).query:
            response["Location"] = f"{endpoint}&{response['Location'].removeprefix(endpoint)[1:]}"


class CallbackView(OIDCAuthenticationCallbackView):  # type: ignore[misc]
    """Takes the browser back. The parent has the backend turn the code into somebody it vouches for."""

    def get(self, request: HttpRequest, organization: str, provider: str) -> HttpResponse:
        """Raises FederationRefused, NoAccount, ProviderUnavailable, ProviderNotFound, after recording it."""
        self._row = row = named_provider(organization, provider, kind=ProviderKind.OIDC)
        try:
            self._facts = _taken(request, row)
            self._party = party = _party(request, row, self._facts)
            _require_answer(request, party)
        except VaultError as refusal:
            record_refusal(request, row, refusal)
            raise
        self._session, request.session = request.session, SessionStore()
        request.session[_STATES] = {
            request.GET["state"]: {"nonce": self._facts["nonce"], "code_verifier": self._facts["verifier"]}
        }
        setattr(request, PARTY, party)
        try:
            vouched = self._vouched(request)
        except VaultError as refusal:
            record_refusal(request, row, refusal)
            raise
        return self._let_in(request, vouched)

    def _vouched(self, request: HttpRequest) -> Vouched:
        self.user = cast("Vouched | None", None)  # the parent sets it
        try:
            super().get(request)
        except SuspiciousOperation:  # the parent's word for a state that is not there
            raise FederationRefused("It was not begun in this browser", reason="state") from None
        finally:
            request.session = self._session
        if self.user is None:
            raise FederationRefused("The provider vouches for nobody", reason="nobody")
        return self.user

    def login_success(self) -> HttpResponse:
        """The parent signs in here; the vault does once it is done with the provider."""
        return HttpResponse()

    login_failure = login_success

    def _let_in(self, request: HttpRequest, vouched: Vouched) -> HttpResponse:
        act, arrival = self._facts["act"], vouched.arrival
        if act == TRY:
            keep_trial(request, self._row, arrival)
            return HttpResponseRedirect(reverse("admin:identity_provider", args=[self._row.pk]) + "#trial")
        if act == CONFIRM:
            confirm_arrival(request, self._row, arrival, user_id=self._facts["user"])
        else:
            enter(request, self._row, arrival, logout_hint=vouched.id_token)
        return HttpResponseRedirect(landing(request, self._facts["wanted"]))


def redirect_uri(request: HttpRequest, connection: Connection) -> str:
    """Where the provider sends the browser back to: an address of this provider alone (RFC 9700, 4.4.2.1)."""
    return request.build_absolute_uri(reverse("oidc_callback", args=[connection.tenant_slug, connection.slug]))


def asked_of(connection: Connection, act: str, nonce: str = "") -> Asked:
    """What is asked of the provider, and has to be in its answer. A confirmation is proved now, not some time ago."""
    contexts = tuple(str(connection.settings.get("acr_values") or "").split())
    max_age = 0 if act == CONFIRM else connection.settings.get("max_age")
    return Asked(nonce, max_age=max_age, acr_values=contexts)


def _taken(request: HttpRequest, row: IdentityProvider) -> dict[str, str]:
    with _nobody(row):
        facts = take_attempt(request, row, state=request.GET.get("state", ""))
    if facts["act"] != TRY:
        _require_active(row)
    return facts


def _party(request: HttpRequest, row: IdentityProvider, facts: Mapping[str, str]) -> RelyingParty:
    connection = _connection(row)
    asked = asked_of(connection, facts["act"], facts["nonce"])
    return RelyingParty(connection, describe(connection), redirect_uri(request, connection), asked)


def _require_answer(request: HttpRequest, party: RelyingParty) -> None:
    """The answer is this provider's (RFC 9207) and has a code."""
    issuer = request.GET.get("iss")
    if issuer != party.metadata.issuer and (issuer is not None or party.metadata.names_itself):
        raise FederationRefused("Another provider answered", reason="mixed_up")
    if request.GET.get("error") or not request.GET.get("code"):
        raise FederationRefused("The provider gave no code", reason="no_code")


def _require_active(row: IdentityProvider) -> None:
    if not row.is_active:
        raise FederationRefused("This way in is closed", reason="inactive")


def _act(request: HttpRequest) -> str:
    act = request.GET.get("act", ENTER)
    return act if act in {CONFIRM, TRY} else ENTER


def _for_whom(request: HttpRequest, act: str) -> dict[str, str]:
    return {"user": proving_user_id(request)} if act == CONFIRM else {}


def _connection(row: IdentityProvider) -> Connection:
    with _nobody(row):
        return connection_of(row)


def _nobody(row: IdentityProvider) -> Any:
    return tenant_scope(row.organization_id, Principal.nobody(row.organization_id))
