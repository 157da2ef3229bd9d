"""One scanned record on its way from the upload to the tree, and its bytes in a sorted run."""

import struct
from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

_HEAD: Final = struct.Struct(">QBH16sIIH")
_KEY_BYTES: Final = 32
_GENERATED: Final = 1
#: Plaintext bytes of one frame of a run.
FRAME_BYTES: Final = 64 * 1024


class Entry(NamedTuple):
    """``id`` orders a run; ``line`` is where the record stood; ``canonical`` is the whole record's canonical JSON.

    ``findings`` are the encoded findings of this one record (empty: none), ``subjects`` the index keys of the people it
    names. ``is_generated`` says that the file gave no id.
    """

    id: str
    line: int
    is_generated: bool
    content_key: bytes
    canonical: bytes
    findings: bytes
    subjects: tuple[bytes, ...]


def pack_entries(entries: Iterable[Entry]) -> Iterator[bytes]:
    """Frames of about FRAME_BYTES, each holding whole entries."""
    frame: list[bytes] = []
    size = 0
    for entry in entries:
        packed = _pack(entry)
        frame.append(packed)
        size += len(packed)
        if size >= FRAME_BYTES:
            yield b"".join(frame)
            frame, size = [], 0
    if frame:
        yield b"".join(frame)


def _pack(entry: Entry) -> bytes:
    name = entry.id.encode()
    flags = _GENERATED if entry.is_generated else 0
    head = _HEAD.pack(
        entry.line, flags, len(name), entry.content_key, len(entry.canonical), len(entry.findings), len(entry.subjects)
    )
    return b"".join([head, name, entry.canonical, entry.findings, *entry.subjects])


def unpack_entries(frame: bytes) -> Iterator[Entry]:
    """The entries of one frame, in order."""
    position = 0
    while position < len(frame):
        line, flags, name_size, content_key, size, found_size, subjects = _HEAD.unpack_from(frame, position)
        name_at = position + _HEAD.size
        canonical_at = name_at + name_size
        findings_at = canonical_at + size
        subjects_at = findings_at + found_size
        position = subjects_at + subjects * _KEY_BYTES
        yield Entry(
            id=frame[name_at:canonical_at].decode(),
            line=line,
            is_generated=bool(flags & _GENERATED),
            content_key=content_key,
            canonical=frame[canonical_at:findings_at],
            findings=frame[findings_at:subjects_at],
            subjects=tuple(frame[at : at + _KEY_BYTES] for at in range(subjects_at, position, _KEY_BYTES)),
        )
