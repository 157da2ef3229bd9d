"""Sealing: authenticated, key-committing encryption of a byte string bound to the place it belongs to.

The construction is C2SP chunked-encryption (AES-256-GCM in 16 KiB segments under a key derived for each object) behind
a header naming format, algorithm and key. docs/reference/sealing-format.md gives it byte by byte.
"""

import hmac
import os
import struct
from dataclasses import dataclass
from typing import Final, TypeAlias
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand

from vaultsite.kernel.crypto.keys import KEY_BYTES, SecretKey
from vaultsite.kernel.errors import IntegrityFailure, KeyUnavailable, UnsupportedSealing

MAGIC: Final = b"LDV1"
FORMAT: Final = 1
#: AES-256-GCM with subkeys by HKDF-Expand-SHA-512.
ALGORITHM: Final = 1
LABEL: Final = b"llm-data-vault/sealing/v1\0"

#: Plaintext bytes of every segment but the last, which is always shorter.
SEGMENT_BYTES: Final = 16 * 1024
TAG_BYTES: Final = 16
SALT_BYTES: Final = 24
COMMITMENT_BYTES: Final = 32
NONCE_BYTES: Final = 12

_HEADER: Final = struct.Struct(">4sBB16s")
#: How much of a sealed object ``read_key_id`` needs.
HEADER_BYTES: Final = _HEADER.size
_SALT_END: Final = _HEADER.size + SALT_BYTES
_BODY: Final = _SALT_END + COMMITMENT_BYTES
_SEALED_SEGMENT: Final = SEGMENT_BYTES + TAG_BYTES
_NONCE_END: Final = KEY_BYTES + NONCE_BYTES

#: What is opened may be a slice of a larger buffer, not copied.
Sealed: TypeAlias = bytes | bytearray | memoryview


@dataclass(frozen=True, slots=True)
class Context:
    """The place a sealed object belongs to. It is bound into the keys and never stored beside the data.

    ``scope_id`` is the dataset, or whatever else owns the key; ``kind`` names the sort of object ("chunk");
    ``object_id`` is its identity among those of its kind.
    """

    tenant_id: UUID
    scope_id: UUID
    kind: str
    object_id: bytes

    def encode(self) -> bytes:
        """Each member behind its length as u32be, so that no two contexts have the same bytes."""
        members = (self.tenant_id.bytes, self.scope_id.bytes, self.kind.encode(), self.object_id)
        return b"".join([len(member).to_bytes(4, "big") + member for member in members])


def seal(key: SecretKey, *, key_id: UUID, context: Context, plaintext: bytes) -> bytes:
    """Encrypt ``plaintext`` for ``context``; ``key_id`` is written in the clear so that a reader can find the key.

    The result is ``overhead(len(plaintext))`` bytes longer. One key may seal 2^45 objects (the salt decides).
    """
    return _seal(key, key_id, context, plaintext, os.urandom(SALT_BYTES))


def open_sealed(key: SecretKey, *, context: Context, sealed: Sealed) -> bytes:
    """The whole plaintext, once every segment has been authenticated; never a part of it.

    Raises IntegrityFailure when key, context or any byte differs from what was sealed (the three are not told apart),
    UnsupportedSealing when the header names a format or algorithm this reader does not know.
    """
    segments = _Segments(key, context, sealed)
    return b"".join([segments.open(index) for index in range(segments.count)])


