"""What is said of an incident: its shape, checked, when it is opened and whenever it is changed."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final
from uuid import UUID
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from django.utils import timezone

from compliance.incidents.clocks import GDPR, LAWS
from compliance.models import IncidentSeverity
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput

MAX_TITLE: Final = 200
MAX_SUMMARY: Final = 4000
MAX_PRINCIPALS: Final = 20
MAX_DATASETS: Final = 50
_STATE_CODE: Final = 2
_MOMENTS: Final = ("discovered_at", "aware_at", "occurred_from", "occurred_until")


@dataclass(frozen=True)
class IncidentFacts:
    """See the model. ``discovered_at`` None: now."""

    title: str
    summary: str = ""
    severity: str = IncidentSeverity.MEDIUM
    laws: tuple[str, ...] = (GDPR,)
    is_processor: bool = False
    discovered_at: datetime | None = None
    aware_at: datetime | None = None
    occurred_from: datetime | None = None
    occurred_until: datetime | None = None
    time_zone: str = "UTC"
    persons: int | None = None
    residents: Mapping[str, int] = field(default_factory=dict)
    principals: tuple[UUID, ...] = ()
    datasets: tuple[UUID, ...] = ()


def as_columns(facts: IncidentFacts) -> dict[str, Any]:
    """The facts as the row keeps them."""
    kept = vars(facts) | {
        "title": facts.title.strip(),
        "summary": facts.summary.strip(),
        "discovered_at": facts.discovered_at or timezone.now(),
        "laws": sorted(set(facts.laws)),
        "residents": {code.upper(): count for code, count in facts.residents.items()},
    }
    return kept | {name: _ids(kept[name]) for name in ("principals", "datasets")}


def _ids(given: Iterable[UUID]) -> list[str]:
    return list(dict.fromkeys(str(one) for one in given))


def check_facts(facts: IncidentFacts) -> None:
    """Raises InvalidInput naming each member that does not fit, PersonalDataInText."""
    if problems := list(_problems(facts)):
        raise InvalidInput(errors=problems)
    refuse_personal_data(title=facts.title, summary=facts.summary)


def _problems(facts: IncidentFacts) -> Iterator[FieldProblem]:
    if not 0 < len(facts.title.strip()) <= MAX_TITLE:
        yield FieldProblem("title", f"1 to {MAX_TITLE} characters")
    if len(facts.summary) > MAX_SUMMARY:
        yield FieldProblem("summary", f"at most {MAX_SUMMARY} characters")
    if facts.severity not in IncidentSeverity.values:
        yield FieldProblem("severity", f"one of {', '.join(IncidentSeverity.values)}")
    if not facts.laws or set(facts.laws) - LAWS.keys():
        yield FieldProblem("laws", f"one or more of {', '.join(LAWS)}")
    if len(facts.principals) > MAX_PRINCIPALS:
        yield FieldProblem("principals", f"at most {MAX_PRINCIPALS}")
    if len(facts.datasets) > MAX_DATASETS:
        yield FieldProblem("datasets", f"at most {MAX_DATASETS}")
    if not _is_zone(facts.time_zone):
        yield FieldProblem("time_zone", "a name of the IANA time zone database")
    yield from _count_problems(facts)
    yield from _time_problems(facts)


def _count_problems(facts: IncidentFacts) -> Iterator[FieldProblem]:
    if facts.persons is not None and not 0 <= facts.persons < 1 << 31:
        yield FieldProblem("persons", "a whole number")
    for code, count in facts.residents.items():
        if len(code) != _STATE_CODE or not code.isalpha() or not 0 <= count < 1 << 31:
            yield FieldProblem("residents", "codes of States of two letters, each with a whole number")
            return
    if facts.persons is not None and sum(facts.residents.values()) > facts.persons:
        yield FieldProblem("residents", "more than there are persons")


def _time_problems(facts: IncidentFacts) -> Iterator[FieldProblem]:
    now = timezone.now()
    for name in _MOMENTS:
        if (moment := getattr(facts, name)) is not None and moment > now:
            yield FieldProblem(name, "lies in the future")
    if facts.occurred_from and facts.occurred_until and facts.occurred_from >= facts.occurred_until:
        yield FieldProblem("occurred_until", "later than occurred_from")


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return False
    return True
