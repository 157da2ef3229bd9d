"""A line of an incident's timeline, in words: what kind it is of, and what its facts come to."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from compliance.incidents.clocks import LAWS, NAMES
from compliance.incidents.timeline import KINDS
from compliance.models import IncidentEntry

#: Facts that are counts -> one, many.
_COUNTS: Final = {
    "versions": ("version", "versions"),
    "sessions": ("session", "sessions"),
    "keys": ("key", "keys"),
    "accounts": ("service account", "service accounts"),
}


@dataclass(frozen=True)
class Line:
    """``told`` are short phrases; ``entry`` has who, when and the text."""

    title: str
    entry: IncidentEntry
    told: tuple[str, ...]


def line_of(entry: IncidentEntry, datasets: Mapping[str, str]) -> Line:
    """``datasets`` are names by id, of those that the page knows."""
    told = (phrase for tell in _TELL for phrase in tell(entry.facts))
    name = datasets.get(str(entry.facts.get("dataset", "")), "")
    return Line(KINDS.get(entry.kind, entry.kind), entry, (*([name] if name else []), *told))


def _duty(facts: Mapping[str, Any]) -> Iterator[str]:
    if "duty" in facts:
        yield f"{NAMES.get(facts['duty'], facts['duty'])}: {facts['mark']}"


def _notice(facts: Mapping[str, Any]) -> Iterator[str]:
    if "audience" in facts:
        yield f"{facts['audience']}, phase {facts['phase']}"


def _changes(facts: Mapping[str, Any]) -> Iterator[str]:
    if "members" in facts:
        yield ", ".join(facts["members"])
    before, after = facts.get("changes", {}).get("laws", ((), ()))
    if before != after:
        yield f"{_laws(before)} \N{RIGHTWARDS ARROW} {_laws(after)}"


def _stopped(facts: Mapping[str, Any]) -> Iterator[str]:
    for code in facts.get("stopped", ()):
        yield f"stopped: {NAMES.get(code, code)}"


def _laws(codes: list[str]) -> str:
    return ", ".join(LAWS.get(code, code) for code in codes)


def _counts(facts: Mapping[str, Any]) -> Iterator[str]:
    for name, (one, many) in _COUNTS.items():
        if isinstance(count := facts.get(name), int):
            yield f"{count} {one if count == 1 else many}"


_TELL: Final[tuple[Callable[[Mapping[str, Any]], Iterator[str]], ...]] = (_duty, _notice, _changes, _stopped, _counts)
