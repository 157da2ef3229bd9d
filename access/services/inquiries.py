"""How the vault would decide: asked on behalf of anybody, recorded as what somebody wanted to know."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid5

from access.models import Role, ServiceAccount, User
from access.policy.builtin import RULES
from access.policy.decision import Decision, Obligation
from access.policy.question import Question, Subject, as_uuid, valid_address
from access.ports import resource_source
from access.selectors import service_principal, user_principal
from access.services.authorize import authorize, decide
from access.services.policies_in_force import policies_in_force
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

ACTION: Final = "policy.evaluate"
#: The customer's four operations, and what they mean on a dataset.
OPERATIONS: Final[Mapping[str, str]] = {
    "read": "record.read",
    "write": "record.write",
    "update": "dataset.update",
    "delete": "dataset.delete",
    "export": "export.create",
    "list": "dataset.list",
}
#: How long an answer may be kept by who asked, in seconds, when it depends neither on the time nor on a grant.
TTL: Final = 60
#: Principals or datasets looked at in one search.
SEARCHED: Final = 500
_TIMELY: Final = frozenset(
    {("context", "time"), ("context", "hour"), ("context", "weekday"), ("principal", "auth_age")}
)
_RESOURCES: Final = ResourceRef("policy", "evaluate")
#: Ids that are no UUIDs are known to nobody here; each stands for itself.
_STRANGERS: Final = UUID("5b0f6a7e-3f0a-5c6e-8f4c-0c2b7a0c9d11")


@dataclass(frozen=True)
class Asked:
    """A question from outside. What the vault knows itself of the subject and the dataset goes before what is said.

    ``roles`` and ``attributes`` are claims about a subject that the vault does not know. ``time`` is aware.
    """

    subject_id: str
    action: str
    subject_kind: str = "user"
    roles: tuple[str, ...] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)
    resource_type: str = "dataset"
    resource_id: str = ""
    classification: str = ""
    tags: tuple[str, ...] | None = None
    purpose: str | None = None
    time: datetime | None = None
    ip_address: str = ""


@dataclass(frozen=True)
class Reply:
    """``decision`` is what the decision point would say; ``ttl_seconds`` for how long who asked may go by it."""

    question: Question
    decision: Decision
    ttl_seconds: int

    @property
    def is_allowed(self) -> bool:
        return self.decision.effect != "deny"


def inquire(principal: Principal, asked: Sequence[Asked]) -> list[Reply]:
    """What the decision point would answer to each. Raises AccessDenied."""
    authorize(principal, ACTION, _RESOURCES, facts={"questions": len(asked)})
    replies = [reply_to(one) for one in asked]
    allowed = sum(reply.is_allowed for reply in replies)
    facts: dict[str, Any] = {"questions": len(asked), "allowed": allowed, "epoch": policies_in_force().number}
    if len(replies) == 1:
        facts |= {"action": replies[0].question.action, "subject": replies[0].question.subject.id}
    emit(Event(EventType.POLICY_EVALUATED, operation="read", resource=_RESOURCES, metadata=facts))
    return replies


def allow_search(principal: Principal, wanted: str) -> None:
    """Decide on searching for ``wanted`` (subject, resource or action). Raises AccessDenied."""
    authorize(principal, ACTION, _RESOURCES, facts={"search": wanted})


def reply_to(asked: Asked) -> Reply:
    """The answer to one question, in the open scope; records nothing."""
    return answer_for(subject_of(asked), asked)


def answer_for(subject: Principal, asked: Asked) -> Reply:
    """The answer for a subject found already."""
    action = OPERATIONS.get(asked.action, asked.action)
    moment = asked.time or datetime.now(UTC)
    question = Question(
        subject=Subject.of(subject, action, moment),
        action=action,
        resource=_resource(asked),
        time=moment,
        purpose=asked.purpose or subject.purpose,
        ip_address=valid_address(asked.ip_address),
    )
    question, decision, _ = decide(subject, question)
    return Reply(question, decision, _ttl(question, decision))


def subject_of(asked: Asked) -> Principal:
    """Whom the question is about: somebody the vault knows, else somebody who is what is claimed of them."""
    found = as_uuid(asked.subject_id)
    known = known_subject(found) if found else None
    if known is not None:
        return known
    kind = "service" if asked.subject_kind == "service" else "user"
    roles = _known_roles(asked.roles)
    return Principal(
        id=found or uuid5(_STRANGERS, asked.subject_id),
        kind=kind,  # type: ignore[arg-type]
        tenant_id=current_tenant_id(),
        name="",
        roles=frozenset(roles),
        permissions=frozenset().union(*roles.values()),
        credential="claimed",
        attributes=dict(asked.attributes),
    )


def known_subject(subject_id: UUID) -> Principal | None:
    """The user or service account of that id, as decisions see it now. It proved itself by nothing here: no mfa."""
    user = User.objects.filter(pk=subject_id).first()
    if user is not None:
        return user_principal(user)
    account = ServiceAccount.objects.filter(pk=subject_id).first()
    return service_principal(account, credential="claimed") if account else None


def allowed_subjects(asked: Asked, *, after: UUID | None, limit: int) -> tuple[list[Principal], UUID | None]:
    """Users (or service accounts) whom the answer would allow, in order of id, and where to go on; None: at the end."""
    searched = list(_subjects(asked.subject_kind, after))
    found = [one for one in searched if answer_for(one, replace(asked, subject_id=str(one.id))).is_allowed]
    cursor = searched[-1].id if len(searched) == SEARCHED else None
    if len(found) > limit:
        return found[:limit], found[limit - 1].id
    return found, cursor


def allowed_datasets(asked: Asked, *, after: UUID | None, limit: int) -> tuple[list[Reply], UUID | None]:
    """Datasets that the answer would allow the subject, in order of id, and where to go on; None: at the end."""
    subject = subject_of(asked)
    searched = resource_source().datasets(after=after, limit=SEARCHED)
    replies = [answer_for(subject, replace(asked, resource_id=one.id)) for one in searched]
    found = [reply for reply in replies if reply.is_allowed]
    cursor = searched[-1].dataset_id if len(searched) == SEARCHED else None
    if len(found) > limit:
        return found[:limit], found[limit - 1].question.resource.dataset_id
    return found, cursor


def allowed_actions(asked: Asked) -> list[Reply]:
    """The actions that the answer would allow the subject on the resource, by name."""
    subject = subject_of(asked)
    replies = [answer_for(subject, replace(asked, action=action)) for action in sorted(RULES)]
    return [reply for reply in replies if reply.is_allowed]


def _subjects(kind: str, after: UUID | None) -> Iterator[Principal]:
    if kind == "service":
        accounts = ServiceAccount.objects.filter(is_active=True).order_by("pk")
        accounts = accounts.filter(pk__gt=after) if after else accounts
        yield from (service_principal(one, credential="claimed") for one in accounts[:SEARCHED])
        return
    users = User.objects.filter(is_active=True).order_by("pk")
    users = users.filter(pk__gt=after) if after else users
    yield from (user_principal(one) for one in users[:SEARCHED])


def _known_roles(codes: Sequence[str]) -> dict[str, frozenset[str]]:
    """The tenant's roles among the codes, which may be written with hyphens, with their permissions."""
    wanted = {code for claimed in codes for code in (claimed, claimed.replace("-", "_"))}
    rows = Role.objects.filter(code__in=wanted).values_list("code", "permissions")
    return {code: frozenset(permissions) for code, permissions in rows}


def _resource(asked: Asked) -> ResourceRef:
    dataset_id = as_uuid(asked.resource_id) if asked.resource_type == "dataset" else None
    known = resource_source().find_dataset(dataset_id) if dataset_id else None
    if known is not None:
        return known
    return ResourceRef(
        type=asked.resource_type,
        id=str(dataset_id) if dataset_id else asked.resource_id,
        dataset_id=dataset_id,
        classification=asked.classification,
        tags=asked.tags,
    )


def _ttl(question: Question, decision: Decision) -> int:
    if decision.effect == "deny" or question.action not in RULES or question.grants:
        return 0
    asked = policies_in_force().compiled.slice_for(question.action, question.subject.roles).mentions
    return 0 if asked & _TIMELY else TTL


def describe_obligation(obligation: Obligation) -> dict[str, Any]:
    """An obligation in the members of the customer's contract."""
    if obligation.type == "audit_level":
        return {"type": "audit_log", "level": obligation.value}
    shown: dict[str, Any] = {"type": obligation.type}
    if obligation.type in {"anonymize", "mask"}:
        shown["fields"] = list(obligation.fields)
    named = {"operator": obligation.operator, "policy": obligation.policy, "value": obligation.value}
    return shown | {name: value for name, value in named.items() if value}
