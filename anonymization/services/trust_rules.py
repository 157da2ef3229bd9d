"""Changing the rules over detections: who may, what is refused, and that it is recorded."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final, TypeAlias, TypeVar
from uuid import UUID

from django.db import IntegrityError, transaction
from django.utils import timezone

from access.errors import AccessDenied
from access.policy.builtin import READ_MASKED, READ_REDACTED, operator_for
from access.services.authorize import authorize
from access.services.keyring import seal_column
from anonymization.findings import ACT_FROM, STORE_FROM
from anonymization.models import FieldEntry, ListEntry, ListKind, ThresholdEntry
from anonymization.services.descriptions import refuse_personal_data
from anonymization.services.trust import SEALED_AS, mark_change, value_key
from anonymization.trust.errors import InvalidRule, RuleExists, RuleNotFound, TooManyRules
from anonymization.trust.normal import is_empty, normalizer_of, value_digest
from anonymization.trust.patterns import compile_pattern, refuse_all_embracing, value_pattern
from anonymization.trust.places import PlacePattern
from anonymization.trust.rules import FieldDecision, checked_entity, is_entity_type
from vaultsite.kernel.errors import FieldProblem
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

#: What one tenant may have: each row costs memory in every process, each pattern time on every read.
MOST_VALUES: Final = 10_000
MOST_PATTERNS: Final = 500
MOST_FIELDS: Final = 500
MAX_VALUE: Final = 1_000
_ALL: Final[Mapping[str, str]] = MappingProxyType({})
_ANONYMIZED: Final = frozenset({READ_MASKED, READ_REDACTED})
#: A shorter value would be found everywhere.
_SHORTEST_DENIED: Final = 3

Entry: TypeAlias = ListEntry | FieldEntry | ThresholdEntry
Stored = TypeVar("Stored", ListEntry, FieldEntry, ThresholdEntry)


@dataclass(frozen=True)
class NewListEntry:
    """An entry to be added: a value, a pattern, or (allow-list only) a field, by ``kind``."""

    list_name: str
    kind: str
    reason: str
    value: str = ""
    pattern: str = ""
    field: str = ""
    entity_type: str = ""
    dataset_id: UUID | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class NewFieldRule:
    field: str
    decision: str
    reason: str
    entity_type: str = ""
    dataset_id: UUID | None = None
    expires_at: datetime | None = None


@dataclass(frozen=True)
class NewThreshold:
    entity_type: str
    score: float
    reason: str
    dataset_id: UUID | None = None


def add_list_entry(principal: Principal, *, new: NewListEntry) -> ListEntry:
    """Add to the allow-list or deny-list. What an allow entry widens is what readers of masked records see.

    Raises AccessDenied, InvalidRule, PersonalDataInName, RuleExists, TooManyRules.
    """
    entry_id = uuid7()
    is_widening = new.list_name == "allow"
    facts = {"list": new.list_name, "kind": new.kind, **_scope_facts(new.dataset_id, new.entity_type, new.expires_at)}
    _decide(principal, ResourceRef(f"{new.list_name}-list", str(entry_id)), facts, is_widening=is_widening)
    _check_reason(new.reason, new.expires_at)
    place = PlacePattern.of(new.field).source if new.field else ""
    refuse_personal_data(field=place)
    entity_type = checked_entity(new.entity_type) if new.entity_type else ""
    normalizer = normalizer_of(entity_type)
    content, source = _content(new)
    is_value = new.kind == ListKind.VALUE
    _check_room(ListEntry.objects.filter(kind=new.kind), MOST_VALUES if is_value else MOST_PATTERNS)
    row = ListEntry(
        id=entry_id,
        list_name=new.list_name,
        kind=new.kind,
        dataset_id=new.dataset_id,
        entity_type=entity_type,
        field=place,
        normalizer=normalizer,
        digest=value_digest(value_key(), normalizer, content) if is_value else value_key().mac(content.encode()),
        sealed=seal_column(SEALED_AS, entry_id.bytes, source.encode()) if source else None,
        reason=new.reason,
        expires_at=new.expires_at,
        created_by=principal.id,
    )
    return _stored(row)


def _content(new: NewListEntry) -> tuple[str, str]:
    """What makes the entry the one it is, and what of it has to be read to be looked for."""
    if new.kind == ListKind.VALUE:
        _check_value(new)
        return new.value, value_pattern(new.value) if new.list_name == "deny" else ""
    if new.kind == ListKind.REGEX:
        compile_pattern(new.pattern)
        refuse_all_embracing(new.pattern)
        return new.pattern, new.pattern
    if new.kind != ListKind.FIELD or new.list_name != "allow":
        raise _invalid("kind", "value or regex, and for the allow-list field")
    if not new.field:
        raise _invalid("field", "a field entry names a field")
    return "", ""


def _check_value(new: NewListEntry) -> None:
    is_short = new.list_name == "deny" and len(new.value.strip()) < _SHORTEST_DENIED
    if is_short or len(new.value) > MAX_VALUE or is_empty(normalizer_of(new.entity_type), new.value):
        least = _SHORTEST_DENIED if new.list_name == "deny" else 1
        raise _invalid("value", f"{least} to {MAX_VALUE} characters, letters or digits among them")
    if new.list_name == "deny":
        compile_pattern(value_pattern(new.value), member="value")


def add_field_rule(principal: Principal, *, new: NewFieldRule) -> FieldEntry:
    """Say what a field holds. Raises AccessDenied, InvalidRule, PersonalDataInName, RuleExists, TooManyRules."""
    rule_id = uuid7()
    facts = {"decision": new.decision, **_scope_facts(new.dataset_id, new.entity_type, new.expires_at)}
    is_widening = new.decision == FieldDecision.NEVER
    _decide(principal, ResourceRef("field-rule", str(rule_id)), facts, is_widening=is_widening)
    _check_reason(new.reason, new.expires_at)
    place = PlacePattern.of(new.field).source
    refuse_personal_data(field=place)
    if new.decision not in set(FieldDecision):
        raise _invalid("decision", ", ".join(FieldDecision))
    if (new.decision == FieldDecision.TYPE) != bool(new.entity_type):
        raise _invalid("entity_type", "goes with the decision type, and only with it")
    _check_room(FieldEntry.objects.all(), MOST_FIELDS)
    row = FieldEntry(
        id=rule_id,
        field=place,
        decision=new.decision,
        entity_type=checked_entity(new.entity_type) if new.entity_type else "",
        dataset_id=new.dataset_id,
        reason=new.reason,
        expires_at=new.expires_at,
        created_by=principal.id,
    )
    return _stored(row)


def add_threshold(principal: Principal, *, new: NewThreshold) -> ThresholdEntry:
    """Say from which score on a type counts. Raises AccessDenied, InvalidRule, PersonalDataInName, RuleExists."""
    rule_id = uuid7()
    facts = {"score": new.score, **_scope_facts(new.dataset_id, new.entity_type, None)}
    is_widening = new.score > _score_now(new.entity_type)
    _decide(principal, ResourceRef("threshold", str(rule_id)), facts, is_widening=is_widening)
    _check_reason(new.reason, None)
    _check_score(new.score)
    row = ThresholdEntry(
        id=rule_id,
        entity_type=checked_entity(new.entity_type),
        score=new.score,
        dataset_id=new.dataset_id,
        reason=new.reason,
        created_by=principal.id,
    )
    return _stored(row)


def list_rules(
    principal: Principal,
    *,
    kind: type[Entry],
    filters: Mapping[str, str] = _ALL,
    dataset_id: UUID | None = None,
    after: UUID | None = None,
    limit: int,
) -> list[Entry]:
    """Rules newest first, after the one with the id ``after``; with ``dataset_id`` those for it alone.

    Records the decision. Raises AccessDenied.
    """
    authorize(principal, "detection.read", ResourceRef("detection-rule"))
    rows = kind.objects.filter(**filters).order_by("-id")
    if dataset_id is not None:
        rows = rows.filter(dataset_id=dataset_id)
    return list((rows.filter(id__lt=after) if after else rows)[:limit])


def get_rule(principal: Principal, *, kind: type[Entry], rule_id: UUID, filters: Mapping[str, str] = _ALL) -> Entry:
    """One rule. Records the decision. Raises AccessDenied, RuleNotFound."""
    authorize(principal, "detection.read", ResourceRef("detection-rule", str(rule_id)))
    row = kind.objects.filter(pk=rule_id, **filters).first()
    if row is None:
        raise RuleNotFound
    return row


def change_rule(
    principal: Principal,
    *,
    kind: type[Entry],
    rule_id: UUID,
    changes: Mapping[str, Any],
    filters: Mapping[str, str] = _ALL,
) -> Entry:
    """Set ``reason``, ``expires_at`` or ``score`` of a rule. Raises AccessDenied, InvalidRule, RuleNotFound."""
    row = kind.objects.filter(pk=rule_id, **filters).first()
    facts = _scope_facts(row.dataset_id, row.entity_type, changes.get("expires_at")) if row else {}
    resource = ResourceRef(row.resource_type if row else "detection-rule", str(rule_id) if row else "")
    # Which way a later end or another score moves what is shown depends on other rules: taken for the worse way.
    _decide(principal, resource, {**facts, "changed": sorted(changes)}, is_widening=set(changes) != {"reason"})
    if row is None:
        raise RuleNotFound
    _check_reason(changes.get("reason", row.reason), changes.get("expires_at"))
    if "score" in changes:
        _check_score(changes["score"])
    for name, value in changes.items():
        setattr(row, name, value)
    row.save(update_fields=[*changes])
    mark_change()
    return row


def remove_rule(principal: Principal, *, kind: type[Entry], rule_id: UUID, filters: Mapping[str, str] = _ALL) -> None:
    """Take a rule away. Taking away one that hides widens what readers see. Raises AccessDenied, RuleNotFound."""
    row = kind.objects.filter(pk=rule_id, **filters).first()
    resource = ResourceRef(row.resource_type if row else "detection-rule", str(rule_id) if row else "")
    facts = {"removed": True, **(_scope_facts(row.dataset_id, row.entity_type, None) if row else {})}
    _decide(principal, resource, facts, is_widening=row is not None and _hides(row))
    if row is None:
        raise RuleNotFound
    row.delete()
    mark_change()


def _hides(row: Entry) -> bool:
    if isinstance(row, ListEntry):
        return row.list_name == "deny"
    if isinstance(row, FieldEntry):
        return row.decision != FieldDecision.NEVER
    beyond = ThresholdEntry.objects.filter(entity_type=row.entity_type, dataset_id__isnull=True).exclude(pk=row.pk)
    fallback = beyond.first() if row.dataset_id is not None else None
    return row.score < (fallback.score if fallback else ACT_FROM)


def _score_now(entity_type: str) -> float:
    """The score that a new threshold takes the place of."""
    row = ThresholdEntry.objects.filter(entity_type=entity_type, dataset_id__isnull=True).first()
    return row.score if row else ACT_FROM


def _decide(principal: Principal, resource: ResourceRef, facts: Mapping[str, Any], *, is_widening: bool) -> None:
    """Record the decision. Nobody widens what they see themselves: who reads records anonymized may only narrow."""
    authorize(principal, "detection.manage", resource, facts={**facts, "widens": is_widening})
    if is_widening and principal.permissions & _ANONYMIZED and operator_for(principal.permissions) is not None:
        raise AccessDenied("Whoever reads records anonymized may not widen what is shown of them")


def _scope_facts(dataset_id: UUID | None, entity_type: str, expires_at: datetime | None) -> dict[str, Any]:
    return {
        "dataset": str(dataset_id or ""),
        "entity_type": entity_type if is_entity_type(entity_type) else "",
        "expires_at": expires_at.isoformat() if expires_at else "",
    }


def _check_reason(reason: str, expires_at: datetime | None) -> None:
    if not reason.strip():
        raise _invalid("reason", "says why, for whoever looks at the rule later")
    refuse_personal_data(reason=reason)
    if expires_at is not None and expires_at <= timezone.now():
        raise _invalid("expires_at", "lies in the future")


def _check_score(score: float) -> None:
    if not STORE_FROM <= score <= 1.0:
        raise _invalid("score", f"{STORE_FROM} to 1: nothing weaker is stored")


def _check_room(rows: Any, most: int) -> None:
    if rows.count() >= most:
        raise TooManyRules(limit=most)


def _stored(row: Stored) -> Stored:
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        raise RuleExists from None
    mark_change()
    row.refresh_from_db(fields=["created_at"])
    return row


def _invalid(member: str, detail: str) -> InvalidRule:
    return InvalidRule(errors=[FieldProblem(field=f"/{member}", detail=detail)])
