"""Take many consents from a file: all of its lines, or none."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import orjson

from access.services.authorize import authorize
from compliance.consents.people import Identifier
from compliance.consents.record import Given, announce, hold_purpose, problems_with, save_all
from compliance.errors.consent import ConsentWithdrawn, ImportRefused
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

MAX_LINES: Final = 20_000
MAX_BYTES: Final = 8 * 1024 * 1024
#: Problems that one answer names; the rest are as good as found.
MAX_PROBLEMS: Final = 100
FORMATS: Final = ("jsonl", "csv")
_MEMBERS: Final = frozenset({"identifiers", "given_at", "expires_at", "source", "evidence"})
_COLUMNS: Final = ("type", "value", "given_at", "expires_at", "source", "evidence")


@dataclass(frozen=True)
class Imported:
    """``known`` had been recorded before."""

    recorded: int
    known: int


def import_consents(principal: Principal, *, purpose: str, body: bytes, format_: str) -> Imported:
    """Record every line of a file, in the open scope; the same file again records nothing new.

    JSON lines have the members of a consent; CSV has the columns type, value, given_at, expires_at, source, evidence.
    Raises AccessDenied, PurposeNotFound, InvalidInput, and ImportRefused, which names each line that is no consent.
    """
    authorize(principal, "consent.manage", ResourceRef("purpose", purpose))
    row = hold_purpose(purpose)
    if format_ not in FORMATS or len(body) > MAX_BYTES:
        raise InvalidInput(errors=[FieldProblem("/", f"{' or '.join(FORMATS)}, at most {MAX_BYTES} bytes")])
    given = read_lines(body, format_)
    saved = save_all(principal.id, row, [one for _, one in given])
    title = ConsentWithdrawn.title
    _refuse([FieldProblem(f"/{line}", title) for (line, _), one in zip(given, saved, strict=True) if one is None])
    recorded = sum(one.is_new for one in saved if one is not None)
    announce(purpose, recorded=recorded, known=len(given) - recorded)
    return Imported(recorded, len(given) - recorded)


def read_lines(body: bytes, format_: str) -> list[tuple[int, Given]]:
    """The consents of a file with the numbers of their lines. Raises ImportRefused."""
    found: list[tuple[int, Given]] = []
    problems: list[FieldProblem] = []
    for line, given in (_json_lines if format_ == "jsonl" else _csv_lines)(body):
        if isinstance(given, str):
            problems.append(FieldProblem(f"/{line}", given))
            continue
        problems += [FieldProblem(f"/{line}{one.field}", one.detail) for one in problems_with(given)]
        found.append((line, given))
        if len(found) > MAX_LINES:
            problems.append(FieldProblem(f"/{line}", f"a file has {MAX_LINES} lines at most"))
        if len(problems) >= MAX_PROBLEMS or len(found) > MAX_LINES:
            break
    if not found and not problems:
        problems.append(FieldProblem("/1", "the file holds no consent"))
    _refuse(problems)
    return found


def _refuse(problems: list[FieldProblem]) -> None:
    if problems:
        raise ImportRefused(errors=problems[:MAX_PROBLEMS])


def _json_lines(body: bytes) -> Iterator[tuple[int, Given | str]]:
    for number, line in enumerate(body.splitlines(), start=1):
        if line.strip():
            yield number, _from_json(line)


def _from_json(line: bytes) -> Given | str:
    try:
        said = orjson.loads(line)
    except orjson.JSONDecodeError:
        return "this is no JSON"
    if not isinstance(said, dict) or set(said) - _MEMBERS or not isinstance(said.get("identifiers"), list):
        return f"an object with members among {', '.join(sorted(_MEMBERS))}"
    named = said["identifiers"]
    if not all(isinstance(one, dict) and one.keys() == {"type", "value"} for one in named):
        return "each identifier has a type and a value"
    pairs = [(str(one["type"]), str(one["value"])) for one in named]
    return _given(pairs, {name: said.get(name) for name in _MEMBERS - {"identifiers"}})


def _csv_lines(body: bytes) -> Iterator[tuple[int, Given | str]]:
    try:
        rows = csv.DictReader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True)
        if not set(rows.fieldnames or ()) <= set(_COLUMNS) or not {"type", "value"} <= set(rows.fieldnames or ()):
            yield 1, f"columns among {', '.join(_COLUMNS)}"
            return
        for row in rows:
            pairs = [(row["type"] or "", row["value"] or "")]
            yield rows.line_num, "more cells than columns" if None in row else _given(pairs, row)
    except (UnicodeDecodeError, csv.Error):
        yield 1, "this is no CSV in UTF-8"


def _given(pairs: list[tuple[str, str]], said: dict[str, Any]) -> Given | str:
    given_at, expires_at = (_moment(said.get(name)) for name in ("given_at", "expires_at"))
    if given_at is None or (said.get("expires_at") and expires_at is None):
        return "given_at, and expires_at where it has one, are times of ISO 8601"
    return Given(
        identifiers=tuple(Identifier(kind, value) for kind, value in pairs),
        given_at=given_at,
        expires_at=expires_at,
        source=str(said.get("source") or "import"),
        evidence=str(said.get("evidence") or ""),
    )


def _moment(value: Any) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) and value else None
    except ValueError:
        return None
