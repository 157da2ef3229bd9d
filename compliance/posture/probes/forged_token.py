"""Access tokens: expired, forged, foreign and misdirected ones open nothing."""

from dataclasses import replace
from datetime import timedelta
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from django.utils import timezone

from access.auth.access_tokens import Claims, Surface, sign, verify
from compliance.posture.outcome import Outcome, Untried, judged
from vaultsite.kernel.errors import VaultError


def probe(tenant_id: UUID) -> Outcome:
    key, other = Ed25519PrivateKey.generate(), Ed25519PrivateKey.generate()
    now = timezone.now()
    claims = Claims(
        tenant_id=tenant_id,
        subject=uuid4(),
        credential="token:probe",
        scopes=(),
        surface=Surface.REST,
        id=uuid4(),
        issued_at=now,
    )
    key_id = uuid4()

    def opens(token: str) -> bool:
        try:
            verify(token, tenant_id=tenant_id, key=key.public_key(), surface=Surface.REST, now=now)
        except VaultError:
            return False
        return True

    good = sign(claims, key_id=key_id, key=key)
    if not opens(good):
        raise Untried("a good token was refused")
    tokens = {
        "an expired": sign(replace(claims, issued_at=now - timedelta(days=1)), key_id=key_id, key=key),
        "a forged": sign(claims, key_id=key_id, key=other),
        "another tenant's": sign(replace(claims, tenant_id=uuid4()), key_id=key_id, key=key),
        "another surface's": sign(replace(claims, surface=Surface.GRPC), key_id=key_id, key=key),
        "an unsigned": f"{good.rpartition('.')[0]}.",
    }
    return judged([f"{kind} token was taken" for kind, token in tokens.items() if opens(token)], tokens=len(tokens))
