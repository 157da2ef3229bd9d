"""Revoked key decrypt: what was sealed under a key opens, and no more once the key is destroyed."""

from typing import Final
from uuid import UUID, uuid4

from access.models import EncryptionKey
from access.services.keyring import KeyPurpose, current_key, destroy_keys, key_by_id
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import sandbox
from vaultsite.kernel.crypto.aead import Context, open_sealed, seal
from vaultsite.kernel.errors import KeyDestroyed

_TEXT: Final = b"a probe's own words"


def probe(tenant_id: UUID) -> Outcome:
    place, breaches = uuid4(), list[str]()
    context = Context(tenant_id, place, "probe", place.bytes)
    with sandbox(tenant_id):
        handle = current_key(KeyPurpose.DATASET, place)
        sealed = seal(handle.key, key_id=handle.id, context=context, plaintext=_TEXT)
        if open_sealed(key_by_id(handle.id), context=context, sealed=sealed) != _TEXT:
            raise Untried("what was sealed did not open while its key lived")
        destroy_keys(place)
        if _opens(handle.id, context, sealed):
            breaches.append("what a destroyed key had sealed was opened")
        if EncryptionKey.objects.filter(pk=handle.id).exclude(wrapped=None).exists():
            breaches.append("the wrapped key was kept")
    return judged(breaches, attempts=2)


def _opens(key_id: UUID, context: Context, sealed: bytes) -> bool:
    try:
        return open_sealed(key_by_id(key_id), context=context, sealed=sealed) == _TEXT
    except KeyDestroyed:
        return False
