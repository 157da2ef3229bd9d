"""Signed notes (C2SP signed-note) and checkpoints (C2SP tlog-checkpoint), with Ed25519; no Django.

A note is text that ends with a line feed, an empty line, and one line a signature:
``— <key name> <base64 of the key's id and the signature>``. The text of a checkpoint is three lines: origin, size as a
decimal number, root in base64.
"""

import binascii
from base64 import b64decode, b64encode
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from audit.log.tree import HASH_BYTES

#: The signature type of Ed25519 in key ids and verifier keys.
_ED25519: Final = b"\x01"
_KEY_ID_BYTES: Final = 4
_DASH: Final = "\N{EM DASH}"
_CHECKPOINT_LINES: Final = 3
#: Digits of the biggest size.
_LONGEST_SIZE: Final = 18


class InvalidNote(ValueError):
    """Not a note, not a checkpoint, or not signed as it should be. The message holds no content."""


class UnknownSigner(InvalidNote):
    """A signed note, of keys that are not ours."""


@dataclass(frozen=True)
class Verifier:
    """A public key under the name it signs with; its text form is C2SP's ``<name>+<key id>+<key>``."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The first 4 bytes of SHA-256(name || 0x0A || 0x01 || public key)."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_KEY_ID_BYTES]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(_ED25519 + self.public).decode()}"

    @classmethod
    def parse(cls, text: str) -> "Verifier":
        """Raises InvalidNote for what is not the verifier key of an Ed25519 key."""
        name, key_id, encoded = [*text.split("+", 2), "", ""][:3]
        material = _decode(encoded)
        verifier = cls(name, material[1:])
        if material[:1] != _ED25519 or len(material) != 1 + 32 or verifier.key_id.hex() != key_id:
            raise InvalidNote("not a verifier key of Ed25519")
        return verifier

    def accepts(self, text: str, signature: bytes) -> bool:
        """Whether ``signature`` is this key's, of ``text``."""
        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, text.encode())
        except (InvalidSignature, ValueError):
            return False
        return True


@dataclass(frozen=True)
class CheckpointText:
    """What a checkpoint states: the tree of the first ``size`` leaves of the log ``origin`` has this ``root``."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        return f"{self.origin}\n{self.size}\n{b64encode(self.root).decode()}\n"

    @classmethod
    def parse(cls, text: str) -> "CheckpointText":
        """Raises InvalidNote. Lines after the third are extensions, and are passed over."""
        lines = text.split("\n")
        if len(lines) <= _CHECKPOINT_LINES or lines[-1] or not all(lines[:-1]):
            raise InvalidNote("not a checkpoint")
        origin, size, root = lines[:_CHECKPOINT_LINES]
        if (
            not (size.isascii() and size.isdecimal())
            or len(size) > _LONGEST_SIZE
            or size != str(int(size))
            or len(_decode(root)) != HASH_BYTES
        ):
            raise InvalidNote("not a checkpoint")
        return cls(origin, int(size), _decode(root))


def verifier_of(name: str, key: Ed25519PrivateKey) -> Verifier:
    """The public half of a key under ``name``."""
    return Verifier(name, key.public_key().public_bytes_raw())


def sign_note(text: str, name: str, keys: Iterable[Ed25519PrivateKey]) -> str:
    """The note of ``text`` signed by each key under ``name``. Raises ValueError for text that makes no note."""
    if not text.endswith("\n") or not _is_clean(text) or not name or any(c.isspace() or c == "+" for c in name):
        raise ValueError("not the text or the name of a note")
    lines = [
        f"{_DASH} {name} {b64encode(verifier_of(name, key).key_id + key.sign(text.encode())).decode()}\n"
        for key in keys
    ]
    return f"{text}\n{''.join(lines)}"


def open_note(note: str, verifiers: Iterable[Verifier]) -> tuple[str, list[Verifier]]:
    """The text of a note and which of ``verifiers`` signed it.

    Signatures of unknown keys are passed over, as C2SP says. Raises UnknownSigner when there are no others, InvalidNote
    when a signature under one of the names and ids is wrong, or when it is no note.
    """
    text, separator, tail = note.rpartition("\n\n")
    if not separator or not tail.endswith("\n") or not _is_clean(note):
        raise InvalidNote("not a signed note")
    text += "\n"
    known = {(verifier.name, verifier.key_id): verifier for verifier in verifiers}
    signed: list[Verifier] = []
    for line in tail[:-1].split("\n"):
        name, key_id, signature = _parse_signature(line)
        verifier = known.get((name, key_id))
        if verifier is None or verifier in signed:
            continue
        if not verifier.accepts(text, signature):
            raise InvalidNote("a signature is wrong")
        signed.append(verifier)
    if not signed:
        raise UnknownSigner("no known key signed this")
    return text, signed


def open_checkpoint(note: str, origin: str, verifiers: Iterable[Verifier]) -> CheckpointText:
    """The checkpoint of a signed note of this log; raises InvalidNote."""
    text, _ = open_note(note, verifiers)
    checkpoint = CheckpointText.parse(text)
    if checkpoint.origin != origin:
        raise InvalidNote("a checkpoint of another log")
    return checkpoint


def _parse_signature(line: str) -> tuple[str, bytes, bytes]:
    dash, _, rest = line.partition(" ")
    name, _, encoded = rest.partition(" ")
    signature = _decode(encoded)
    if dash != _DASH or not name or len(signature) <= _KEY_ID_BYTES:
        raise InvalidNote("not a signed note")
    return name, signature[:_KEY_ID_BYTES], signature[_KEY_ID_BYTES:]


def _is_clean(text: str) -> bool:
    """No control character but the line feed."""
    return all(character >= " " or character == "\n" for character in text)


def _decode(encoded: str) -> bytes:
    try:
        return b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InvalidNote("not base64") from None
