"""Conditions kept on disk, so that a worker does not derive them anew from patterns that have not changed."""

import hashlib
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import orjson

from anonymization.detectors.necessary import Conditions, Expression, Unweakened, necessary_conditions

#: Raise it when conditions are derived in another way.
_VERSION: Final = 1
_DIGEST_BYTES: Final = 32


def conditions_of(expressions: Sequence[Expression], folder: Path | None = None) -> list[Conditions | None]:
    """The conditions of each expression, None for those that have to run everywhere.

    They are read from ``folder`` if it has those of exactly these expressions, made by this version of Python, and
    written there otherwise; a file that is damaged, or a folder that cannot be written, is as good as none. The folder
    has to be as private as the code: who writes there decides what is looked for.
    """
    path = folder / f"{_identity(expressions)}.conditions" if folder else None
    found = _read(path, len(expressions)) if path else None
    if found is None:
        found = [_derived(expression) for expression in expressions]
        if path:
            _write(path, found)
    return found


def _identity(expressions: Sequence[Expression]) -> str:
    what = [_VERSION, sys.version, [[*expression] for expression in expressions]]
    return hashlib.sha256(orjson.dumps(what)).hexdigest()


def _derived(expression: Expression) -> Conditions | None:
    try:
        return necessary_conditions(*expression)
    except Unweakened:
        return None


def _read(path: Path, count: int) -> list[Conditions | None] | None:
    try:
        kept = path.read_bytes()
    except OSError:
        return None
    digest, content = kept[:_DIGEST_BYTES], kept[_DIGEST_BYTES:]
    if hashlib.sha256(content).digest() != digest:
        return None
    rows = orjson.loads(content)
    return [row and Conditions(*map(_bytes, row)) for row in rows] if len(rows) == count else None


def _write(path: Path, conditions: Sequence[Conditions | None]) -> None:
    rows = [one and [part if part is None else part.decode("latin-1") for part in one] for one in conditions]
    content = orjson.dumps(rows)
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(descriptor, "wb") as file:
            file.write(hashlib.sha256(content).digest() + content)
        Path(name).replace(path)
    except OSError:
        return


def _bytes(part: str | None) -> bytes | None:
    return None if part is None else part.encode("latin-1")
