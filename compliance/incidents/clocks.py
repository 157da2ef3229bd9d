"""The clocks of the law, as a table: who has to be told of an incident until when. Pure: no database, no settings."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo

GDPR: Final = "gdpr"
HIPAA: Final = "hipaa"
LAWS: Final[Mapping[str, str]] = MappingProxyType({GDPR: "GDPR", HIPAA: "HIPAA"})

#: GDPR article 33(1). Hours: weekends and holidays count, and we stop no clock for them.
AUTHORITY_HOURS: Final = 72
#: 45 CFR 164.404(b), 164.406(b), 164.408(c), 164.410(b).
HIPAA_DAYS: Final = 60
#: 45 CFR 164.408(b): HHS is told at once of a breach of so many persons. Media: of more than so many in one State.
MANY: Final = 500


class Audience(StrEnum):
    """Whom a notice is for."""

    AUTHORITY = "authority"
    PERSONS = "persons"
    CONTROLLER = "controller"
    HHS = "hhs"
    MEDIA = "media"


class Status(StrEnum):
    """Where a duty stands. OPEN: without undue delay, so it has no end that could be counted."""

    NOT_DUE = "not_due"
    UNDECIDED = "undecided"
    OPEN = "open"
    RUNNING = "running"
    OVERDUE = "overdue"
    MET = "met"
    LATE = "late"


#: What keeps an incident from being closed.
UNMET: Final = frozenset({Status.UNDECIDED, Status.OPEN, Status.RUNNING, Status.OVERDUE})


@dataclass(frozen=True)
class Facts:
    """What the clocks depend on.

    ``persons`` None: not known. ``hipaa`` is "" (not assessed), "low_probability" or "breach"; ``gdpr_risk`` is "",
    "none", "risk" or "high"; ``exception`` names one of article 34(3). ``sent``: when each audience was first told.
    """

    laws: frozenset[str]
    discovered_at: datetime
    aware_at: datetime | None = None
    is_processor: bool = False
    is_dismissed: bool = False
    zone: str = "UTC"
    persons: int | None = None
    residents: Mapping[str, int] = field(default_factory=dict)
    hipaa: str = ""
    gdpr_risk: str = ""
    exception: str = ""
    sent: Mapping[str, datetime] = field(default_factory=dict)


@dataclass(frozen=True)
class Verdict:
    """What a rule says: whether it asks for anything, from when, until when, and why."""

    status: Status
    why: str
    began_at: datetime | None = None
    due_at: datetime | None = None


@dataclass(frozen=True)
class Duty:
    """Somebody to be told, by one rule of law; ``is_yearly``: it is done by the log of a year."""

    code: str
    law: str
    source: str
    audience: Audience
    title: str
    status: Status
    why: str
    began_at: datetime | None
    due_at: datetime | None
    met_at: datetime | None
    is_yearly: bool = False

    @property
    def is_unmet(self) -> bool:
        return self.status in UNMET


def end_of_day(day: date, zone: str) -> datetime:
    """The last second of a day where the clocks show ``zone``, in UTC; days of 23 and 25 hours are what they are."""
    return datetime.combine(day, time(23, 59, 59), tzinfo=ZoneInfo(zone)).astimezone(UTC)


def days_after(moment: datetime, days: int, zone: str) -> datetime:
    """The end of the ``days``-th calendar day after the day of ``moment``, which itself does not count."""
    return end_of_day(moment.astimezone(ZoneInfo(zone)).date() + timedelta(days=days), zone)


def year_log_due(year: int, zone: str) -> datetime:
    """45 CFR 164.408(c): HIPAA_DAYS days after the end of a calendar year, 1 March or 29 February."""
    return end_of_day(date(year, 12, 31) + timedelta(days=HIPAA_DAYS), zone)


def year_of(moment: datetime, zone: str) -> int:
    """The calendar year of a moment where the clocks show ``zone``."""
    return moment.astimezone(ZoneInfo(zone)).year


def _nothing(why: str) -> Verdict:
    return Verdict(Status.NOT_DUE, why)


def _authority(facts: Facts) -> Verdict:
    if facts.is_processor:
        return _nothing("A processor tells its controller, who tells the authority.")
    if facts.gdpr_risk == "none":
        return _nothing("No risk to persons is likely; the grounds are documented.")
    if facts.aware_at is None:
        return Verdict(Status.UNDECIDED, "The clock begins when the organization is aware of a breach.")
    # In UTC: added to a local time, 72 hours would be three days, of 71 or 73 hours where the clocks are changed.
    due = facts.aware_at.astimezone(UTC) + timedelta(hours=AUTHORITY_HOURS)
    return Verdict(Status.RUNNING, "72 hours after becoming aware; weekends count.", facts.aware_at, due)


def _gdpr_persons(facts: Facts) -> Verdict:
    if facts.is_processor:
        return _nothing("A processor tells its controller, who tells the persons.")
    if not facts.gdpr_risk:
        return Verdict(Status.UNDECIDED, "Whether the risk to persons is high has to be assessed.")
    if facts.gdpr_risk != "high":
        return _nothing("The risk to persons is not high.")
    if facts.exception:
        return _nothing("An exception of article 34(3) applies; the grounds are documented.")
    return Verdict(Status.OPEN, "Without undue delay: the risk to persons is high.", facts.aware_at)


def _controller(facts: Facts) -> Verdict:
    if not facts.is_processor:
        return _nothing("The organization is the controller.")
    if facts.aware_at is None:
        return Verdict(Status.UNDECIDED, "The duty begins when the organization is aware of a breach.")
    return Verdict(Status.OPEN, "Without undue delay after becoming aware.", facts.aware_at)


def _hipaa_days(facts: Facts, why: str) -> Verdict:
    due = days_after(facts.discovered_at, HIPAA_DAYS, facts.zone)
    return Verdict(Status.RUNNING, why, facts.discovered_at, due)


def _is_cleared(facts: Facts) -> Verdict | None:
    """A breach is presumed until the four factors show a low probability (45 CFR 164.402(2))."""
    if facts.hipaa == "low_probability":
        return _nothing("The four factors show a low probability that the data was compromised.")
    if facts.is_processor:
        return _nothing("A business associate tells its covered entity.")
    return None


def _hipaa_persons(facts: Facts) -> Verdict:
    return _is_cleared(facts) or _hipaa_days(facts, "60 calendar days after discovery at the latest.")


def _hipaa_entity(facts: Facts) -> Verdict:
    if not facts.is_processor:
        return _nothing("The organization is the covered entity.")
    if facts.hipaa == "low_probability":
        return _nothing("The four factors show a low probability that the data was compromised.")
    return _hipaa_days(facts, "60 calendar days after discovery at the latest.")


def is_in_year_log(facts: Facts) -> bool:
    """Whether HHS is told by the log of the year: fewer than MANY persons, as far as their number is known."""
    return facts.persons is not None and facts.persons < MANY


def _hhs(facts: Facts) -> Verdict:
    if cleared := _is_cleared(facts):
        return cleared
    if is_in_year_log(facts):
        due = year_log_due(year_of(facts.discovered_at, facts.zone), facts.zone)
        why = "Fewer than 500 persons: with the log of the year, 60 days after its end."
        return Verdict(Status.RUNNING, why, facts.discovered_at, due)
    known = "500 persons or more" if facts.persons is not None else "The number of persons is not known"
    return _hipaa_days(facts, f"{known}: together with the persons, 60 calendar days after discovery.")


def _media(facts: Facts) -> Verdict:
    if cleared := _is_cleared(facts):
        return cleared
    if any(count > MANY for count in facts.residents.values()):
        return _hipaa_days(facts, "More than 500 residents of one State: 60 calendar days after discovery.")
    if not facts.residents and (facts.persons is None or facts.persons > MANY):
        return Verdict(Status.UNDECIDED, "How many of the persons live in which State is not known.")
    return _nothing("No State has more than 500 of the persons.")


@dataclass(frozen=True)
class _Rule:
    code: str
    law: str
    source: str
    audience: Audience
    title: str
    judge: Callable[[Facts], Verdict]


RULES: Final = (
    _Rule("gdpr.authority", GDPR, "GDPR art. 33(1)", Audience.AUTHORITY, "Supervisory authority", _authority),
    _Rule("gdpr.persons", GDPR, "GDPR art. 34", Audience.PERSONS, "Persons, under the GDPR", _gdpr_persons),
    _Rule("gdpr.controller", GDPR, "GDPR art. 33(2)", Audience.CONTROLLER, "Controller", _controller),
    _Rule("hipaa.persons", HIPAA, "45 CFR 164.404", Audience.PERSONS, "Persons, under HIPAA", _hipaa_persons),
    _Rule("hipaa.hhs", HIPAA, "45 CFR 164.408", Audience.HHS, "Department of Health (HHS)", _hhs),
    _Rule("hipaa.media", HIPAA, "45 CFR 164.406", Audience.MEDIA, "Media of the State", _media),
    _Rule("hipaa.entity", HIPAA, "45 CFR 164.410", Audience.CONTROLLER, "Covered entity", _hipaa_entity),
)


#: Code of a rule -> whom it is for, and where it stands.
NAMES: Final[Mapping[str, str]] = MappingProxyType({rule.code: f"{rule.title}, {rule.source}" for rule in RULES})


def duties(facts: Facts, now: datetime) -> list[Duty]:
    """What each rule of the laws that apply asks for, and where it stands at ``now``, in the order of RULES."""
    return [_duty(rule, facts, now) for rule in RULES if rule.law in facts.laws]


def _duty(rule: _Rule, facts: Facts, now: datetime) -> Duty:
    dismissed = _nothing("It was no breach.")
    verdict = dismissed if facts.is_dismissed else rule.judge(facts)
    met_at = facts.sent.get(rule.audience)
    return Duty(
        code=rule.code,
        law=rule.law,
        source=rule.source,
        audience=rule.audience,
        title=rule.title,
        status=_status(verdict, met_at, now),
        why=verdict.why,
        began_at=verdict.began_at,
        due_at=verdict.due_at,
        met_at=met_at,
        is_yearly=rule.audience is Audience.HHS and is_in_year_log(facts),
    )


def _status(verdict: Verdict, met_at: datetime | None, now: datetime) -> Status:
    if verdict.status is Status.NOT_DUE:
        return Status.NOT_DUE
    if met_at is not None:
        return Status.LATE if verdict.due_at and met_at > verdict.due_at else Status.MET
    if verdict.due_at and now > verdict.due_at:
        return Status.OVERDUE
    return verdict.status


def next_due(found: list[Duty]) -> datetime | None:
    """The end of the clock that runs out first; None when none runs."""
    return min((duty.due_at for duty in found if duty.is_unmet and duty.due_at), default=None)
