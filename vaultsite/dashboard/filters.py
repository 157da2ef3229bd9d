"""What the home page is asked for in its address: a period, and one dataset or all."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, QueryDict
from django.urls import reverse
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from audit.rollups.periods import FAR, Period, ceil_hour, floor_hour, is_far, period_of
from datasets.models import Dataset
from datasets.selectors import get_dataset
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal

CUSTOM: Final = "custom"
MONTH: Final = "30d"
#: Periods that end with the hour that runs.
ROLLING: Final = MappingProxyType({"24h": timedelta(hours=24), "7d": timedelta(days=7)})
LABELS: Final = (("24h", "24 hours"), ("7d", "7 days"), (MONTH, "30 days"), (CUSTOM, "from, until"))
DEFAULT: Final = "7d"
#: The longest period that is looked at at once.
LONGEST: Final = timedelta(days=366)


@dataclass(frozen=True)
class Filters:
    """``since`` is inclusive, ``until`` exclusive; ``dataset`` None for all."""

    period: str
    since: datetime
    until: datetime
    dataset: Dataset | None = None

    @property
    def dataset_id(self) -> UUID | None:
        return self.dataset.pk if self.dataset else None

    @property
    def counted(self) -> Period:
        """The whole hours that this touches."""
        return Period(floor_hour(self.since), ceil_hour(self.until))

    @property
    def query(self) -> str:
        """The same choice in an address of the home page or of a piece of it."""
        chosen: dict[str, object] = {"period": self.period}
        if self.period == CUSTOM:
            chosen |= {"since": _local(self.since), "until": _local(self.until)}
        if self.dataset:
            chosen["dataset"] = self.dataset.pk
        return urlencode(chosen)

    def events_url(self, **more: object) -> str:
        """The page of the audit with the events of this choice; ``more`` narrows it down or says other times."""
        chosen: dict[str, object] = {"since": _local(self.since), "until": _local(self.until)}
        if self.dataset:
            chosen["dataset"] = self.dataset.pk
        chosen |= {name: _local(one) if isinstance(one, datetime) else one for name, one in more.items()}
        return f"{reverse('admin:audit_auditevent_changelist')}?{urlencode(chosen)}"


def read_filters(request: HttpRequest, principal: Principal, *, action: str) -> Filters:
    """What the address says. Raises InvalidInput, and DatasetNotFound recorded as denied ``action``."""
    given = request.GET
    period = given.get("period", DEFAULT)
    since, until = _custom(given) if period == CUSTOM else _ending_now(period)
    dataset = get_dataset(principal, _uuid(given["dataset"]), action=action) if given.get("dataset") else None
    return Filters(period, since, until, dataset)


def _ending_now(period: str) -> tuple[datetime, datetime]:
    """Whole hours, the one that runs among them: the links of a page that stays open mean the same tomorrow.

    A month is of whole days, from the midnight (UTC) before to the next, as the API has it: days are counted already,
    the hours of two begun days would be added up anew for every piece.
    """
    now = timezone.now()
    if period == MONTH:
        month = period_of("last_30d", now=now)
        return month.start, month.end
    if period not in ROLLING:
        raise InvalidInput(errors=[FieldProblem("period", "is not one of those offered")])
    until = now.replace(minute=0, second=0, microsecond=0) + timedelta(hours=1)
    return until - ROLLING[period], until


def _custom(given: QueryDict) -> tuple[datetime, datetime]:
    since, until = _time(given, "since"), _time(given, "until")
    if not timedelta(0) < until - since <= LONGEST:
        raise InvalidInput(errors=[FieldProblem("until", f"after the beginning, {LONGEST.days} days at most")])
    return since, until


def _time(given: QueryDict, name: str) -> datetime:
    try:
        found = parse_datetime(given.get(name, ""))
    except ValueError:
        found = None
    if found is None:
        raise InvalidInput(errors=[FieldProblem(name, "a day and a time, UTC")])
    moment = found if found.tzinfo else found.replace(tzinfo=UTC)
    if is_far(moment):
        raise InvalidInput(errors=[FieldProblem(name, FAR)])
    return moment


def _local(moment: datetime) -> str:
    """As the field of a form takes it."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(errors=[FieldProblem("dataset", "is no id")]) from None
