"""One attempt to sign in at a provider: begun in one browser, taken up once in the same one.

Before somebody signs in no session is stored, so the attempt is kept by the browser: a cookie of its own for each,
sealed by the tenant and bound to the provider. That it was taken up is a row.
"""

import base64
import binascii
import hashlib
import json
from collections.abc import Mapping
from datetime import timedelta
from typing import Final, Literal

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from access.federation.errors import FederationRefused
from access.models import IdentityProvider, SpentToken
from access.services.keyring import open_column, seal_column
from vaultsite.kernel.errors import VaultError

#: How long somebody may take at the provider.
LIFETIME: Final = timedelta(minutes=15)
_KIND: Final = "access.sign_in_attempt"
_COOKIE: Final = "vault_sign_in_"
_BIGGEST: Final = 4096


def keep_attempt(
    request: HttpRequest,
    response: HttpResponse,
    provider: IdentityProvider,
    *,
    state: str,
    facts: Mapping[str, str],
    same_site: Literal["Lax", "None"] = "Lax",
) -> None:
    """Give the browser what :func:`take_attempt` asks it for. Inside a scope of the provider's tenant.

    ``state`` (at least 128 random bits) is what the provider sends back: OpenID Connect's ``state``, SAML's
    ``InResponseTo``. ``facts`` stay unread and unchanged. A provider that answers by a form of another site needs
    ``same_site`` None, which browsers keep over TLS alone.
    """
    kept = {"state": state, "until": (timezone.now() + LIFETIME).timestamp(), "facts": dict(facts)}
    sealed = seal_column(_KIND, provider.pk.bytes, json.dumps(kept).encode())
    response.set_cookie(
        _cookie(state),
        base64.urlsafe_b64encode(sealed).decode(),
        max_age=int(LIFETIME.total_seconds()),
        path="/auth/",
        secure=request.is_secure(),
        httponly=True,
        samesite=same_site if request.is_secure() else "Lax",
    )


def take_attempt(request: HttpRequest, provider: IdentityProvider, *, state: str) -> dict[str, str]:
    """The facts kept with ``state`` in this browser for this provider, this once.

    Inside a scope that is left before anything else can fail, so that the state stays spent. Raises FederationRefused.
    """
    cookie = request.COOKIES.get(_cookie(state), "")
    try:
        sealed = base64.b64decode(cookie[:_BIGGEST], altchars=b"-_", validate=True)
        kept = json.loads(open_column(_KIND, provider.pk.bytes, sealed))
    except (VaultError, binascii.Error, ValueError):
        raise FederationRefused("It was not begun in this browser", reason="state") from None
    if kept["state"] != state:
        raise FederationRefused("It was not begun in this browser", reason="state")
    if kept["until"] < timezone.now().timestamp():
        raise FederationRefused("It took too long", reason="late")
    if not spend(provider, state, lifetime=LIFETIME):
        raise FederationRefused("It was answered before", reason="replay")
    facts: dict[str, str] = kept["facts"]
    return facts


def spend(provider: IdentityProvider, token: str, *, lifetime: timedelta) -> bool:
    """Whether this is the first time that the provider says ``token`` (a state, ``jti`` or assertion id).

    ``lifetime`` is how long it could be said again: after that it has expired by itself. Inside a scope.
    """
    token_hash = hashlib.sha256(token.encode(errors="surrogatepass")).digest()
    try:
        with transaction.atomic():
            SpentToken.objects.create(
                provider=provider, token_hash=token_hash, expires_at=timezone.now() + lifetime + timedelta(minutes=5)
            )
    except IntegrityError:
        return False
    return True


def _cookie(state: str) -> str:
    """A name for each attempt, so that two tabs do not take each other's."""
    return _COOKIE + hashlib.sha256(state.encode(errors="surrogatepass")).hexdigest()[:16]
