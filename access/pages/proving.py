"""What the pages share that complete a sign-in or confirm who sits there: who it is, what is asked, what was sent."""

import base64
import secrets
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Final, TypeVar

from django.conf import settings
from django.contrib import auth
from django.http import HttpRequest

from access.auth.sessions import HALF_KEY
from access.errors import TooManyAttempts
from access.factors import webauthn
from access.factors.errors import FactorRefused, SecurityKeysUnavailable
from access.federation.ldap.errors import DirectoryUnavailable
from access.models import User
from access.services.prove import prove_by_app, prove_by_key, prove_by_password, prove_by_recovery_code
from access.services.second_factor import credentials_of, factors_of, unused_codes
from access.services.sessions import half_signed_in
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope

ViewT = TypeVar("ViewT", bound=Callable[..., Any])

#: What a security key is asked to sign, once; in the session.
_CHALLENGE_KEY: Final = "vault_challenge"
_CHALLENGE_BYTES: Final = 32


def completes_sign_in(view: ViewT) -> ViewT:
    """Marks a view of the site for who is half signed in or has to confirm: it finds out itself who that is."""
    view.completes_sign_in = True  # type: ignore[attr-defined]
    return view


def proving_user(request: HttpRequest) -> User | None:
    """Who has shown a first factor in this browser, half signed in or wholly; None for nobody."""
    tenant_id = request.session.tenant_id  # type: ignore[attr-defined]
    if tenant_id is None:
        return None
    with tenant_scope(tenant_id, Principal.nobody(tenant_id), facts_of(request)):
        half = half_signed_in(request)
        if half is not None:
            return half
        user = auth.get_user(request)
        return user if isinstance(user, User) and user.live_roles() else None


def is_half(request: HttpRequest) -> bool:
    return bool(request.session.get(HALF_KEY))


def scope_of(request: HttpRequest, user: User) -> AbstractContextManager[Scope]:
    """A scope in the name of a user who may do nothing yet."""
    assert user.tenant_id is not None
    somebody = Principal(id=user.pk, kind="user", tenant_id=user.tenant_id, name=user.username, credential="session")
    return tenant_scope(user.tenant_id, somebody, facts_of(request))


def relying_party(request: HttpRequest) -> webauthn.RelyingParty | None:
    """Whom security keys are bound to under the address of this page; None where browsers offer none.

    The configured host name or one below it; without configuration, the host itself outside production. Browsers want
    a name and either TLS or localhost (WebAuthn Level 3, 5.1.2; Secure Contexts).
    """
    host = request.get_host().rpartition(":")[0] or request.get_host()
    party_id = settings.VAULT["WEBAUTHN_RP_ID"] or ("" if settings.VAULT["IS_PRODUCTION"] else host)
    is_named = party_id and (host == party_id or host.endswith(f".{party_id}")) and not _is_address(host)
    is_safe = request.is_secure() or host == "localhost" or host.endswith(".localhost")
    if not (is_named and is_safe):
        return None
    return webauthn.RelyingParty(party_id, f"{request.scheme}://{request.get_host()}")


def new_challenge(request: HttpRequest, act: str) -> bytes:
    """A challenge for ``act`` ("make", "show"), in place of one that was given before."""
    challenge = secrets.token_bytes(_CHALLENGE_BYTES)
    request.session[_CHALLENGE_KEY] = {"act": act, "challenge": base64.b64encode(challenge).decode()}
    return challenge


def take_challenge(request: HttpRequest, act: str) -> bytes:
    """The challenge that was given for ``act``, this once; raises FactorRefused when there is none."""
    given = request.session.pop(_CHALLENGE_KEY, None)
    if not given or given["act"] != act:
        raise FactorRefused
    return base64.b64decode(given["challenge"])


def asked_of(request: HttpRequest, user: User) -> dict[str, Any]:
    """What a page needs to ask ``user`` for a second factor; inside a scope."""
    factors = factors_of(user.pk)
    keys, party = credentials_of(user.pk), relying_party(request)
    is_offered = bool(keys) and party is not None
    options = ""
    if is_offered and party is not None:
        options = webauthn.request_options(party, challenge=new_challenge(request, "show"), known=keys)
    return {
        "factors": factors,
        "has_app": any(factor.kind == "app" for factor in factors),
        "has_key": bool(keys),
        "key_options": options,
        "has_codes": unused_codes(user.pk) > 0,
    }


def refused_proof(request: HttpRequest, user: User) -> VaultError | None:
    """Check what the form sent: None when it proves who sits there, else why not. Open no scope around it."""
    sent = request.POST
    try:
        with scope_of(request, user):
            if sent.get("act") == "key":
                _prove_by_key(request, user)
            elif sent.get("act") == "recovery":
                prove_by_recovery_code(user, sent.get("code", "")[:100])
            elif sent.get("act") == "password" and not factors_of(user.pk):
                prove_by_password(user, sent.get("password", ""))
            else:
                prove_by_app(user, sent.get("code", "")[:100])
    except (FactorRefused, TooManyAttempts, SecurityKeysUnavailable, DirectoryUnavailable) as refusal:
        return refusal
    return None


def required_party(request: HttpRequest) -> webauthn.RelyingParty:
    """The relying party; raises SecurityKeysUnavailable."""
    party = relying_party(request)
    if party is None:
        raise SecurityKeysUnavailable
    return party


def _prove_by_key(request: HttpRequest, user: User) -> None:
    party, challenge = required_party(request), take_challenge(request, "show")
    prove_by_key(user, party=party, challenge=challenge, response=request.POST.get("response", ""))


def _is_address(host: str) -> bool:
    """Whether a host is an IP address, which nothing can be bound to."""
    return host.startswith("[") or host.replace(".", "").isdigit()
