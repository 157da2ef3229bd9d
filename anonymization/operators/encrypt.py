"""Encrypt: the vault, and nobody else, can turn the result back into the text."""

import base64
import binascii
import re
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from anonymization.errors import NotReversible
from anonymization.operators.base import Keys, Operator, Parameters, Piece, Show, required_key
from vaultsite.kernel.crypto.keys import SecretKey

#: How encrypted text looks wherever it stands.
SEALED: Final = re.compile(r"<enc1:([A-Za-z0-9_-]{64,})>")

_LABEL: Final = b"llm-data-vault/operators/encrypt/v1"
_ID_BYTES: Final = 16
_SALT_BYTES: Final = 16
_TAG_BYTES: Final = 16
_ZERO_NONCE: Final = bytes(12)
_TEXT: Final = b"t"
_NUMBER: Final = b"n"


class Encrypt(Operator):
    """``jane@example.com`` becomes ``<enc1:..>``: key id, salt and AES-256-GCM ciphertext in base64url (RFC 4648).

    Each text has a key of its own, derived from the dataset's and a salt; the salt is an HMAC over record and text
    (as in SIV, RFC 5297), so that exports which resume come out the same and equal texts of two records do not.
    """

    name = "encrypt"
    title = "Encrypt"
    description = "Sealed under a key of the dataset; who may reveal tokens can turn it back."
    is_reversible = True
    needs_key = True
    is_local = False
    rank = 500

    def bind(self, parameters: Parameters, keys: Keys) -> Show:
        del parameters
        key, key_id = required_key(keys.sealing_key), keys.sealing_key_id

        def show(piece: Piece) -> str:
            return sealed_text(key, key_id, piece)

        return show


def sealed_text(key: SecretKey, key_id: bytes, piece: Piece) -> str:
    """``key_id`` has 16 bytes and finds the key again."""
    plain = (_NUMBER if piece.is_number else _TEXT) + piece.text.encode("utf-8", "surrogatepass")
    record = piece.record_id.encode()
    salt = key.mac(_LABEL + b"/salt\0" + len(record).to_bytes(4) + record + plain)[:_SALT_BYTES]
    sealed = AESGCM(_message_key(key, salt).reveal()).encrypt(_ZERO_NONCE, plain, key_id)
    return f"<enc1:{base64.urlsafe_b64encode(key_id + salt + sealed).decode().rstrip('=')}>"


def key_id_of(code: str) -> bytes:
    """The id of the key that opens ``code``, the part that :data:`SEALED` captures. Raises NotReversible."""
    return _decoded(code)[:_ID_BYTES]


def opened_text(key: SecretKey, code: str) -> tuple[str, bool]:
    """The text, and whether it was the whole of a JSON number. Raises NotReversible for what this key never sealed."""
    content = _decoded(code)
    key_id, salt = content[:_ID_BYTES], content[_ID_BYTES : _ID_BYTES + _SALT_BYTES]
    try:
        plain = AESGCM(_message_key(key, salt).reveal()).decrypt(
            _ZERO_NONCE, content[_ID_BYTES + _SALT_BYTES :], key_id
        )
    except InvalidTag:
        raise NotReversible from None
    return plain[1:].decode("utf-8", "surrogatepass"), plain[:1] == _NUMBER


def _message_key(key: SecretKey, salt: bytes) -> SecretKey:
    # One message a key, since the salt depends on all of it: the nonce may stay the same.
    return key.derive(_LABEL + b"/key\0" + salt)


def _decoded(code: str) -> bytes:
    try:
        content = base64.urlsafe_b64decode(code + "=" * (-len(code) % 4))
    except (binascii.Error, ValueError):
        raise NotReversible from None
    if len(content) <= _ID_BYTES + _SALT_BYTES + _TAG_BYTES:
        raise NotReversible
    return content
