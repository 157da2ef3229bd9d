"""The operator's key of a repository: one line in a file that is kept apart from the vault and from the backups."""

import os
import secrets
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

from compliance.errors.backup import BackupKeyUnusable
from vaultsite.kernel.crypto.keys import KEY_BYTES, SecretKey
from vaultsite.kernel.errors import KeyUnavailable
from vaultsite.kernel.identifiers import uuid7

_WORD: Final = "vault-backup-key-1"
_PARTS: Final = 3
_OTHERS: Final = 0o077


@dataclass(frozen=True)
class BackupKey:
    """The key that seals a repository, and the id that its files name."""

    id: UUID
    key: SecretKey


def make_key(path: Path) -> BackupKey:
    """Write a new key to ``path`` (0600), which must not exist. Raises BackupKeyUnusable."""
    line = f"{_WORD} {uuid7()} {b64encode(secrets.token_bytes(KEY_BYTES)).decode()}\n"
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as fault:
        raise BackupKeyUnusable(f"{path.name}: {os.strerror(fault.errno or 0)}") from fault
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(line)
        file.flush()
        os.fsync(descriptor)
    return read_key(path)


def read_key(path: Path) -> BackupKey:
    """The key in ``path``. Raises BackupKeyUnusable when there is none or others than its owner may read it."""
    try:
        mode, text = path.stat().st_mode, path.read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        raise BackupKeyUnusable(f"{path.name} cannot be read as a backup key") from None
    if mode & _OTHERS:
        raise BackupKeyUnusable(f"others may read {path.name}: take their rights away (chmod 600)")
    parts = text.split()
    if len(parts) != _PARTS or parts[0] != _WORD:
        raise BackupKeyUnusable(f"{path.name} is not a backup key")
    try:
        return BackupKey(UUID(parts[1]), SecretKey(b64decode(parts[2], validate=True)))
    except (ValueError, NotBase64, KeyUnavailable):
        raise BackupKeyUnusable(f"{path.name} is not a backup key") from None
