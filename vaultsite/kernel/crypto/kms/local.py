"""A key management system in a directory: for one machine, development and tests; every key version is kept."""

import errno
import os
import re
import secrets
from base64 import b64decode, b64encode
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import orjson

from vaultsite.kernel.crypto.aead import Context, open_sealed, read_key_id, seal
from vaultsite.kernel.crypto.keys import KEY_BYTES, SecretKey
from vaultsite.kernel.crypto.kms.base import KMS, KMSDescription
from vaultsite.kernel.errors import IntegrityFailure, KeyUnavailable, UnsupportedSealing
from vaultsite.kernel.identifiers import uuid7

_FILE_NAME: Final = re.compile(r"v(\d{6})\.json")
_NOWHERE: Final = UUID(int=0)
_CHECK_LABEL: Final = b"llm-data-vault/local-kms/check/v1\0"
_OTHERS: Final = 0o077
_OTHERS_WRITE: Final = 0o022


@dataclass(frozen=True)
class _KeyVersion:
    number: int
    id: UUID
    key: SecretKey


class LocalKMS(KMS):
    """Key versions as files ``v000001.json`` (0600) in ``directory`` (0700), the highest number wrapping.

    The first version is made with the directory. Files are only ever added, each complete and on disk before it has
    its name, so several processes may start, wrap and rotate at once. Losing the directory loses every key below it:
    back it up apart from the data.
    """

    def __init__(self, directory: str | Path) -> None:
        self._directory = Path(directory)
        self._versions: dict[UUID, _KeyVersion] = {}

    def wrap(self, key: bytes, context: bytes) -> bytes:
        secret = SecretKey(key)
        del key  # a traceback may render the locals of this frame
        current = self._current()
        return seal(current.key, key_id=current.id, context=_bound(context), plaintext=secret.reveal())

    def unwrap(self, wrapped: bytes, context: bytes) -> bytes:
        try:
            version = self._version(read_key_id(wrapped))
        except UnsupportedSealing as unknown:
            raise IntegrityFailure from unknown
        return open_sealed(version.key, context=_bound(context), sealed=wrapped)

    def describe(self) -> KMSDescription:
        current = self._current()
        return KMSDescription("local", key_id=str(current.id), key_version=str(current.number), hardware=False)

    def rotate(self) -> KMSDescription:
        """Add a key version that wraps from now on; what older versions wrapped still unwraps."""
        _add_version(self._directory, above=self._current().number)
        return self.describe()

    def _current(self) -> _KeyVersion:
        if not _numbers(self._directory):
            _make_directory(self._directory)
            _add_version(self._directory, above=0)
        return self._load(max(_numbers(self._directory)))

    def _version(self, key_id: UUID) -> _KeyVersion:
        if key_id not in self._versions:
            for number in _numbers(self._directory):
                self._load(number)
        try:
            return self._versions[key_id]
        except KeyError:
            raise KeyUnavailable(f"The local KMS has no key {key_id}") from None

    def _load(self, number: int) -> _KeyVersion:
        for version in tuple(self._versions.values()):
            if version.number == number:
                return version
        version = _read_version(self._directory, number)
        return self._versions.setdefault(version.id, version)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as fault:
        reason = os.strerror(fault.errno or errno.EIO)
        raise KeyUnavailable(f"The local KMS cannot use {path.name}: {reason}") from fault


def _bound(context: bytes) -> Context:
    return Context(_NOWHERE, _NOWHERE, "local-kms", context)


def _numbers(directory: Path) -> list[int]:
    with _disk(directory):
        if not directory.exists():
            return []
        return [int(match[1]) for path in directory.iterdir() if (match := _FILE_NAME.fullmatch(path.name))]


def _make_directory(directory: Path) -> None:
    with _disk(directory):
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        if directory.stat().st_mode & _OTHERS_WRITE:
            raise KeyUnavailable(f"Others may write in {directory.name}, the directory of the local KMS")
        _sync_directory(directory.parent)


def _add_version(directory: Path, *, above: int) -> None:
    """Write a new random key under the number after ``above``. Who loses a race takes what the winner wrote."""
    key = SecretKey(secrets.token_bytes(KEY_BYTES))
    temporary = directory / f".{secrets.token_hex(8)}.tmp"
    with _disk(directory):
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(_file_content(key))
                file.flush()
                os.fsync(descriptor)
            with suppress(FileExistsError):
                os.link(temporary, directory / f"v{above + 1:06d}.json")
        finally:
            temporary.unlink()
        _sync_directory(directory)


def _file_content(key: SecretKey) -> bytes:
    """``check`` tells a damaged file before it wraps anything that could then never be unwrapped again."""
    key_id = uuid7()
    return orjson.dumps(
        {
            "id": str(key_id),
            "key": b64encode(key.reveal()).decode(),
            "check": _check(key_id, key).hex(),
        }
    )


def _read_version(directory: Path, number: int) -> _KeyVersion:
    path = directory / f"v{number:06d}.json"
    with _disk(path), path.open("rb") as file:
        if os.fstat(file.fileno()).st_mode & _OTHERS:
            raise KeyUnavailable(f"{path.name} of the local KMS may be read by others")
        version = _parse(number, file.read())
    if version is None:
        raise KeyUnavailable(f"{path.name} of the local KMS is damaged")
    return version


def _parse(number: int, content: bytes) -> _KeyVersion | None:
    """The version a file holds, None if it is damaged: told by a value, as a traceback would carry the content."""
    try:
        members = orjson.loads(content)
        key = SecretKey(b64decode(members["key"], validate=True))
        key_id, check = UUID(members["id"]), bytes.fromhex(members["check"])
    except (KeyError, TypeError, ValueError, KeyUnavailable):
        return None
    return _KeyVersion(number, key_id, key) if _check(key_id, key) == check else None


def _check(key_id: UUID, key: SecretKey) -> bytes:
    return key.mac(_CHECK_LABEL + key_id.bytes)


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
