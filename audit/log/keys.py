"""The keys that sign checkpoints: in one file outside the database, made at first use.

The file has PEM blocks: the private keys that sign (one; two while a rotation is under way), then the public keys that
signed before. It is replaced as a whole, never changed in place.
"""

import errno
import os
import re
import secrets
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from uuid import UUID

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)
from django.conf import settings

from audit.log.errors import SigningKeyUnavailable
from audit.log.note import Verifier, verifier_of

_OTHERS: Final = 0o077
_BLOCK: Final = re.compile(rb"-----BEGIN (PRIVATE|PUBLIC) KEY-----\n[^-]+-----END \1 KEY-----\n?")


@dataclass(frozen=True)
class KeyRing:
    """``signing`` keys sign every checkpoint, the newest last; ``retired`` ones only verify."""

    signing: tuple[Ed25519PrivateKey, ...] = field(repr=False)
    retired: tuple[bytes, ...] = ()

    def verifiers(self, origin: str) -> list[Verifier]:
        """Every key that signs or signed under ``origin``, the newest first."""
        signing = [verifier_of(origin, key) for key in reversed(self.signing)]
        return signing + [Verifier(origin, public) for public in self.retired]

    def with_new_key(self) -> "KeyRing":
        """The ring in which a new key signs beside the present one."""
        return KeyRing((*self.signing, Ed25519PrivateKey.generate()), self.retired)

    def with_newest_only(self) -> "KeyRing":
        """The ring in which the newest key signs alone and all others only verify."""
        *old, newest = self.signing
        return KeyRing((newest,), (*(key.public_key().public_bytes_raw() for key in reversed(old)), *self.retired))


def origin_of(tenant_id: UUID) -> str:
    """The name of a tenant's log, and of the keys that sign it."""
    return f"{settings.VAULT['AUDIT_ORIGIN']}/{tenant_id}"


def key_path() -> Path:
    """The file of the keys."""
    return Path(settings.VAULT["AUDIT_KEY_FILE"])


def load_keys() -> KeyRing:
    """The keys; raises SigningKeyUnavailable when the file is absent, damaged or readable by others."""
    path = key_path()
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_mode & _OTHERS:
                raise SigningKeyUnavailable(f"{path.name} may be read by others")
            ring = _parse(file.read())
    except OSError as fault:
        raise SigningKeyUnavailable(f"{path.name}: {os.strerror(fault.errno or errno.EIO)}") from fault
    if ring is None:
        raise SigningKeyUnavailable(f"{path.name} holds no signing key")
    return ring


def create_keys() -> KeyRing:
    """The keys, made now if there are none; of several processes at once one makes them. Raises as load_keys."""
    if not key_path().exists():
        _write(KeyRing((Ed25519PrivateKey.generate(),)), replace=False)
    return load_keys()


def save_keys(ring: KeyRing) -> None:
    """Put ``ring`` in the place of the present keys. Raises SigningKeyUnavailable."""
    _write(ring, replace=True)


def _parse(content: bytes) -> KeyRing | None:
    """None for a damaged file: told by a value, as a traceback would carry the content."""
    signing: list[Ed25519PrivateKey] = []
    retired: list[bytes] = []
    try:
        for block in _BLOCK.finditer(content):
            if block[1] == b"PRIVATE":
                key = load_pem_private_key(block[0], password=None)
                if not isinstance(key, Ed25519PrivateKey):
                    return None
                signing.append(key)
            else:
                public = load_pem_public_key(block[0])
                if not isinstance(public, Ed25519PublicKey):
                    return None
                retired.append(public.public_bytes_raw())
    except (ValueError, UnsupportedAlgorithm):
        return None
    is_whole = not _BLOCK.sub(b"", content).strip()
    return KeyRing(tuple(signing), tuple(retired)) if signing and is_whole else None


def _pem(ring: KeyRing) -> bytes:
    private: Sequence[bytes] = [
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()) for key in ring.signing
    ]
    public = [
        Ed25519PublicKey.from_public_bytes(raw).public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
        for raw in ring.retired
    ]
    return b"".join([*private, *public])


def _write(ring: KeyRing, *, replace: bool) -> None:
    """Whole and on disk before it has its name; without ``replace``, who loses a race leaves what the winner wrote."""
    path = key_path()
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_pem(ring))
                file.flush()
                os.fsync(descriptor)
            if replace:
                temporary.replace(path)
            else:
                with suppress(FileExistsError):
                    os.link(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        _sync_folder(path.parent)
    except OSError as fault:
        raise SigningKeyUnavailable(f"{path.name}: {os.strerror(fault.errno or errno.EIO)}") from fault


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
