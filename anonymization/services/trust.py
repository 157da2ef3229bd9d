"""Loading the rules over detections: one look at the tenant's stamp, and what was compiled for it."""

import os
from collections.abc import Iterator
from datetime import datetime
from functools import partial
from typing import Final, TypeVar
from uuid import UUID

from django.db.models import Q, QuerySet
from django.utils import timezone

from access.services.keyring import KeyPurpose, current_key, open_column
from anonymization.models import FieldEntry, ListEntry, ListKind, ThresholdEntry, TrustEpoch
from anonymization.trust.cache import TrustCache
from anonymization.trust.places import PlacePattern
from anonymization.trust.rules import (
    FOREVER,
    SENSITIVE,
    AllowRule,
    DenyRule,
    FieldDecision,
    FieldRule,
    ThresholdRule,
    TrustRules,
)
from anonymization.trust.trust import Trust
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: What the patterns of entries are sealed as.
SEALED_AS: Final = "anonymization.list-entry"

Row = TypeVar("Row", ListEntry, FieldEntry)

_PLAIN: Final = Trust()
_cache: Final = TrustCache()
os.register_at_fork(after_in_child=_cache.restart)


def load_trust(dataset_id: UUID | None) -> Trust:
    """The rules that hold now for a dataset, or, for None, for texts that belong to none; in the open scope.

    One query where nothing changed since this process last compiled them. The result needs no scope and may be kept for
    one read: changes take effect on the next. Raises KeyUnavailable, KeyDestroyed, IntegrityFailure.
    """
    stamp = TrustEpoch.objects.values_list("stamp", flat=True).first()
    if stamp is None:
        return _PLAIN
    return _cache.get((current_tenant_id(), dataset_id, stamp), partial(_compile, dataset_id))


def mark_change() -> None:
    """Make every process compile the rules anew once the open transaction has committed. Changes go one by one."""
    TrustEpoch.objects.update_or_create(defaults={"stamp": uuid7()})


def value_key() -> SecretKey:
    """The tenant's key under which values of lists are digests."""
    return current_key(KeyPurpose.LISTS).key.derive(b"llm-data-vault/trust/values/v1")


def pattern_of(entry: ListEntry) -> str:
    """The sealed text of an entry: its pattern, or the value of a deny entry. Empty for values of the allow-list."""
    if entry.sealed is None:
        return ""
    return open_column(SEALED_AS, entry.pk.bytes, bytes(entry.sealed)).decode()


def _compile(dataset_id: UUID | None) -> Trust:
    rules = TrustRules(
        allow=tuple(_allow_rules(dataset_id)),
        deny=tuple(_deny_rules(dataset_id)),
        fields=tuple(_field_rules(dataset_id)),
        thresholds=tuple(_thresholds(dataset_id)),
    )
    key = value_key() if any(rule.digest for rule in rules.allow) else None
    return Trust(rules, key, had_rules=True)


def _allow_rules(dataset_id: UUID | None) -> Iterator[AllowRule]:
    for entry in _live(ListEntry.objects.filter(list_name="allow"), dataset_id):
        yield AllowRule(
            id=entry.pk,
            digest=bytes(entry.digest) if entry.kind == ListKind.VALUE else b"",
            normalizer=entry.normalizer,
            pattern=pattern_of(entry),
            entity_type=entry.entity_type,
            place=_place(entry.field),
            expires_at=_seconds(entry.expires_at),
        )


def _deny_rules(dataset_id: UUID | None) -> Iterator[DenyRule]:
    for entry in _live(ListEntry.objects.filter(list_name="deny"), dataset_id):
        yield DenyRule(
            id=entry.pk,
            pattern=pattern_of(entry),
            entity_type=entry.entity_type or SENSITIVE,
            place=_place(entry.field),
            is_value=entry.kind == ListKind.VALUE,
            expires_at=_seconds(entry.expires_at),
        )


def _field_rules(dataset_id: UUID | None) -> Iterator[FieldRule]:
    for entry in _live(FieldEntry.objects.all(), dataset_id):
        yield FieldRule(
            id=entry.pk,
            place=PlacePattern(entry.field),
            decision=FieldDecision(entry.decision),
            entity_type=entry.entity_type or SENSITIVE,
            is_own=entry.dataset_id is not None,
            expires_at=_seconds(entry.expires_at),
        )


def _thresholds(dataset_id: UUID | None) -> Iterator[ThresholdRule]:
    rows = ThresholdEntry.objects.filter(_holds_for(dataset_id)).order_by("id")
    for entry in rows:
        yield ThresholdRule(entry.pk, entry.entity_type, entry.score, is_own=entry.dataset_id is not None)


def _live(rows: QuerySet[Row], dataset_id: UUID | None) -> QuerySet[Row]:
    is_live = Q(expires_at__isnull=True) | Q(expires_at__gt=timezone.now())
    return rows.filter(_holds_for(dataset_id) & is_live).order_by("id")


def _holds_for(dataset_id: UUID | None) -> Q:
    everywhere = Q(dataset_id__isnull=True)
    return everywhere if dataset_id is None else everywhere | Q(dataset_id=dataset_id)


def _place(field: str) -> PlacePattern | None:
    return PlacePattern(field) if field else None


def _seconds(expires_at: datetime | None) -> float:
    return FOREVER if expires_at is None else expires_at.timestamp()
