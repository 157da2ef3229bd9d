"""Envelopes: keys wrapped by keys, and the topmost ones by a key management system that is not believed blindly."""

import hmac
import os
from typing import Final
from uuid import UUID

from vaultsite.kernel.crypto.aead import Context, open_sealed, read_key_id, seal
from vaultsite.kernel.crypto.keys import KEY_BYTES, SecretKey
from vaultsite.kernel.crypto.kms.base import KMS
from vaultsite.kernel.errors import IntegrityFailure

_COMMITMENT_LABEL: Final = b"llm-data-vault/kms-commitment/v1\0"
_KEY_ID_BYTES: Final = 16
_COMMITMENT_END: Final = _KEY_ID_BYTES + 32


def generate_key() -> SecretKey:
    """A new random key."""
    return SecretKey(os.urandom(KEY_BYTES))


def wrap_key(wrapping: SecretKey, *, wrapping_key_id: UUID, context: Context, key: SecretKey) -> bytes:
    """``key`` sealed under another key (a DEK under its KEK) for the place ``context`` names."""
    return seal(wrapping, key_id=wrapping_key_id, context=context, plaintext=key.reveal())


def unwrap_key(wrapping: SecretKey, *, wrapping_key_id: UUID, context: Context, wrapped: bytes) -> SecretKey:
    """The key given to wrap_key.

    Raises IntegrityFailure when it was wrapped by another key, for another place, or changed; KeyUnavailable when it
    has not 32 bytes.
    """
    if read_key_id(wrapped) != wrapping_key_id:
        raise IntegrityFailure("The key was wrapped by another key")
    return SecretKey(open_sealed(wrapping, context=context, sealed=wrapped))


def wrap_with_kms(kms: KMS, *, key_id: UUID, context: Context, key: SecretKey) -> bytes:
    """``key`` wrapped by the KMS, behind its id and a commitment to it: key id(16) ‖ commitment(32) ‖ KMS bytes.

    The binding to tenant, place and id is ours and holds whatever the provider does with its context. Raises
    KeyUnavailable.
    """
    bound = key_id.bytes + context.encode()
    return key_id.bytes + _commitment(key, bound) + kms.wrap(key.reveal(), bound)


def unwrap_with_kms(kms: KMS, *, key_id: UUID, context: Context, wrapped: bytes) -> SecretKey:
    """The key given to wrap_with_kms.

    Raises IntegrityFailure when the KMS returns another key than the one committed to, or the bytes belong to another
    key id or place; KeyUnavailable when it returns none, or not 32 bytes.
    """
    if len(wrapped) <= _COMMITMENT_END or wrapped[:_KEY_ID_BYTES] != key_id.bytes:
        raise IntegrityFailure("The wrapped key is not the one asked for")
    bound = key_id.bytes + context.encode()
    key = SecretKey(kms.unwrap(wrapped[_COMMITMENT_END:], bound))
    if not hmac.compare_digest(_commitment(key, bound), wrapped[_KEY_ID_BYTES:_COMMITMENT_END]):
        raise IntegrityFailure("The KMS returned another key")
    return key


def _commitment(key: SecretKey, bound: bytes) -> bytes:
    return key.mac(_COMMITMENT_LABEL + bound)
