"""What travels with a new record through the tree builder: its encoded findings and its index keys."""

import struct
from collections.abc import Sequence
from typing import Final

_SIZE: Final = struct.Struct(">I")
_KEY_BYTES: Final = 32


def attach(findings: bytes, subjects: Sequence[bytes]) -> bytes:
    return b"".join([_SIZE.pack(len(findings)), findings, *subjects])


def detach(attachment: bytes) -> tuple[bytes, list[bytes]]:
    """The encoded findings (empty: none) and the index keys."""
    (size,) = _SIZE.unpack_from(attachment)
    start = _SIZE.size + size
    keys = [attachment[at : at + _KEY_BYTES] for at in range(start, len(attachment), _KEY_BYTES)]
    return attachment[_SIZE.size : start], keys
