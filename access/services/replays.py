"""A draft replayed over recorded decisions: who would gain or lose what."""

import hashlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models import F
from django.utils import timezone

from access.models import AccessPolicyVersion, PolicyReplay, ReplayDifference
from access.policy.builtin import RULES
from access.policy.cedar.compiled import CompiledPolicies
from access.policy.cedar.evaluation import Answer, evaluate
from access.policy.cedar.statement import Statement, read_statement
from access.policy.errors import AccessPolicyNotFound, ReplayNotFound
from access.policy.question import Question
from access.policy.recorded import SETTLED, question_of
from access.ports import RecordedDecision, decision_history, resource_source
from access.services.authorize import authorize
from access.services.policies import READ, resource_of
from access.services.policies_in_force import statements_in_force
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.jobs import Claim, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.turn import take_turn

#: Decisions decided on again in one transaction.
PAGE: Final = 1000
MAX_DAYS: Final = 366
_DENIED: Final = "deny"
#: Characters of an answer that a difference keeps.
_MAX_SAID: Final = 300


@dataclass(frozen=True)
class _Sets:
    """The policies as they are, and as they would be."""

    current: CompiledPolicies
    drafted: CompiledPolicies


@dataclass
class _Counts:
    replayed: int = 0
    differing: int = 0
    drifted: int = 0
    unreplayable: int = 0


def start_replay(
    principal: Principal, *, policy_id: UUID, number: int, days: int, without: bool = False
) -> PolicyReplay:
    """Queue the replay of a version over the last ``days`` days; ``without``: as if the policy were not there.

    Raises AccessDenied, AccessPolicyNotFound, InvalidInput.
    """
    authorize(principal, READ, resource_of(policy_id), facts={"replay": number, "days": days})
    if not 1 <= days <= MAX_DAYS:
        raise InvalidInput(errors=[FieldProblem("days", f"from 1 to {MAX_DAYS}")])
    version = AccessPolicyVersion.objects.filter(policy_id=policy_id, number=number).first()
    if version is None:
        raise AccessPolicyNotFound
    until = timezone.now()
    replay = PolicyReplay.objects.create(
        version=version,
        without=without,
        days=days,
        since=until - timedelta(days=days),
        until=until,
        requested_by=principal.id,
        lease_until=new_lease(),
    )
    enqueue(replay)
    return replay


def get_replay(principal: Principal, *, replay_id: UUID) -> PolicyReplay:
    """Raises AccessDenied, ReplayNotFound."""
    authorize(principal, READ, resource_of(), facts={"replay": str(replay_id)})
    found = PolicyReplay.objects.select_related("version__policy").filter(pk=replay_id).first()
    if found is None:
        raise ReplayNotFound
    return found


def run_replay(tenant_id: UUID, replay_id: UUID) -> None:
    """Continue a replay from its checkpoint until it ends or is taken over by another worker."""
    take_turn(PolicyReplay, tenant_id, replay_id, _run)


def _run(replay: PolicyReplay, held: Claim) -> None:
    with held.scope():
        sets = _sets(replay)
    after = _position(replay.checkpoint)
    while True:
        with held.scope():
            page = decision_history().page(since=replay.since, until=replay.until, after=after, limit=PAGE)
            if not page:
                _finish(replay, held)
                return
            counts, differences = _compare(page, sets)
            _keep(replay, differences)
            after = (page[-1].time, page[-1].event_id)
            PolicyReplay.objects.filter(pk=replay.pk).update(
                **{name: F(name) + count for name, count in vars(counts).items()},
            )
            held.save(
                checkpoint={"time": after[0].isoformat(), "id": str(after[1])}, progress=_progress(replay, after[0])
            )


def _sets(replay: PolicyReplay) -> _Sets:
    """The statements in force, and the same with the replayed version in the place of its policy's."""
    version = AccessPolicyVersion.objects.select_related("policy").get(pk=replay.version_id)
    current = statements_in_force()
    prefix = f"policy:{version.policy.name}@"
    drafted: list[Statement] = [one for one in current if not one.id.startswith(prefix)]
    if not replay.without:
        drafted.append(read_statement(version.statement_id, version.text))
    return _Sets(CompiledPolicies(current), CompiledPolicies(drafted))


