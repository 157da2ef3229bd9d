"""Parquet files: one record a row, decoded in a confined child; what it may say is checked as any upload is."""

import importlib.util
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, Protocol

import orjson

from datasets.errors import FormatUnavailable, MalformedRecord, RecordTooLong, RefusedLine
from datasets.formats.decompress import DEFAULT_LIMITS, Limits, Meter
from datasets.formats.ids import IdRule
from datasets.formats.parquet import wire
from datasets.formats.parquet.connection import Child
from datasets.formats.parquet.refusals import ROW_RULES, died, refused
from datasets.formats.rows import RawRecord, Rejected
from datasets.formats.strict_json import parse_canonical

MAGIC: Final = b"PAR1"
EXTRA: Final = "parquet"
DEFAULT_IDS: Final = IdRule()
DEFAULT_BOUNDS: Final = wire.Bounds()

_ROOT: Final = str(Path(__file__).resolve().parents[3])
_PROGRAM: Final = (
    "import sys; sys.path.insert(0, sys.argv[1]);"
    "from datasets.formats.parquet.confine import confine; confine(int(sys.argv[2]), int(sys.argv[3]));"
    "from datasets.formats.parquet.child import main; main()"
)
#: The child inherits nothing of the worker's environment, where keys and passwords may be.
_ENVIRONMENT: Final = {
    "LC_ALL": "C.UTF-8",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
    "OMP_NUM_THREADS": "1",
    "MALLOC_ARENA_MAX": "1",
}


class RandomAccess(Protocol):
    """A file that can be read anywhere."""

    @property
    def size(self) -> int:
        """Bytes of the whole file."""

    def read_at(self, offset: int, length: int) -> bytes:
        """Exactly these bytes, which lie inside the file."""


def require_parquet() -> None:
    """Raises FormatUnavailable unless what reads Parquet is installed."""
    if importlib.util.find_spec("pyarrow") is None:
        raise FormatUnavailable(extra=EXTRA)


def read_parquet(
    source: RandomAccess,
    *,
    ids: IdRule = DEFAULT_IDS,
    skip: int = 0,
    limits: Limits = DEFAULT_LIMITS,
    bounds: wire.Bounds = DEFAULT_BOUNDS,
) -> Iterator[RawRecord | Rejected]:
    """The rows after the first ``skip`` as records; a row without an exact JSON form comes as Rejected.

    A record's line is the number of its row, from 1. Memory is bounded here by one message and in the child by
    ``bounds``. Raises FormatUnavailable, UnreadableFile, DecompressionLimit and InvalidHeader; the child's death is one
    of these errors too. The child ends with the iteration.
    """
    require_parquet()
    meter = Meter(limits)
    meter.encoded = source.size
    with Child(_start(bounds)) as child:
        child.tell(wire.CONFIG, orjson.dumps({"size": source.size, "skip": skip, "bounds": _as_json(bounds)}))
        row = skip
        while True:
            kind, payload = child.hear()
            if kind == wire.READ:
                child.tell(wire.READ, _range(source, payload))
            elif kind == wire.LINES:
                meter.count(len(payload))
                for item in _records(payload, ids, skip, bounds.record_bytes):
                    row = item.line
                    yield item
            elif kind == wire.DONE:
                return
            elif kind == wire.FAILED:
                raise refused(payload, row)
            else:
                raise died(child.exit_code(), row)


def _start(bounds: wire.Bounds) -> "subprocess.Popen[bytes]":
    command = [sys.executable, "-I", "-c", _PROGRAM, _ROOT, str(bounds.memory), str(bounds.cpu_seconds)]
    return subprocess.Popen(  # noqa: S603 - our own program, our own arguments
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        env=_ENVIRONMENT,
        cwd="/",
    )


def _as_json(bounds: wire.Bounds) -> dict[str, Any]:
    return {name: getattr(bounds, name) for name in bounds.__dataclass_fields__}


def _range(source: RandomAccess, payload: bytes) -> bytes:
    """What the child asked for; nothing when it asks beyond the file, which ends it."""
    if len(payload) != wire.RANGE.size:
        return b""
    offset, length = wire.RANGE.unpack(payload)
    if length > wire.MAX_RANGE or offset + length > source.size:
        return b""
    return source.read_at(offset, length)


def _records(payload: bytes, ids: IdRule, skip: int, record_bytes: int) -> Iterator[RawRecord | Rejected]:
    (first,) = wire.ROW.unpack_from(payload)
    for number, line in enumerate(payload[wire.ROW.size :].split(b"\n"), start=first):
        if number > skip:
            yield _record(number, line, ids, record_bytes)


def _record(number: int, line: bytes, ids: IdRule, record_bytes: int) -> RawRecord | Rejected:
    try:
        if line.startswith(wire.REJECTED):
            raise _row_problem(line[1:].decode(), number)
        if len(line) > record_bytes:
            raise _row_problem("record-too-long", number)
        data, canonical = parse_canonical(line, number)
        return RawRecord(number, ids.id_of(data, number), data, {}, canonical)
    except RefusedLine as error:
        return Rejected.of(error, b"")


def _row_problem(reason: str, number: int) -> RefusedLine:
    if reason == "record-too-long":
        return RecordTooLong("the record is longer than allowed", reason=reason, line=number)
    rule = ROW_RULES.get(reason, "the row has no exact JSON form")
    return MalformedRecord(rule, reason=reason if reason in ROW_RULES else "inexpressible", line=number)
