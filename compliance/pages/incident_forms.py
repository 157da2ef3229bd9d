"""What the forms of incidents say, as the services take it."""

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.http import QueryDict

from vaultsite.kernel.errors import FieldProblem, InvalidInput

_TEXTS: Final = ("title", "severity", "time_zone")


def read_facts(given: QueryDict) -> dict[str, Any]:
    """Members of IncidentFacts that a form named; times are UTC. Raises InvalidInput naming what cannot be read."""
    said = {name: str(value) for name, value in given.dict().items()}
    facts: dict[str, Any] = {name: said[name] for name in _TEXTS if said.get(name)}
    facts |= {name: read(said[name], name) for name, read in _READ.items() if name in said}
    if facts.get("discovered_at", True) is None:
        del facts["discovered_at"]
    if "laws" in said or said.get("asks") == "laws":  # a form without a tick says nothing of its boxes
        facts["laws"] = tuple(given.getlist("laws"))
    if "capacity" in said:
        facts["is_processor"] = said["capacity"] == "processor"
    return facts


def read_moment(text: str, name: str) -> datetime | None:
    """A time as the browser's own field says it, in UTC; None where it is empty."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(name, "a date and a time, such as 2026-05-04T10:00")]) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def read_count(text: str, name: str) -> int | None:
    """A whole number; None where it is empty."""
    if not text.strip():
        return None
    if not text.strip().isascii() or not text.strip().isdecimal():
        raise InvalidInput(errors=[FieldProblem(name, "a whole number")])
    return int(text)


def read_residents(text: str, name: str = "residents") -> dict[str, int]:
    """Lines or words such as ``CA=612``."""
    found: dict[str, int] = {}
    for part in text.replace(",", " ").split():
        code, _, count = part.partition("=")
        number = read_count(count, name)
        if not code or number is None:
            raise InvalidInput(errors=[FieldProblem(name, "States with their persons, such as CA=612 NY=40")])
        found[code] = number
    return found


def read_ids(texts: Iterable[str], name: str) -> list[UUID]:
    try:
        return [UUID(text) for text in texts if text]
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(name, "ids, with blanks between them")]) from None


def _ids(text: str, name: str) -> tuple[UUID, ...]:
    return tuple(read_ids(text.split(), name))


def _text(text: str, _: str) -> str:
    return text


_READ: Final[Mapping[str, Callable[[str, str], Any]]] = {
    **dict.fromkeys(("discovered_at", "aware_at", "occurred_from", "occurred_until"), read_moment),
    "summary": _text,
    "persons": read_count,
    "residents": read_residents,
    "principals": _ids,
    "datasets": _ids,
}