def open_range(key: SecretKey, *, context: Context, sealed: Sealed, start: int, stop: int) -> bytes:
    """Plaintext bytes ``start`` (included) to ``stop`` (excluded), decrypting only the segments that hold them.

    ``sealed`` is the whole sealed object. Its last segment is always authenticated too, so that a cut-off object is
    found out whatever range is asked for. Raises as open_sealed does, and ValueError when the range is not inside the
    plaintext.
    """
    segments = _Segments(key, context, sealed)
    last = segments.open(segments.count - 1)
    if not 0 <= start <= stop <= (segments.count - 1) * SEGMENT_BYTES + len(last):
        raise ValueError("the range is not inside the plaintext")
    if start == stop:
        return b""
    first = start // SEGMENT_BYTES
    wanted = range(first, (stop - 1) // SEGMENT_BYTES + 1)
    plain = b"".join([last if index == segments.count - 1 else segments.open(index) for index in wanted])
    return plain[start - first * SEGMENT_BYTES : stop - first * SEGMENT_BYTES]


def read_key_id(sealed: Sealed) -> UUID:
    """Which key sealed this. The answer is authentic only once the object has been opened with that key.

    Raises IntegrityFailure when there is no whole header, UnsupportedSealing when it is not one of ours.
    """
    if len(sealed) < _HEADER.size:
        raise IntegrityFailure("The sealed object is too short")
    magic, form, algorithm, key_id = _HEADER.unpack_from(sealed)
    if (magic, form, algorithm) != (MAGIC, FORMAT, ALGORITHM):
        raise UnsupportedSealing
    return UUID(bytes=key_id)


def object_key(dek: SecretKey, secret: bytes) -> SecretKey:
    """The key of one chunk-like object: HMAC-SHA-256 of its 32-byte ``secret`` under the dataset's key.

    Forgetting the secret makes every copy of the object unreadable while the dataset's key lives on. Raises
    KeyUnavailable unless the secret has 32 bytes.
    """
    if len(secret) != KEY_BYTES:
        raise KeyUnavailable(f"An object's secret has {KEY_BYTES} bytes")
    return SecretKey(dek.mac(secret))


def overhead(plaintext_length: int) -> int:
    """How many bytes longer than its plaintext a sealed object is."""
    return _BODY + TAG_BYTES * (plaintext_length // SEGMENT_BYTES + 1)


def _seal(key: SecretKey, key_id: UUID, context: Context, plaintext: bytes, salt: bytes) -> bytes:
    """seal() with the salt given, for frozen vectors alone: a salt used twice gives the plaintexts away."""
    header = _HEADER.pack(MAGIC, FORMAT, ALGORITHM, key_id.bytes)
    cipher, base, commitment = _subkeys(key, header + salt, context)
    parts = [header, salt, commitment]
    view = memoryview(plaintext)
    for index in range(len(plaintext) // SEGMENT_BYTES + 1):
        start = index * SEGMENT_BYTES
        parts.append(cipher.encrypt(_nonce(base, index), view[start : start + SEGMENT_BYTES], None))
    return b"".join(parts)


def _subkeys(key: SecretKey, head: bytes, context: Context) -> tuple[AESGCM, int, bytes]:
    """Cipher, base nonce and commitment of one object, from its ``head``: header ‖ salt."""
    header, salt = head[: _HEADER.size], head[_HEADER.size :]
    size = KEY_BYTES + NONCE_BYTES + COMMITMENT_BYTES
    block = HKDFExpand(SHA512(), size, LABEL + salt + header + context.encode()).derive(key.reveal())
    return AESGCM(block[:KEY_BYTES]), int.from_bytes(block[KEY_BYTES:_NONCE_END], "big"), block[_NONCE_END:]


def _nonce(base: int, index: int) -> bytes:
    return (base ^ index).to_bytes(NONCE_BYTES, "big")


class _Segments:
    """The segments of one sealed object whose header and key commitment have been checked."""

    __slots__ = ("_base", "_body", "_cipher", "count")

    def __init__(self, key: SecretKey, context: Context, sealed: Sealed) -> None:
        read_key_id(sealed)
        view = memoryview(sealed)
        self._body = view[_BODY:]
        full, rest = divmod(len(self._body), _SEALED_SEGMENT)
        if rest < TAG_BYTES:
            raise IntegrityFailure("The sealed object is cut off")
        self.count = full + 1
        self._cipher, self._base, commitment = _subkeys(key, bytes(view[:_SALT_END]), context)
        if not hmac.compare_digest(commitment, view[_SALT_END:_BODY]):
            raise IntegrityFailure

    def open(self, index: int) -> bytes:
        start = index * _SEALED_SEGMENT
        segment = self._body[start : start + _SEALED_SEGMENT]
        try:
            return self._cipher.decrypt(_nonce(self._base, index), segment, None)
        except InvalidTag:
            raise IntegrityFailure from None
