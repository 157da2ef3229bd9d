"""Consent in figures: how it came and went by week, and where a purpose uses data."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import Count
from django.db.models.functions import TruncWeek
from django.utils import timezone

from access.ports import dataset_directory
from access.services.authorize import authorize
from compliance.models import Consent, ConsentTask, ConsentWithdrawal
from datasets.models import ConsentLink, DatasetUse
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Weeks that are told of, this one included.
WEEKS: Final = 26
#: Datasets that a purpose's page names.
MOST_DATASETS: Final = 200


@dataclass(frozen=True)
class Week:
    """A week, by its Monday (UTC), with the consents that were given in it and those that were withdrawn."""

    begins: date
    given: int
    withdrawn: int


@dataclass(frozen=True)
class UsedDataset:
    """A dataset read for a purpose; ``names_people_by`` is the declared field, empty for the subject index."""

    id: UUID
    name: str
    last_read_at: datetime
    names_people_by: str
    releases_unlinked: bool


def weeks_of_consent(principal: Principal, *, purpose: str = "") -> list[Week]:
    """The last weeks, oldest first, those in which nothing happened included. Raises AccessDenied."""
    authorize(principal, "consent.read", ResourceRef("consent"))
    today = timezone.now().date()
    first = today - timedelta(days=today.weekday(), weeks=WEEKS - 1)
    given = Consent.objects.filter(given_at__date__gte=first)
    ended = ConsentWithdrawal.objects.filter(withdrawn_at__date__gte=first)
    if purpose:
        given, ended = given.filter(purpose__code=purpose), ended.filter(consent__purpose__code=purpose)
    given_in, ended_in = _by_week(given, "given_at"), _by_week(ended, "withdrawn_at")
    mondays = [first + timedelta(weeks=number) for number in range(WEEKS)]
    return [Week(monday, given_in.get(monday, 0), ended_in.get(monday, 0)) for monday in mondays]


def _by_week(rows: Any, moment: str) -> dict[date, int]:
    counted = rows.annotate(week=TruncWeek(moment)).values("week").annotate(count=Count("pk")).order_by("week")
    return {row["week"].date(): row["count"] for row in counted}


def datasets_of(principal: Principal, *, purpose: str) -> list[UsedDataset]:
    """Datasets that were read for the purpose, by name, and how their records name people. Raises AccessDenied."""
    authorize(principal, "consent.read", ResourceRef("purpose", purpose))
    rows = DatasetUse.objects.filter(purpose=purpose, dataset__deleted_at=None).order_by("-last_read_at")
    read_at = dict(rows.values_list("dataset_id", "last_read_at")[:MOST_DATASETS])
    known = dataset_directory().describe(list(read_at))
    links = {row.dataset_id: row for row in ConsentLink.objects.filter(dataset__in=list(known))}
    found = [_used(pk, one.name, read_at[pk], links.get(pk)) for pk, one in known.items()]
    return sorted(found, key=lambda one: one.name)


def _used(dataset_id: UUID, name: str, read_at: datetime, link: ConsentLink | None) -> UsedDataset:
    return UsedDataset(
        id=dataset_id,
        name=name,
        last_read_at=read_at,
        names_people_by=link.subject if link else "",
        releases_unlinked=link.releases_unlinked if link else False,
    )


def open_tasks() -> int:
    """Withdrawals whose records nobody has decided on; for who has decided already."""
    return ConsentTask.objects.filter(outcome="").count()
