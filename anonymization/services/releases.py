"""The release ledger: what is released about the people of a family is held against all that is still out there."""

from collections.abc import Iterable
from datetime import datetime
from uuid import UUID

from access.services.keyring import KeyPurpose, current_key
from anonymization.models import Release
from vaultsite.kernel.crypto.keys import SecretKey


def ledger_key() -> SecretKey:
    """The key under which ``admit`` is told of subjects and values, in the open scope; one a tenant: families merge."""
    return current_key(KeyPurpose.ANALYTICS).key.derive(b"release-ledger")


def subject_key(key: SecretKey, subject: str) -> bytes:
    """How the ledger names a data subject, given ``ledger_key()``: 16 bytes."""
    return key.mac(b"subject\0" + subject.encode())[:16]


def value_key(key: SecretKey, value: str) -> bytes:
    """How the ledger names a sensitive value (of one column), given ``ledger_key()``: 16 bytes."""
    return key.mac(b"value\0" + value.encode())[:16]


def admit(
    *,
    family_id: UUID,
    recipient: UUID,
    k: int,
    l: int = 1,  # noqa: E741 - the letter of l-diversity
    classes: Iterable[tuple[bytes, bytes, bytes]],
    expires_at: datetime | None = None,
    dataset_id: UUID | None = None,
    version: str = "",
    export_id: UUID | None = None,
) -> Release:
    """Enter a release into the ledger, in the open scope, or raise ReleaseWouldIsolate.

    ``classes`` is streamed once: (subject key of at least 16 bytes, class key of any length, key of the sensitive
    value, b"" for none), one tuple a released row; rows that were dropped are left out. The family stays locked until
    the scope ends. ``expires_at``: when the recipient must have deleted the copy; None: never.
    """
    raise NotImplementedError


def withdraw(release: Release, *, reason: str, withdrawn_by: UUID) -> Release:
    """Take a release out of the ledger, in the open scope: somebody attests that every copy was deleted."""
    raise NotImplementedError
