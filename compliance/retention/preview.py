"""What policies would do, before they do it: nothing is changed here."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.db.models import Count, Q
from django.db.models.functions import TruncMonth

from access.services.authorize import authorize
from access.services.clock import database_now
from compliance.models import RetentionAction, RetentionPolicy
from compliance.retention.evaluate import Judgement, judged, judgement_of
from compliance.retention.policies import PolicyTerms, check_terms
from compliance.retention.selectors import policies_in_force
from datasets.models import Dataset
from datasets.services.masking.found import count_findings
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Datasets that a preview names.
NAMED: Final = 100
#: Months of the calendar.
MONTHS: Final = 24


@dataclass(frozen=True)
class Preview:
    """What would happen until ``by``: numbers of all datasets of the organization.

    ``affected`` are those whose period is over by then, of which ``held`` are under a legal hold and ``kept`` must be
    kept for longer; ``acts`` counts what acts by then, by action. ``judgements`` are NAMED of those affected, the first
    due first, among those the asker may see.
    """

    by: datetime
    affected: int
    held: int
    kept: int
    acts: dict[str, int]
    judgements: list[Judgement]


@dataclass(frozen=True)
class CalendarMonth:
    """How many datasets fall due in a month, by action; ``month`` None: due already."""

    month: datetime | None
    counts: dict[str, int]


def preview(
    principal: Principal, *, terms: PolicyTerms | None = None, instead_of: UUID | None = None, days: int = 0
) -> Preview:
    """What the policies in force would do within ``days``; with ``terms``, what one like that would do among them.

    ``instead_of`` is the policy that it would replace. Raises AccessDenied, InvalidInput, PersonalDataInText.
    """
    authorize(principal, "retention.read", ResourceRef("retention_policy"))
    policies = [policy for policy in policies_in_force() if policy.pk != instead_of]
    if terms is not None:
        check_terms(terms)
        policies.append(RetentionPolicy(created_by=principal.id, **terms.columns()))
    by = database_now() + timedelta(days=days)
    rows = judged(policies)
    if terms is None:
        affected = rows.filter(Q(acts_at__lte=by) | Q(destroy_due__lte=by) | Q(anonymize_due__lte=by))
    else:
        affected = rows.filter(**{f"due_{len(policies) - 1}__lte": by})
    acts = affected.filter(acts_at__lte=by).order_by().values_list("acts_as").annotate(Count("pk"))
    seen = affected.filter(pk__in=Dataset.objects.visible_to(principal).values("pk")).order_by("acts_at", "pk")
    return Preview(
        by=by,
        affected=affected.count(),
        held=affected.filter(legal_hold=True).count(),
        kept=affected.filter(kept__gt=by).count(),
        acts=dict(acts),
        judgements=[_counted(judgement_of(row, policies)) for row in seen[:NAMED]],
    )


def _counted(judgement: Judgement) -> Judgement:
    """With how many findings the branches show, where it is to be anonymized."""
    if judgement.action != RetentionAction.ANONYMIZE:
        return judgement
    return replace(judgement, findings=count_findings(judgement.dataset))


def calendar(principal: Principal) -> list[CalendarMonth]:
    """What is due already and what falls due in each of the next MONTHS months. Raises AccessDenied."""
    authorize(principal, "retention.read", ResourceRef("retention_policy"))
    return months_ahead(policies_in_force())


def months_ahead(policies: Sequence[RetentionPolicy]) -> list[CalendarMonth]:
    """As :func:`calendar`, of these policies, without a decision."""
    now = database_now()
    months = [first_of_month(now, later=number) for number in range(MONTHS)]
    due = judged(policies).filter(acts_at__lt=first_of_month(now, later=MONTHS)).order_by()
    counts: dict[datetime | None, Counter[str]] = {month: Counter() for month in [None, *months]}
    for action, number in due.filter(acts_at__lte=now).values_list("acts_as").annotate(Count("pk")):
        counts[None][action] += number
    ahead = due.filter(acts_at__gt=now).annotate(month=TruncMonth("acts_at"))
    for month, action, number in ahead.values_list("month", "acts_as").annotate(Count("pk")):
        counts[month][action] += number
    return [CalendarMonth(month, dict(found)) for month, found in counts.items()]


def due_in_month(
    principal: Principal, month: datetime | None, *, limit: int, after: UUID | None = None
) -> list[Judgement]:
    """Of what :func:`calendar` counts for a month (None: due already), at most ``limit`` that the principal may see.

    In the order of their ids, following the dataset of id ``after``. Raises AccessDenied.
    """
    authorize(principal, "retention.read", ResourceRef("retention_policy"))
    policies, now = policies_in_force(), database_now()
    due = Q(acts_at__lte=now) if month is None else Q(acts_at__gt=now, acts_at__gte=month)
    if month is not None:
        due &= Q(acts_at__lt=first_of_month(month, later=1))
    rows = judged(policies).filter(due, pk__in=Dataset.objects.visible_to(principal).values("pk")).order_by("pk")
    rows = rows.filter(pk__gt=after) if after else rows
    return [judgement_of(row, policies) for row in rows[:limit]]


def first_of_month(moment: datetime, *, later: int = 0) -> datetime:
    """The beginning of the month so many months after that of ``moment``."""
    place = moment.year * 12 + moment.month - 1 + later
    return moment.replace(year=place // 12, month=place % 12 + 1, day=1, hour=0, minute=0, second=0, microsecond=0)
