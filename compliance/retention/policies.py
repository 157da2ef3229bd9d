"""Make, change and end retention policies."""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import F
from django.db.models.functions import Now

from access.selectors import is_known_purpose
from access.services.authorize import authorize
from compliance.errors.retention import RetentionPolicyNameTaken, TooManyRetentionPolicies
from compliance.models import RetentionAction, RetentionClock, RetentionEvent, RetentionPolicy, RetentionStart
from compliance.models.retention import MAX_BASIS, MAX_NAME
from compliance.retention.keeping import promise_all, promise_anew
from compliance.retention.selectors import find_policy, policies_in_force
from datasets.models import Classification, Dataset
from datasets.selectors import get_dataset, resource_of
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: Policies in force at a time: each is a few expressions in the statement that judges a dataset.
MAX_POLICIES: Final = 50
#: A hundred years.
MAX_DAYS: Final = 36_500
MAX_GRACE: Final = 365
MAX_CONDITIONS: Final = 16
#: The members of a policy that say how long it keeps what.
_OF_A_MINIMUM: Final = ("minimum_days", "starts", "event", "classifications", "tags", "purposes")
_EVENT: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")


@dataclass(frozen=True)
class PolicyTerms:
    """Everything a policy says; see RetentionPolicy."""

    name: str
    legal_basis: str
    starts: str
    event: str = ""
    minimum_days: int | None = None
    duration_days: int | None = None
    action: str = ""
    grace_days: int = 14
    classifications: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()

    def columns(self) -> dict[str, Any]:
        lists = {name: list(getattr(self, name)) for name in ("classifications", "tags", "purposes")}
        return asdict(self) | lists


def terms_of(policy: RetentionPolicy) -> PolicyTerms:
    """What a policy says at present."""
    return terms_from({name: getattr(policy, name) for name in PolicyTerms.__dataclass_fields__})


def terms_from(given: Mapping[str, Any]) -> PolicyTerms:
    """Terms of members whose lists need not be tuples."""
    said: dict[str, Any] = {name: tuple(one) if isinstance(one, list) else one for name, one in given.items()}
    return PolicyTerms(**said)


def create_policy(principal: Principal, *, terms: PolicyTerms) -> RetentionPolicy:
    """A policy in force from now on; what it destroys is announced first.

    Raises AccessDenied, InvalidInput, PersonalDataInText, RetentionPolicyNameTaken, TooManyRetentionPolicies.
    """
    authorize(principal, "retention.manage", ResourceRef("retention_policy"), facts={"change": "create"})
    check_terms(terms)
    begin_clock()
    if RetentionPolicy.objects.filter(ended_at=None).count() >= MAX_POLICIES:
        raise TooManyRetentionPolicies(limit=MAX_POLICIES)
    policy = RetentionPolicy(created_by=principal.id, **terms.columns())
    _saving_name(policy, force_insert=True)
    promise_all()
    emit(_changed(policy, "created"))
    return policy


def change_policy(principal: Principal, *, policy_id: UUID, changes: Mapping[str, Any]) -> RetentionPolicy:
    """Another wording of a policy: what was announced by the old one is announced anew.

    ``changes`` are members of PolicyTerms. Raises AccessDenied, RetentionPolicyNotFound, InvalidInput,
    PersonalDataInText, RetentionPolicyNameTaken.
    """
    resource = ResourceRef("retention_policy", str(policy_id))
    authorize(principal, "retention.manage", resource, facts={"change": "update"})
    begin_clock()
    policy = find_policy(policy_id)
    before = terms_of(policy)
    terms = terms_from(asdict(before) | dict(changes))
    check_terms(terms)
    if terms == before:
        return policy
    for name, value in terms.columns().items():
        setattr(policy, name, value)
    policy.revision += 1
    _saving_name(policy)
    RetentionPolicy.objects.filter(pk=policy.pk).update(updated_at=Now())
    policy.refresh_from_db()
    _promise(anew=_asks_otherwise(before, terms))
    emit(_changed(policy, "updated"))
    return policy


def end_policy(principal: Principal, *, policy_id: UUID) -> None:
    """Take a policy out of force; what it announced is withdrawn, what it alone promised is no longer kept.

    Raises AccessDenied, RetentionPolicyNotFound.
    """
    resource = ResourceRef("retention_policy", str(policy_id))
    authorize(principal, "retention.manage", resource, facts={"change": "end"})
    begin_clock()
    policy = find_policy(policy_id)
    RetentionPolicy.objects.filter(pk=policy.pk).update(ended_at=Now(), revision=F("revision") + 1)
    _promise(anew=policy.minimum_days is not None)
    emit(_changed(policy, "ended"))


def record_event(principal: Principal, *, dataset_id: UUID, name: str, occurred_at: datetime) -> RetentionEvent:
    """Say that an event happened from which periods of a dataset count; said again, the date is corrected.

    Raises DatasetNotFound, AccessDenied, InvalidInput.
    """
    dataset = get_dataset(principal, dataset_id, action="retention.manage")
    authorize(principal, "retention.manage", resource_of(dataset), facts={"change": "event"})
    if not _EVENT.fullmatch(name):
        raise InvalidInput(errors=[_event_problem("/name")])
    Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
    said = {"occurred_at": occurred_at, "recorded_by": principal.id, "recorded_at": Now()}
    event, _ = RetentionEvent.objects.update_or_create(dataset=dataset, name=name, defaults=said)
    event.refresh_from_db()
    _promise(dataset.pk, anew=_counts_a_minimum(name))
    facts = {"change": "event", "event": name, "occurred_at": occurred_at.isoformat()}
    emit(Event(EventType.RETENTION_CHANGED, operation="update", resource=resource_of(dataset), metadata=facts))
    return event


