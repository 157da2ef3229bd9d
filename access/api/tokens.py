"""REST: access tokens, for a password, a browser session, an API key, or an OAuth client; and the end of them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from access.api.open_view import OpenAPIView
from access.api.token_shapes import (
    SURFACES,
    AccessTokenOutput,
    FormOrJSONParser,
    JwkSetOutput,
    LogoutInput,
    RefreshInput,
    TokenRequestInput,
)
from access.auth.access_tokens import is_access_token
from access.auth.api_keys import REFRESH_PREFIX, Token
from access.auth.certificates import read_header
from access.auth.clients import ClientId, TokenRequest, prove_client
from access.auth.errors import ClientRefused, UnsupportedGrant
from access.auth.holders import certificate_holder, proved_key
from access.auth.proxy import presented_certificate
from access.auth.resolver import stated_credential
from access.errors import AuthenticationError, PasswordChangeRequired
from access.factors.errors import SecondFactorRequired
from access.models import User
from access.selectors import api_key_principal, user_principal
from access.services.prove import prove_by_app
from access.services.sessions import Stage, check_login, end_session, factor_stage
from access.services.tokens import (
    IssuedTokens,
    begin_family,
    end_family,
    end_family_of,
    exchange_refresh_token,
    issue_access_token,
    public_keys,
    rotate_signing_key,
)
from vaultsite.kernel.api.views import VaultAPIView
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_TOKEN_TYPE: Final = "Bearer"  # noqa: S105 - the word of RFC 6750


class TokenView(OpenAPIView):
    """RFC 6749 section 3.2, and three ways of our own to the same tokens."""

    resource_type = "credential"
    parser_classes = [FormOrJSONParser]

    @extend_schema(request=TokenRequestInput, responses=AccessTokenOutput)
    def post(self, request: Request) -> Response:
        """An access token of 15 minutes; for people with a refresh token.

        ``password`` takes ``organization``, ``username``, ``password`` and the ``otp`` of who has a second factor.
        ``session`` asks for the cookie and CSRF token of a browser, ``api_key`` for the header of one;
        ``client_credentials`` for a service account's client id with an API key of it, or its certificate.
        """
        with self.open_scope():
            given = _read(request)
        issue = getattr(self, f"_by_{given['grant_type']}")
        return _answer(issue(request, given))

    def _by_password(self, _: Request, given: dict[str, Any]) -> IssuedTokens:
        user = check_login(
            self.django_request,
            tenant_slug=given["organization"],
            username=given["username"],
            password=given["password"],
        )
        assert user.tenant_id is not None
        nobody = Principal.nobody(user.tenant_id)
        if user.must_change_password:
            with _refusable(self.django_request, user.tenant_id):
                raise PasswordChangeRequired
        with tenant_scope(user.tenant_id, nobody, facts_of(self.django_request)):
            stage, principal = factor_stage(user, mfa=False), user_principal(user)
        with tenant_scope(user.tenant_id, principal, facts_of(self.django_request)):
            return begin_family(
                user,
                method="password",
                mfa=_second_factor(user, stage, given["otp"]),
                authenticated_at=timezone.now(),
                scopes=given["scope"],
                surface=SURFACES[given["audience"]],
            )

    def _by_session(self, _: Request, given: dict[str, Any]) -> IssuedTokens:
        principal = resolve_principal(self.django_request)
        user = self.django_request.user
        if stated_credential(self.django_request) is not None or not isinstance(user, User):
            raise UnsupportedGrant("Ask with the cookie of a browser session")
        self.require_csrf_token()
        with tenant_scope(principal.tenant_id, principal, facts_of(self.django_request)):
            return begin_family(
                user,
                method="session",
                mfa=principal.mfa,
                authenticated_at=principal.authenticated_at or timezone.now(),
                scopes=given["scope"],
                surface=SURFACES[given["audience"]],
            )

    def _by_api_key(self, _: Request, given: dict[str, Any]) -> IssuedTokens:
        stated = stated_credential(self.django_request)
        if stated is None or is_access_token(stated):
            raise UnsupportedGrant("Ask with an API key in the header")
        principal = resolve_principal(self.django_request)
        with tenant_scope(principal.tenant_id, principal, facts_of(self.django_request)):
            return issue_access_token(principal, scopes=given["scope"], surface=SURFACES[given["audience"]])

    def _by_client_credentials(self, request: Request, given: dict[str, Any]) -> IssuedTokens:
        members = [(str(name), str(value)) for name, value in dict(request.data).items()]
        asked = TokenRequest(members, self.django_request.headers.get("Authorization"))
        client = ClientId.parse(asked.client()[0])
        with _refusable(self.django_request, client.tenant_id):
            principal, scopes = prove_client(asked, lambda secret: _client(self.django_request, client, secret))
        with tenant_scope(principal.tenant_id, principal, facts_of(self.django_request)):
            return issue_access_token(principal, scopes=scopes, surface=SURFACES[given["audience"]])


class RefreshView(OpenAPIView):
    resource_type = "credential"
    parser_classes = [FormOrJSONParser]

    @extend_schema(request=RefreshInput, responses=AccessTokenOutput)
    def post(self, request: Request) -> Response:
        """New tokens for a refresh token, which opens nothing again; using it twice ends everything of its family."""
        with self.open_scope():
            body = RefreshInput(data=request.data)
            body.is_valid(raise_exception=True)
            token = Token.parse(body.validated_data["refresh_token"], REFRESH_PREFIX)
        with _refusable(self.django_request, token.tenant_id):
            return _answer(exchange_refresh_token(token, surface=SURFACES[body.validated_data["audience"]]))


class LogoutView(OpenAPIView):
    resource_type = "credential"
    parser_classes = [FormOrJSONParser]

    @extend_schema(request=LogoutInput, responses={204: None})
    def post(self, request: Request) -> Response:
        """End a program's tokens, or the browser session whose cookie was sent."""
        with self.open_scope():
            body = LogoutInput(data=request.data)
            body.is_valid(raise_exception=True)
            stated = body.validated_data.get("refresh_token")
            token = Token.parse(stated, REFRESH_PREFIX) if stated else None
        if token is not None:
            with _refusable(self.django_request, token.tenant_id):
                end_family(token)
            return Response(status=204)
        principal = resolve_principal(self.django_request)
        if principal.credential.partition(":")[0] == "session":
            self.require_csrf_token()
            end_session(self.django_request)
            return Response(status=204)
        with tenant_scope(principal.tenant_id, principal, facts_of(self.django_request)):
            end_family_of(principal)
        return Response(status=204)


