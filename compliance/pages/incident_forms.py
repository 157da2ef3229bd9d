"""What the forms of incidents say, as the services take it."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.http import QueryDict

from vaultsite.kernel.errors import FieldProblem, InvalidInput

_MOMENTS: Final = ("discovered_at", "aware_at", "occurred_from", "occurred_until")
_TEXTS: Final = ("title", "summary", "severity", "time_zone")


def read_facts(given: QueryDict) -> dict[str, Any]:
    """Members of IncidentFacts that a form named; times are UTC. Raises InvalidInput naming what cannot be read."""
    facts: dict[str, Any] = {name: given[name] for name in _TEXTS if given.get(name)}
    facts |= {name: read_moment(given[name], name) for name in _MOMENTS if name in given}
    if facts.get("discovered_at", True) is None:
        del facts["discovered_at"]
    if "summary" in given:
        facts["summary"] = given["summary"]
    if "laws" in given:
        facts["laws"] = tuple(given.getlist("laws"))
    if "capacity" in given:
        facts["is_processor"] = given["capacity"] == "processor"
    if "persons" in given:
        facts["persons"] = read_count(given["persons"], "persons")
    if "residents" in given:
        facts["residents"] = read_residents(given["residents"])
    for name in ("principals", "datasets"):
        if name in given:
            facts[name] = tuple(read_ids(given[name].split(), name))
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


def read_residents(text: str) -> dict[str, int]:
    """Lines or words such as ``CA=612``."""
    found: dict[str, int] = {}
    for part in text.replace(",", " ").split():
        code, _, count = part.partition("=")
        number = read_count(count, "residents")
        if not code or number is None:
            raise InvalidInput(errors=[FieldProblem("residents", "States with their persons, such as CA=612 NY=40")])
        found[code] = number
    return found


def read_ids(texts: Iterable[str], name: str) -> list[UUID]:
    try:
        return [UUID(text) for text in texts if text]
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(name, "ids, with blanks between them")]) from None
