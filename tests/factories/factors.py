"""Second factors and the proofs they give."""

import base64
import re
import time
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.test import Client
from django.utils import timezone
from django_otp.oath import TOTP

from access.auth.sessions import AUTHENTICATED_KEY, SessionStore
from access.factors import totp
from access.models import SignInPolicy, Tenant, TotpDevice, User
from access.services.second_factor import add_app
from tests.factories.access import acting


def code_for(seed: bytes, *, ahead: int = 0) -> str:
    """What an app shows now, or so many steps ahead of now."""
    app = TOTP(seed, drift=ahead)
    app.time = time.time()
    return f"{app.token():06d}"


def enrol_app(tenant: Tenant, user: User, *, codes: list[str] | None = None) -> bytes:
    """An authenticator app of the user, none of whose codes was used yet; fills ``codes``. Returns its seed."""
    seed = totp.new_seed()
    with acting(tenant):
        made = add_app(user, seed=seed, code=code_for(seed), name="Phone")
        TotpDevice.objects.filter(user=user).update(last_step=0)
    if codes is not None:
        codes.extend(made)
    return seed


def seed_of(page: str) -> bytes:
    """The seed that a page to add an app shows."""
    spelled = re.search(r'<code class="v-break">([A-Z2-7]+)</code>', page)[1]
    return base64.b32decode(spelled + "=" * (-len(spelled) % 8))


def ask_for_second_factor(tenant: Tenant, *roles: str, **rules: Any) -> None:
    SignInPolicy.objects.using("owner").filter(tenant=tenant).update(mfa_roles=list(roles), **rules)


def old_proof(client: Client, by: timedelta = timedelta(minutes=16)) -> None:
    """The browser's user proved who they are so long ago."""
    store = SessionStore(client.cookies[settings.SESSION_COOKIE_NAME].value)
    store[AUTHENTICATED_KEY] = (timezone.now() - by).isoformat()
    store.save()
