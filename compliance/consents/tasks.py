"""What a withdrawal leaves to be done: records to decide on, and exports that went out before it."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Count, TextField
from django.db.models.functions import Cast
from django.utils import timezone

from access.selectors import may
from access.services.authorize import Obligation, authorize
from access.work_selectors import Waiting
from compliance.consents.source import RecordedConsents
from compliance.errors.consent import ConsentTaskDecided, ConsentTaskNotFound
from compliance.models import ConsentKey, ConsentTask
from datasets.models import Export, GuaranteedExport, SubjectIndexEntry
from datasets.services.consent import KIND
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal

MAX_GROUND: Final = 1000
OUTCOMES: Final = ("erased", "kept")
#: Exports that the list names, the newest of each kind.
MOST: Final = 200


@dataclass(frozen=True)
class Found:
    """Records of one dataset in which the subject index finds the person."""

    dataset_id: UUID
    records: int


@dataclass(frozen=True)
class ShownTask:
    """A withdrawal whose records somebody decides on; nothing of it names the person."""

    id: UUID
    consent_id: UUID
    purpose: str
    withdrawn_at: datetime
    outcome: str
    ground: str
    decided_by: UUID | None
    decided_at: datetime | None
    found: tuple[Found, ...]


@dataclass(frozen=True)
class ToRecall:
    """An export that may hold records of somebody who has withdrawn since it was asked for; no more is downloaded."""

    id: UUID
    kind: str
    dataset_id: UUID
    purpose: str
    created_at: datetime
    requested_by: UUID | None


def list_tasks(
    principal: Principal, *, after: UUID | None, limit: int, is_open: bool = False, purpose: str = ""
) -> list[ShownTask]:
    """At most ``limit`` tasks, the newest first. Raises AccessDenied."""
    authorize(principal, "consent.read", ResourceRef("consent_task"))
    rows = ConsentTask.objects.order_by("-pk").select_related("withdrawal__consent__purpose")
    rows = rows.filter(pk__lt=after) if after else rows
    rows = rows.filter(outcome="") if is_open else rows
    rows = rows.filter(withdrawal__consent__purpose__code=purpose) if purpose else rows
    return [_shown(row) for row in rows[:limit]]


def decide_task(principal: Principal, *, task_id: UUID, outcome: str, ground: str) -> ShownTask:
    """Say that the records were erased, or why they are kept (GDPR Art. 17(1)(b): on which other lawful ground).

    Raises AccessDenied, ConsentTaskNotFound, ConsentTaskDecided, InvalidInput (also where records are said to be erased
    in which the subject index still finds the person), PersonalDataInText.
    """
    authorize(principal, "consent.manage", ResourceRef("consent_task", str(task_id)))
    if outcome not in OUTCOMES or not 0 < len(ground.strip()) <= MAX_GROUND:
        detail = f"{' or '.join(OUTCOMES)}, with a ground of 1 to {MAX_GROUND} characters"
        raise InvalidInput(errors=[FieldProblem("/outcome", detail)])
    refuse_personal_data(ground=ground)
    row = ConsentTask.objects.select_for_update(of=("self",)).filter(pk=task_id).first()
    if row is None:
        raise ConsentTaskNotFound
    if row.outcome:
        raise ConsentTaskDecided
    if outcome == "erased" and _found(row):
        raise InvalidInput(errors=[FieldProblem("/outcome", "the subject index still finds records of the person")])
    row.outcome, row.ground = outcome, ground.strip()
    row.decided_by, row.decided_at = principal.id, timezone.now()
    row.save(update_fields=["outcome", "ground", "decided_by", "decided_at"])
    emit(
        Event(
            type=EventType.CONSENT_TASK_DECIDED,
            operation="update",
            resource=ResourceRef("consent_task", str(task_id)),
            metadata={"outcome": outcome},
        )
    )
    return _shown(row)


def tasks_to_decide(principal: Principal) -> Waiting:
    """Withdrawals that wait for a privacy officer to decide on their records."""
    return Waiting(ConsentTask.objects.filter(outcome="").count() if may(principal, "consent.manage") else 0)


def exports_to_recall(principal: Principal) -> list[ToRecall]:
    """Exports whose files are still here and which their recipients may hold a copy of. Raises AccessDenied."""
    authorize(principal, "consent.read", ResourceRef("export"))
    found = [*_made_under_consent(Export, "export"), *_made_under_consent(GuaranteedExport, "guaranteed export")]
    source = RecordedConsents()
    return [
        one
        for one, purposes in found
        if any(source.is_withdrawn_since(purpose, one.dataset_id, one.created_at) for purpose in purposes)
    ]


def _made_under_consent(model: Any, kind: str) -> list[tuple[ToRecall, list[str]]]:
    """The newest, however many were made under no consent since, with the purposes that were to be agreed to."""
    rows = model.objects.filter(status=JobStatus.SUCCEEDED, removed_at=None).order_by("-created_at")
    # Where one of the obligations begins; inside one, a backslash comes before the quotation mark.
    begins = rf'[\[ ]"{KIND}:'
    rows = rows.annotate(said=Cast("obligations", TextField())).filter(said__regex=begins)
    columns = ("id", "dataset_id", "purpose", "created_at", "requested_by", "obligations")
    return [
        (ToRecall(pk, kind, dataset_id, purpose, created_at, by), _purposes_in(obligations))
        for pk, dataset_id, purpose, created_at, by, obligations in rows.values_list(*columns)[:MOST]
    ]


def _purposes_in(obligations: list[str]) -> list[str]:
    return [one.value for one in map(Obligation.of, obligations) if one.type == KIND]


def _found(row: ConsentTask) -> tuple[Found, ...]:
    keys = ConsentKey.objects.filter(consent=row.withdrawal.consent_id).values("key")
    rows = SubjectIndexEntry.objects.filter(key__in=keys).values("dataset_id").order_by("dataset_id")
    counted = rows.annotate(records=Count("record_id", distinct=True)).values_list("dataset_id", "records")
    return tuple(Found(dataset_id, records) for dataset_id, records in counted)


def _shown(row: ConsentTask) -> ShownTask:
    withdrawal = row.withdrawal
    return ShownTask(
        id=row.pk,
        consent_id=withdrawal.consent_id,
        purpose=withdrawal.consent.purpose.code,
        withdrawn_at=withdrawal.withdrawn_at,
        outcome=row.outcome,
        ground=row.ground,
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        found=_found(row),
    )
