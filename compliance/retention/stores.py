"""The stores that end by terms of their own: what stands in them, from when its age counts, and who removes it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.db.models import (
    Case,
    DateTimeField,
    Exists,
    ExpressionWrapper,
    F,
    OuterRef,
    Q,
    QuerySet,
    Value,
    When,
)
from django.db.models.functions import Greatest, Now

from access.terms import Store
from anonymization.models import Token
from anonymization.services.token_vault.upkeep import expire_tokens
from audit.exports.request import expire_exports as expire_audit_exports
from audit.models import AuditExport
from compliance.models import StoreTerm
from datasets.models import Dataset, Draft, DraftStatus, Export, GuaranteedExport
from datasets.services.drafts.expire import expire_drafts
from datasets.services.exports.expiry import expire_exports
from datasets.services.exports.held import kept_files
from datasets.services.guaranteed.expiry import expire_guaranteed_exports
from vaultsite.kernel.jobs import JobStatus

_NONE: Final = Q(pk__in=[])
#: The end before the first of several terms.
_OWN_END: Final[Mapping[str, Any]] = {
    "is_shortened": True,
    "own_end": Case(When(is_shortened=True, then=F("own_end")), default=F("expires_at")),
}


@dataclass(frozen=True)
class Shelf:
    """One store. Rows have their end in ``expires_at``; ``start`` is the column from which days count.

    ``expire`` removes of one organization what is past its end. ``held`` are rows that a legal hold keeps beyond it,
    ``promised`` those of datasets that must be kept, which no policy may shorten. ``remembered`` is what a row that is
    shortened keeps of its end, so that it can be given back.
    """

    title: str
    rows: Callable[[], QuerySet[Any]]
    start: str
    expire: Callable[[UUID | None], int]
    held: Callable[[], Q | Exists] = lambda: _NONE
    promised: Callable[[], Q] = lambda: _NONE
    remembered: Mapping[str, Any] = field(default_factory=dict)


def _files(model: Any) -> Callable[[], QuerySet[Any]]:
    return lambda: model.objects.filter(status=JobStatus.SUCCEEDED, removed_at=None, expires_at__isnull=False)


def _tokens_of(**datasets: Any) -> Q:
    """Tokens of such datasets; those of the whole organization may stand in any of them."""
    found = Dataset.objects.filter(purged_at=None, **datasets)
    of_one = Q(Exists(found.filter(pk=OuterRef("space__dataset_id"))))
    return of_one | (Q(space__dataset_id=None) & Q(Exists(found)))


SHELVES: Final[Mapping[Store, Shelf]] = MappingProxyType(
    {
        Store.EXPORTS: Shelf("Files of exports", _files(Export), "finished_at", expire_exports, kept_files),
        Store.ANALYTICS: Shelf(
            "Files and copies for analytics",
            _files(GuaranteedExport),
            "finished_at",
            expire_guaranteed_exports,
            kept_files,
        ),
        Store.AUDIT_EXPORTS: Shelf("Files of audit exports", _files(AuditExport), "finished_at", expire_audit_exports),
        Store.DRAFTS: Shelf(
            "Drafts",
            lambda: Draft.objects.filter(status=DraftStatus.DRAFT),
            "updated_at",
            expire_drafts,
            lambda: Q(dataset__legal_hold=True),
        ),
        Store.TOKENS: Shelf(
            "Tokens",
            Token.objects.all,
            "created_at",
            expire_tokens,
            lambda: _tokens_of(legal_hold=True),
            lambda: _tokens_of(keep_until__gt=Now()),
            _OWN_END,
        ),
    }
)


def notice_days(store: Store) -> int:
    """How long before its end the owner of what a store holds is warned, where anybody is."""
    return int(settings.DRAFT_WARNING_DAYS) if store is Store.DRAFTS else 0


def with_ends(term: StoreTerm, now: datetime) -> QuerySet[Any]:
    """What stands in the term's store, each with ``new_end`` by the term, which is not before ``now``.

    ``term`` need not be saved; then it counts from ``now``.
    """
    store = Store(term.store)
    shelf = SHELVES[store]
    begun = now if term._state.adding else term.changed_at  # noqa: SLF001 - whether it was saved
    over = ExpressionWrapper(F(shelf.start) + Value(timedelta(days=term.days)), output_field=DateTimeField())
    least = max(begun + timedelta(days=term.grace_days), now + timedelta(days=notice_days(store)))
    rows: QuerySet[Any] = shelf.rows().annotate(new_end=Greatest(over, Value(least)))
    return rows


def to_shorten(term: StoreTerm, now: datetime) -> QuerySet[Any]:
    """Of :func:`with_ends` what would end later than by the term, and may be shortened."""
    later = Q(expires_at=None) | Q(expires_at__gt=F("new_end"))
    return with_ends(term, now).filter(later).exclude(SHELVES[Store(term.store)].promised())
