"""Find datasets by what is said of them, and sum one up."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q, QuerySet

from access.services.authorize import authorize
from datasets.models import Dataset, LineageEdge, Version
from datasets.selectors import get_dataset, head_of, resource_of
from datasets.services.commit import read_profile
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Orders that a search may ask for: the column, and whether it descends.
ORDERS: Final = {
    "name": ("name", False),
    "-name": ("name", True),
    "created_at": ("created_at", False),
    "-created_at": ("created_at", True),
    "updated_at": ("updated_at", False),
    "-updated_at": ("updated_at", True),
}


@dataclass(frozen=True)
class Search:
    """What to look for; empty members do not restrict. ``words`` must all occur in the name or the description."""

    words: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    classification: str = ""
    version: str = ""
    order: str = "-created_at"


def search_datasets(
    principal: Principal, search: Search, *, after: tuple[str, ...] | None, limit: int
) -> list[Dataset]:
    """At most ``limit`` datasets after the position ``after``. Records the decision.

    Raises AccessDenied, InvalidCursor.
    """
    authorize(principal, "dataset.list", ResourceRef(type="dataset"))
    column, descends = ORDERS[search.order]
    rows: QuerySet[Dataset] = Dataset.objects.visible_to(principal).prefetch_related("tags")
    for word in search.words:
        rows = rows.filter(Q(name__icontains=word) | Q(description__icontains=word))
    for tag in search.tags:
        rows = rows.filter(tags__tag=tag)
    if search.classification:
        rows = rows.filter(classification=search.classification)
    if search.version:
        rows = rows.filter(versions__label=search.version)
    if after:
        rows = rows.filter(_beyond(column, descends, after))
    sign = "-" if descends else ""
    return list(rows.order_by(f"{sign}{column}", f"{sign}id")[:limit])


def position_of(dataset: Dataset, order: str) -> list[str]:
    """Where a search in this order goes on after ``dataset``."""
    value = getattr(dataset, ORDERS[order][0])
    return [value.isoformat() if isinstance(value, datetime) else value, str(dataset.pk)]


def _beyond(column: str, descends: bool, after: tuple[str, ...]) -> Q:
    try:
        value: Any = after[0] if column == "name" else datetime.fromisoformat(after[0])
        last = UUID(after[1])
    except (ValueError, IndexError):
        raise InvalidCursor from None
    if isinstance(value, datetime) and value.tzinfo is None:
        raise InvalidCursor
    way = "lt" if descends else "gt"
    return Q(**{f"{column}__{way}": value}) | Q(**{column: value, f"id__{way}": last})


@dataclass(frozen=True)
class Metadata:
    """What a catalogue wants to know of a dataset: its newest version, findings by type, and what it came from."""

    dataset: Dataset
    head: Version | None
    findings: dict[str, int]
    parents: list[UUID]


def describe(principal: Principal, *, dataset_id: UUID) -> Metadata:
    """Raises DatasetNotFound, AccessDenied."""
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    authorize(principal, "dataset.read", resource_of(dataset))
    head = head_of(dataset)
    findings: dict[str, int] = {}
    if head is not None:
        for (_, entity_type), count in read_profile(head).items():
            findings[entity_type] = findings.get(entity_type, 0) + count
    above = LineageEdge.objects.filter(target__dataset_id=dataset.pk).exclude(source__dataset_id=dataset.pk)
    parents = above.filter(source__dataset_id__isnull=False).values_list("source__dataset_id", flat=True).distinct()
    shown = Dataset.objects.visible_to(principal).filter(pk__in=list(parents))
    return Metadata(dataset, head, findings, sorted(shown.values_list("pk", flat=True)))
