"""Many questions to the decision point at once: asked in one request, answered by a worker, read when they are."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
from django.db.models import F, QuerySet
from django.db.models.functions import Coalesce

from access.models import BulkEvaluation, BulkQuestion
from access.policy.errors import EvaluationNotFound
from access.services.authorize import authorize
from access.services.inquiries import ACTION, Asked, answer_for, describe_obligation, subject_of
from access.services.keyring import KeyHandle, column_key, open_column, seal_column
from access.services.policies_in_force import policies_in_force
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import Claim, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.turn import take_turn

MAX_QUESTIONS: Final = 10_000
#: Questions answered in one transaction.
PAGE: Final = 200
_COLUMN: Final = "access.bulk_question"
_COUNTERS: Final = {"allow": "allowed", "allow_with_conditions": "conditional", "deny": "denied"}


def start_evaluation(principal: Principal, *, asked: Sequence[Asked]) -> BulkEvaluation:
    """Queue the questions, from 1 to MAX_QUESTIONS of them. Raises AccessDenied, InvalidInput."""
    authorize(principal, ACTION, _resource(), facts={"questions": len(asked), "bulk": True})
    if not 1 <= len(asked) <= MAX_QUESTIONS:
        raise InvalidInput(errors=[FieldProblem("/evaluations", f"from 1 to {MAX_QUESTIONS} of them")])
    bulk = BulkEvaluation.objects.create(questions=len(asked), requested_by=principal.id, lease_until=new_lease())
    sealing = column_key()
    rows = (_sealed(bulk, number, one, sealing) for number, one in enumerate(asked))
    BulkQuestion.objects.bulk_create(rows, batch_size=1000)
    enqueue(bulk)
    return bulk


def get_evaluation(principal: Principal, *, bulk_id: UUID) -> BulkEvaluation:
    """The principal's own. Raises AccessDenied, EvaluationNotFound."""
    authorize(principal, ACTION, _resource(bulk_id))
    found = BulkEvaluation.objects.filter(pk=bulk_id, requested_by=principal.id).first()
    if found is None:
        raise EvaluationNotFound
    return found


def list_evaluations(principal: Principal, *, limit: int) -> list[BulkEvaluation]:
    """The principal's own, newest first. Raises AccessDenied."""
    authorize(principal, ACTION, _resource())
    return list(BulkEvaluation.objects.filter(requested_by=principal.id).order_by("-id")[:limit])


def answers_of(bulk: BulkEvaluation, *, effect: str = "", after: int = -1, limit: int) -> list[BulkQuestion]:
    """Answered questions in their order, after a number; ``effect`` picks one kind of answer."""
    rows: QuerySet[BulkQuestion] = BulkQuestion.objects.filter(bulk=bulk, number__gt=after)
    rows = rows.filter(effect=effect) if effect else rows.exclude(effect="")
    return list(rows.order_by("number")[:limit])


def is_of_today(bulk: BulkEvaluation) -> bool:
    """Whether every answer so far is of the policies in force now."""
    return bulk.first_epoch == bulk.last_epoch == policies_in_force().number


def question_in(row: BulkQuestion) -> Asked:
    """What was asked. Raises IntegrityFailure, KeyUnavailable."""
    stored: dict[str, Any] = orjson.loads(open_column(_COLUMN, row.pk.bytes, bytes(row.sealed)))
    time, tags = stored.pop("time"), stored.pop("tags")
    return Asked(
        **stored | {"roles": tuple(stored["roles"])},
        tags=None if tags is None else tuple(tags),
        time=datetime.fromisoformat(time) if time else None,
    )


def run_evaluation(tenant_id: UUID, bulk_id: UUID) -> None:
    """Continue from the checkpoint until every question is answered, or another worker has taken over."""
    take_turn(BulkEvaluation, tenant_id, bulk_id, _run)


def _run(bulk: BulkEvaluation, held: Claim) -> None:
    answered: int = bulk.checkpoint.get("answered", 0)
    while answered < bulk.questions:
        with held.scope():
            rows = list(BulkQuestion.objects.filter(bulk=bulk, number__gte=answered).order_by("number")[:PAGE])
            counted = _answer(rows)
            epoch = policies_in_force().number
            added = {_COUNTERS[effect]: F(_COUNTERS[effect]) + count for effect, count in counted.items()}
            answered += len(rows)
            progress = {"percent": 100 * answered // bulk.questions}
            held.save(
                **added,
                first_epoch=Coalesce("first_epoch", epoch),
                last_epoch=epoch,
                checkpoint={"answered": answered},
                progress=progress,
            )
    with held.scope():
        done = BulkEvaluation.objects.get(pk=bulk.pk)
        facts = {"questions": done.questions, "allowed": done.allowed + done.conditional, "epoch": done.last_epoch}
        emit(Event(EventType.POLICY_EVALUATED, operation="read", resource=_resource(bulk.pk), metadata=facts))
        held.finish(progress={"percent": 100})


def _answer(rows: Sequence[BulkQuestion]) -> Counter[str]:
    """Answer one page in the open scope; who is asked about several times is looked up once."""
    subjects: dict[tuple[Any, ...], Principal] = {}
    counted: Counter[str] = Counter()
    for row in rows:
        asked = question_in(row)
        who = (asked.subject_id, asked.subject_kind, asked.roles, tuple(sorted(asked.attributes.items())))
        if who not in subjects:
            subjects[who] = subject_of(asked)
        reply = answer_for(subjects[who], asked)
        row.effect, row.reason = reply.decision.effect, reply.decision.reason[:100]
        row.obligations = [describe_obligation(one) for one in reply.decision.obligations]
        row.policies, row.ttl_seconds = list(reply.decision.policy_ids), reply.ttl_seconds
        counted[row.effect] += 1
    BulkQuestion.objects.bulk_update(rows, ["effect", "reason", "obligations", "policies", "ttl_seconds"])
    return counted


def _sealed(bulk: BulkEvaluation, number: int, asked: Asked, sealing: KeyHandle) -> BulkQuestion:
    pk = uuid7()
    content = orjson.dumps(asdict(asked) | {"attributes": dict(asked.attributes)})
    return BulkQuestion(id=pk, bulk=bulk, number=number, sealed=seal_column(_COLUMN, pk.bytes, content, sealing))


def _resource(bulk_id: UUID | None = None) -> ResourceRef:
    return ResourceRef("policy", str(bulk_id) if bulk_id else "evaluations")