class JwksView(OpenAPIView):
    """Public: what verifies the access tokens of one tenant."""

    resource_type = "encryption_key"

    @extend_schema(responses=JwkSetOutput, auth=[{}])  # type: ignore[list-item]  # OpenAPI's word for no credential
    def get(self, _: Request, tenant_id: UUID) -> Response:
        """The JWK set; empty for a tenant that has signed nothing, as for one that does not exist."""
        with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts_of(self.django_request)):
            keys = public_keys()
        response = Response({"keys": keys})
        response["Cache-Control"] = "public, max-age=300"
        return response


class SigningKeyRotationView(VaultAPIView):
    resource_type = "encryption_key"

    @extend_schema(request=None, responses={204: None})
    def post(self, _: Request) -> Response:
        """Sign access tokens with a new key from now on."""
        rotate_signing_key(self.principal)
        return Response(status=204)


def _read(request: Request) -> dict[str, Any]:
    """Raises UnsupportedGrant, InvalidInput."""
    body = TokenRequestInput(data=request.data)
    if not body.is_valid() and "grant_type" in body.errors:
        raise UnsupportedGrant
    body.is_valid(raise_exception=True)
    return dict(body.validated_data)


def _second_factor(user: User, stage: Stage, otp: str) -> bool:
    """Whether the second factor was shown; raises SecondFactorRequired, and what prove_by_app does."""
    if stage is Stage.SIGNED_IN:
        return False
    if not otp or stage is Stage.ADD_FACTOR:
        raise SecondFactorRequired
    prove_by_app(user, otp)
    return True


def _client(request: HttpRequest, client: ClientId, secret: str | None) -> Principal | None:
    """The principal of a client that proves itself by an API key of its own, or by its certificate; else None."""
    try:
        if secret is not None:
            token = Token.parse(secret)
            if token.tenant_id != client.tenant_id:
                raise ClientRefused
            principal = api_key_principal(proved_key(token, address=facts_of(request).ip_address))
        else:
            principal = certificate_holder(read_header(presented_certificate(request) or ""))
    except AuthenticationError:
        return None
    return principal if principal.id == client.account_id else None


@contextmanager
def _refusable(request: HttpRequest, tenant_id: UUID) -> Iterator[None]:
    """A scope of the tenant that a credential names, before anybody has proved anything; a refusal is recorded."""
    nobody, facts = Principal.nobody(tenant_id), facts_of(request)
    with tenant_scope(tenant_id, nobody, facts) as scope:
        event = Event(EventType.CREDENTIAL_REFUSED, "read", ResourceRef("credential"))
        scope.events.expect(event, nobody, facts, tenant_id)
        yield


def _answer(issued: IssuedTokens) -> Response:
    body: dict[str, Any] = {
        "access_token": issued.access_token,
        "token_type": _TOKEN_TYPE,
        "expires_in": issued.expires_in,
        "scope": " ".join(issued.scopes),
    }
    if issued.refresh_token:
        body["refresh_token"] = issued.refresh_token
    response = Response(body)
    response["Cache-Control"] = "no-store"  # RFC 6749 section 5.1
    return response
