"""Until when a request has to be answered, law by law: pure functions over dates, in UTC.

The first day is the one after receipt (for the GDPR: Regulation 1182/71, article 3). A term that ends on a weekend is
not moved to the next working day, which some laws would allow: the vault's dates are never later than the law's.
"""

from calendar import monthrange
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from types import MappingProxyType
from typing import Final

from compliance.models.request import Law, RequestType

_MONTHS: Final = 12
_FRIDAY: Final = 4


@dataclass(frozen=True)
class Term:
    """A length of time as a law says it; the parts are added in order."""

    months: int = 0
    days: int = 0
    working_days: int = 0

    def after(self, start: date) -> date:
        """The last day of the term that begins on the day after ``start``."""
        end = add_months(start, self.months) + timedelta(days=self.days)
        for _ in range(self.working_days):
            end += timedelta(days=1)
            while end.weekday() > _FRIDAY:
                end += timedelta(days=1)
        return end

    def __str__(self) -> str:
        named = {"month": self.months, "day": self.days, "working day": self.working_days}
        said = [f"{count} {name}{'s' if count > 1 else ''}" for name, count in named.items() if count]
        return " and ".join(said)


@dataclass(frozen=True)
class Clock:
    """What a law gives: the first term, and the whole term once it was extended (None: it cannot be).

    ``pauses``: whether the time in which the subject is asked to prove who they are does not count.
    ``source`` is where the law says so.
    """

    term: Term
    extended: Term | None
    pauses: bool
    source: str


_MONTH: Final = Term(months=1)
_QUARTER: Final = Term(months=3)

#: CLOCKS names the clock of a law; PARTICULAR that of one type of request under it, where that is another.
CLOCKS: Final[Mapping[Law, Clock]] = MappingProxyType(
    {
        # Article 12(3); EDPB Guidelines 01/2022, paragraphs 157 to 159: identity asked for without delay suspends it.
        Law.GDPR: Clock(_MONTH, _QUARTER, pauses=True, source="GDPR, article 12(3)"),
        # Article 12A, since the Data (Use and Access) Act 2025.
        Law.UK_GDPR: Clock(_MONTH, _QUARTER, pauses=True, source="UK GDPR, article 12A"),
        # 11 CCR 7021(b): 45 days from receipt "regardless of time required to verify".
        Law.CCPA: Clock(Term(days=45), Term(days=90), pauses=False, source="CCPA, 1798.130(a)(2)"),
        # 45 CFR 164.524(b)(2): 30 days, once 30 more with a written statement inside the first.
        Law.HIPAA: Clock(Term(days=30), Term(days=60), pauses=False, source="HIPAA, 45 CFR 164.524(b)(2)"),
        Law.LGPD: Clock(Term(days=15), None, pauses=False, source="LGPD, article 19 II"),
    }
)
PARTICULAR: Final[Mapping[tuple[Law, RequestType], Clock]] = MappingProxyType(
    {
        # 11 CCR 7026(f) and 7027(g): to opt out, or to limit, within 15 business days.
        (Law.CCPA, RequestType.OBJECTION): Clock(Term(working_days=15), None, pauses=False, source="11 CCR 7026(f)"),
        (Law.CCPA, RequestType.RESTRICTION): Clock(Term(working_days=15), None, pauses=False, source="11 CCR 7027(g)"),
        # 45 CFR 164.526(b)(2): amendments have 60 days, and once 30 more.
        (Law.HIPAA, RequestType.RECTIFICATION): Clock(
            Term(days=60), Term(days=90), pauses=False, source="HIPAA, 45 CFR 164.526(b)(2)"
        ),
    }
)


def add_months(start: date, months: int) -> date:
    """The same day so many months later; where that month has none (31 January and one month), its last day."""
    number = start.year * _MONTHS + start.month - 1 + months
    year, month = divmod(number, _MONTHS)
    return date(year, month + 1, min(start.day, monthrange(year, month + 1)[1]))


def clock_of(law: Law, kind: RequestType) -> Clock:
    """The clock of a type of request under a law."""
    return PARTICULAR.get((law, kind)) or CLOCKS[law]


def due_on(clock: Clock, received: date, *, is_extended: bool = False, paused_days: int = 0) -> date:
    """The last day on which an answer is in time.

    ``is_extended`` asks for the whole term; of a clock that cannot be extended it changes nothing. ``paused_days`` are
    whole days in which the clock stood still; they count only where it may.
    """
    term = (clock.extended or clock.term) if is_extended else clock.term
    return term.after(received) + timedelta(days=paused_days if clock.pauses else 0)


def last_notice_on(clock: Clock, received: date, *, paused_days: int = 0) -> date | None:
    """Until when the subject has to be told that it takes longer, inside the first term; None: it may not."""
    if clock.extended is None:
        return None
    return due_on(clock, received, paused_days=paused_days)
