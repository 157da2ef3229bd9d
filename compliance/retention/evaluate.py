"""What the policies in force ask of each dataset, computed by the database.

Precedence, where several policies name one dataset: the strictest minimum wins (the latest of their ends, or what the
dataset's row promises, if that is later); of the actions the one due first acts, but what destroys acts only when the
longest minimum is over. Where the dataset itself says that it is kept for fewer days (``retention_days``), those count
for what destroys. One that is archived is no longer due for that: what is due next acts next. Of two that are due at
once, the one that destroys more acts.

To anonymize destroys what was there: it waits for the longest minimum as deletion does, and does not come before a
deletion that is due. A dataset is due for it again when a version has come since; a version that only anonymizes counts
as no ingest.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.db.models import (
    Case,
    CharField,
    DateTimeField,
    DurationField,
    Exists,
    ExpressionWrapper,
    F,
    Max,
    OuterRef,
    Q,
    QuerySet,
    Subquery,
    Value,
    When,
)
from django.db.models.functions import Cast, Coalesce, Greatest, Least, Now

from compliance.models import RetentionAction, RetentionEvent, RetentionPolicy, RetentionStart
from datasets.models import Dataset, DatasetTag, DatasetUse, Masking, Version, VersionKind
from vaultsite.kernel.jobs import JobStatus

#: Typed, because the database takes the greatest of nulls alone for a text.
_NEVER: Final = Cast(Value(None), DateTimeField())
_DESTROYING: Final = frozenset({RetentionAction.SHRED.value, RetentionAction.DELETE.value})


@dataclass(frozen=True)
class Judgement:
    """What the policies ask of a dataset: ``action`` by ``policy`` at ``acts_at`` (None: nothing ever).

    ``due_at`` is when the policy's own period ends, which a minimum may come after: until ``keep_until`` nothing
    destroys it, as ``keep_policy`` asks (None: what the row promises, or nothing).
    """

    dataset: Dataset
    acts_at: datetime | None
    due_at: datetime | None
    policy: RetentionPolicy | None
    keep_until: datetime | None
    keep_policy: RetentionPolicy | None
    #: How many findings its branches show, where somebody counted them.
    findings: int | None = None

    @property
    def action(self) -> str:
        return self.policy.action if self.policy else ""


def judged(policies: Sequence[RetentionPolicy], *, with_deleted: bool = False) -> QuerySet[Any]:
    """Datasets, each with ``acts_at``, ``acts_as``, ``kept`` and, by a policy's place, ``due_0``, ``keep_0`` and so on.

    ``acts_as`` is the action, ``kept`` the end of the longest minimum, ``asked`` of those of ``policies`` alone.
    ``policies`` need not be saved. ``with_deleted``: also those that can be restored.
    """
    rows: QuerySet[Any] = Dataset.objects.filter(purged_at=None).annotate(**_moments())
    if not with_deleted:
        rows = rows.filter(deleted_at=None)
    places = {f"due_{place}": _due(policy) for place, policy in enumerate(policies)}
    places |= {f"keep_{place}": _keep(policy) for place, policy in enumerate(policies)}
    dues = [(policy.action, F(f"due_{place}")) for place, policy in enumerate(policies)]
    destroying = [due for action, due in dues if action in _DESTROYING]
    anonymizing = [due for action, due in dues if action == RetentionAction.ANONYMIZE]
    shredding = [due for action, due in dues if action == RetentionAction.SHRED]
    archiving = [due for action, due in dues if action == RetentionAction.ARCHIVE]
    asked = [F(f"keep_{place}") for place in range(len(policies))]
    rows = rows.annotate(**places).annotate(
        asked=Greatest(_NEVER, _NEVER, *asked),
        destroy_due=Least(_NEVER, _NEVER, *destroying),
        shred_due=Least(_NEVER, _NEVER, *shredding),
        anonymize_due=Least(_NEVER, _NEVER, *anonymizing),
        archive_at=Least(_NEVER, _NEVER, *archiving),
    )
    rows = rows.annotate(kept=Greatest(F("keep_until"), F("asked")))
    rows = rows.annotate(destroy_at=_once_kept("destroy_due"), anonymize_at=_once_kept("anonymize_due"))
    first = Least(F("destroy_at"), F("anonymize_at"), F("archive_at"))
    judged_rows: QuerySet[Any] = rows.annotate(acts_at=first, acts_as=_action())
    return judged_rows


def _once_kept(due: str) -> Case:
    """The greatest of nothing and a minimum would be the minimum: what is never due stays so."""
    return Case(When(**{f"{due}__isnull": False}, then=Greatest(F(due), F("kept"))), default=_NEVER)


def _action() -> Case:
    to_archive = Q(archive_at__isnull=False) & _before("archive", "destroy") & _before("archive", "anonymize")
    is_not_going = Q(destroy_at=None) | Q(destroy_at__gt=Greatest(F("anonymize_at"), Now()))
    to_anonymize = Q(anonymize_at__isnull=False) & is_not_going
    return Case(
        When(to_archive, then=Value(RetentionAction.ARCHIVE.value)),
        When(to_anonymize, then=Value(RetentionAction.ANONYMIZE.value)),
        When(destroy_at=None, then=Value("")),
        When(shred_due=F("destroy_due"), then=Value(RetentionAction.SHRED.value)),
        default=Value(RetentionAction.DELETE.value),
        output_field=CharField(),
    )


def _before(one: str, other: str) -> Q:
    """Whether the one is due sooner than the other, if that is due at all."""
    return Q(**{f"{other}_at": None}) | Q(**{f"{one}_at__lt": F(f"{other}_at")})


def judgement_of(row: Any, policies: Sequence[RetentionPolicy]) -> Judgement:
    """Read a row of :func:`judged`, made with the same ``policies``."""
    keeps = [policy for place, policy in enumerate(policies) if row.kept and getattr(row, f"keep_{place}") == row.kept]
    keep_policy = keeps[0] if keeps else None
    due_at, policy = _acting(row, policies)
    return Judgement(row, row.acts_at, due_at, policy, row.kept, keep_policy)


def _acting(row: Any, policies: Sequence[RetentionPolicy]) -> tuple[datetime | None, RetentionPolicy | None]:
    """Of the policies that ask for what acts, the one whose period ends first; the oldest of several."""
    dues = [
        (due, place)
        for place, policy in enumerate(policies)
        if policy.action == row.acts_as and (due := getattr(row, f"due_{place}")) is not None
    ]
    if not row.acts_as or not dues:
        return None, None
    due, place = min(dues)
    return due, policies[place]


def _moments() -> dict[str, Any]:
    """From when periods count; a dataset without versions counts from its creation."""
    versions = (
        Version.objects.filter(dataset=OuterRef("pk")).exclude(kind=VersionKind.MASK).order_by().values("dataset")
    )
    uses = DatasetUse.objects.filter(dataset=OuterRef("pk")).order_by().values("dataset")
    ingested = Coalesce(Subquery(versions.annotate(last=Max("created_at")).values("last")), F("created_at"))
    return {
        "ingested_at": ingested,
        "accessed_at": Greatest(Subquery(uses.annotate(last=Max("last_read_at")).values("last")), ingested),
    }


def _start(policy: RetentionPolicy) -> Any:
    if policy.starts == RetentionStart.EVENT:
        events = RetentionEvent.objects.filter(dataset=OuterRef("pk"), name=policy.event)
        return Subquery(events.values("occurred_at")[:1])
    return F({"created": "created_at", "ingest": "ingested_at", "access": "accessed_at"}[policy.starts])


def _after(policy: RetentionPolicy, days: Any, also: Q) -> Any:
    length = ExpressionWrapper(Value(timedelta(days=1)) * days, output_field=DurationField())
    end = ExpressionWrapper(_start(policy) + length, output_field=DateTimeField())
    return Case(When(also & named_by(policy), then=end), default=_NEVER, output_field=DateTimeField())


def _due(policy: RetentionPolicy) -> Any:
    if policy.duration_days is None:
        return _NEVER
    if policy.action == RetentionAction.ARCHIVE:
        return _after(policy, Value(policy.duration_days), Q(archived_at=None))
    if policy.action == RetentionAction.ANONYMIZE:
        return _after(policy, Least(Value(policy.duration_days), F("retention_days")), _shows_new())
    return _after(policy, Least(Value(policy.duration_days), F("retention_days")), Q())


def _shows_new() -> Q:
    """Whether versions have come since the dataset was anonymized, or it never was."""
    done = Masking.objects.filter(dataset=OuterRef("dataset"), status=JobStatus.SUCCEEDED).order_by()
    upto = Subquery(done.values("dataset").annotate(last=Max("upto")).values("last"))
    return Q(Exists(Version.objects.filter(dataset=OuterRef("pk"), sequence__gt=Coalesce(upto, 0))))


def _keep(policy: RetentionPolicy) -> Any:
    return _NEVER if policy.minimum_days is None else _after(policy, Value(policy.minimum_days), Q())


def named_by(policy: RetentionPolicy) -> Q:
    """The datasets that a policy's conditions name."""
    named = Q(pk__isnull=False)
    if policy.classifications:
        named &= Q(classification__in=policy.classifications)
    for tag in policy.tags:
        named &= Q(Exists(DatasetTag.objects.filter(dataset=OuterRef("pk"), tag=tag)))
    if policy.purposes:
        named &= Q(Exists(DatasetUse.objects.filter(dataset=OuterRef("pk"), purpose__in=policy.purposes)))
    return named