def _promise(dataset_id: UUID | None = None, *, anew: bool) -> None:
    """What was promised falls only where the change is one of a minimum; any other leaves it, and may raise it."""
    if anew:
        promise_anew(dataset_id)
    else:
        promise_all(dataset_id)


def _asks_otherwise(before: PolicyTerms, after: PolicyTerms) -> bool:
    """Whether a policy that had a minimum has another now, or one of other datasets."""
    return before.minimum_days is not None and any(getattr(before, one) != getattr(after, one) for one in _OF_A_MINIMUM)


def _counts_a_minimum(event: str) -> bool:
    """Whether a minimum in force counts from this event."""
    found = policies_in_force()
    return any(one.starts == RetentionStart.EVENT and one.event == event and one.minimum_days for one in found)


def check_terms(terms: PolicyTerms) -> None:
    """Raise InvalidInput naming each member that does not fit, PersonalDataInText for a text that holds some."""
    problems = [*_wording(terms), *_periods(terms), *_conditions(terms)]
    if problems:
        raise InvalidInput(errors=problems)
    tags = {f"tags/{index}": tag for index, tag in enumerate(terms.tags)}
    refuse_personal_data(name=terms.name, legal_basis=terms.legal_basis, **tags)


def _wording(terms: PolicyTerms) -> list[FieldProblem]:
    found = []
    for name, longest in (("name", MAX_NAME), ("legal_basis", MAX_BASIS)):
        if not 0 < len(getattr(terms, name).strip()) <= longest:
            found.append(FieldProblem(f"/{name}", f"1 to {longest} characters"))
    if terms.starts not in RetentionStart.values:
        found.append(FieldProblem("/starts", f"one of {', '.join(RetentionStart.values)}"))
    if terms.starts == RetentionStart.EVENT and not _EVENT.fullmatch(terms.event):
        found.append(_event_problem("/event"))
    if terms.starts != RetentionStart.EVENT and terms.event:
        found.append(FieldProblem("/event", "only where the period counts from an event"))
    return found


def _event_problem(field: str) -> FieldProblem:
    return FieldProblem(field, "1 to 64 of a-z, 0-9, dot, dash and underscore, beginning with a letter or digit")


def _periods(terms: PolicyTerms) -> list[FieldProblem]:
    found = []
    for name in ("minimum_days", "duration_days"):
        days = getattr(terms, name)
        if days is not None and not 1 <= days <= MAX_DAYS:
            found.append(FieldProblem(f"/{name}", f"1 to {MAX_DAYS}"))
    if not 0 <= terms.grace_days <= MAX_GRACE:
        found.append(FieldProblem("/grace_days", f"0 to {MAX_GRACE}"))
    if terms.action and terms.action not in RetentionAction.values:
        found.append(FieldProblem("/action", f"one of {', '.join(RetentionAction.values)}"))
    if bool(terms.action) != (terms.duration_days is not None):
        found.append(FieldProblem("/action", "an action and its duration go together"))
    if terms.minimum_days is None and terms.duration_days is None:
        found.append(FieldProblem("/minimum_days", "a minimum, a duration with an action, or both"))
    return found


def _conditions(terms: PolicyTerms) -> list[FieldProblem]:
    found = []
    for name in ("classifications", "tags", "purposes"):
        given = getattr(terms, name)
        if len(given) > MAX_CONDITIONS or len(set(given)) < len(given):
            found.append(FieldProblem(f"/{name}", f"at most {MAX_CONDITIONS} different ones"))
    if set(terms.classifications) - set(Classification.values):
        found.append(FieldProblem("/classifications", f"of {', '.join(Classification.values)}"))
    if any(not 0 < len(tag) <= 64 for tag in terms.tags):  # noqa: PLR2004 - as long as a tag
        found.append(FieldProblem("/tags", "1 to 64 characters each"))
    if not all(is_known_purpose(purpose) for purpose in terms.purposes):
        found.append(FieldProblem("/purposes", "purposes that the organization knows"))
    return found


def begin_clock() -> None:
    """The tenant's clock, from now if it has none; its lock lets one person at a time change policies."""
    RetentionClock.objects.get_or_create(tenant_id=current_tenant_id())
    RetentionClock.objects.select_for_update().get()


def _saving_name(policy: RetentionPolicy, *, force_insert: bool = False) -> None:
    try:
        with transaction.atomic():
            policy.save(force_insert=force_insert)
    except IntegrityError as exc:
        raise RetentionPolicyNameTaken from exc
    policy.refresh_from_db()


def _changed(policy: RetentionPolicy, change: str) -> Event:
    """What a policy asks for now: numbers and words of the vault's own."""
    names = ("starts", "minimum_days", "duration_days", "action", "grace_days", "revision")
    said = {name: getattr(policy, name) for name in names if getattr(policy, name) not in (None, "")}
    return Event(
        EventType.RETENTION_CHANGED,
        operation="update",
        resource=ResourceRef("retention_policy", str(policy.pk)),
        metadata={"change": change, **said},
    )