def _compare(
    page: Sequence[RecordedDecision], sets: _Sets
) -> tuple[_Counts, Counter[tuple[str, UUID, str, str, str, str, str]]]:
    counts, differences = _Counts(), Counter[tuple[str, UUID, str, str, str, str, str]]()
    for recorded in page:
        question = question_of(recorded)
        if question is None or question.action not in RULES:
            counts.unreplayable += 1
            continue
        counts.replayed += 1
        if recorded.reason in SETTLED and not recorded.is_allowed:
            continue
        question = _described(question, sets)
        before, after = evaluate(question, sets.current), evaluate(question, sets.drafted)
        counts.drifted += before.is_allowed != recorded.is_allowed
        if _said(before) != _said(after):
            counts.differing += 1
            differences[_key(recorded, _said(before), _said(after))] += 1
    return counts, differences


def _said(answer: Answer) -> str:
    if not answer.is_allowed:
        return _DENIED
    return ", ".join(["allow", *sorted(map(str, answer.obligations))])


def _key(recorded: RecordedDecision, before: str, after: str) -> tuple[str, UUID, str, str, str, str, str]:
    what = recorded.resource
    said = (_kept_text(before), _kept_text(after))
    return (recorded.actor_kind, recorded.actor_id, recorded.action, what.type[:63], what.id[:200], *said)


def _kept_text(said: str) -> str:
    """What is too long to be kept ends in the beginning of its SHA-256, so that different answers stay different."""
    if len(said) <= _MAX_SAID:
        return said
    return f"{said[: _MAX_SAID - 18]}… {hashlib.sha256(said.encode()).hexdigest()[:16]}"


def _described(question: Question, sets: _Sets) -> Question:
    """Tags, and how records name people, as they are now, where a policy asks for them and they were not recorded."""
    asked = {
        name
        for compiled in (sets.current, sets.drafted)
        for kind, name in compiled.slice_for(question.action, question.subject.roles).mentions
        if kind == "resource"
    }
    what = question.resource
    is_lacking = ("tags" in asked and what.tags is None) or ("consent" in asked and not what.consent)
    if not is_lacking or not question.is_about_dataset:
        return question
    return replace(question, resource=resource_source().described(what))


def _keep(replay: PolicyReplay, differences: Counter[tuple[str, UUID, str, str, str, str, str]]) -> None:
    for (kind, who, action, what, what_id, before, after), number in differences.items():
        row, _ = ReplayDifference.objects.get_or_create(
            replay=replay,
            principal_kind=kind,
            principal=who,
            action=action,
            resource_type=what,
            resource_id=what_id,
            before=before,
            after=after,
        )
        ReplayDifference.objects.filter(pk=row.pk).update(decisions=F("decisions") + number)


def _finish(replay: PolicyReplay, held: Claim) -> None:
    done = PolicyReplay.objects.get(pk=replay.pk)
    facts = {name: getattr(done, name) for name in ("replayed", "differing", "drifted", "unreplayable")}
    version = AccessPolicyVersion.objects.get(pk=done.version_id)
    resource = resource_of(version.policy_id)
    emit(Event(EventType.POLICY_REPLAYED, operation="read", resource=resource, metadata=facts | {"days": done.days}))
    held.finish(progress={"percent": 100})


def _position(checkpoint: dict[str, Any]) -> tuple[datetime, UUID] | None:
    if not checkpoint:
        return None
    return datetime.fromisoformat(checkpoint["time"]), UUID(checkpoint["id"])


def _progress(replay: PolicyReplay, reached: datetime) -> dict[str, Any]:
    whole = (replay.until - replay.since).total_seconds() or 1.0
    return {"percent": min(99, int(100 * (reached - replay.since).total_seconds() / whole))}


def grouped(differences: Iterable[ReplayDifference]) -> dict[str, list[ReplayDifference]]:
    """Differences by what they mean: ``gains`` access, ``loses`` it, or is shown it ``otherwise``."""
    found: dict[str, list[ReplayDifference]] = {"gains": [], "loses": [], "otherwise": []}
    for one in differences:
        kind = "gains" if one.before == _DENIED else "loses" if one.after == _DENIED else "otherwise"
        found[kind].append(one)
    return found
