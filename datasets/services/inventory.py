"""What personal data the tenant holds where: by dataset and type, with owner, purposes, region and last access."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

from access.models import User
from access.services.authorize import authorize
from datasets.models import Branch, Dataset, DatasetUse
from datasets.services.commit import read_profile
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Datasets read at a time.
_READ: Final = 200
_MAIN: Final = "main"


@dataclass(frozen=True)
class Holding:
    """One kind of personal data in one dataset's newest version; ``entity_type`` is empty where nothing was found."""

    dataset: Dataset
    entity_type: str
    findings: int
    fields: tuple[str, ...]
    records: int
    owner: str
    purposes: tuple[str, ...]
    last_read_at: datetime | None


class HoldingPage(NamedTuple):
    """Holdings of a page of datasets; ``next_after`` is where the next page begins, None when there is none."""

    holdings: list[Holding]
    next_after: UUID | None


def list_holdings(
    principal: Principal, *, after: UUID | None = None, limit: int = 100, entity_type: str = ""
) -> HoldingPage:
    """The holdings of ``limit`` datasets, newest first, after the dataset with the id ``after``.

    Records the decision. Raises AccessDenied.
    """
    authorize(principal, "dataset.list", ResourceRef(type="dataset"))
    page = _page(principal, after, limit + 1)
    next_after = page[limit - 1].pk if len(page) > limit else None
    return HoldingPage(list(_holdings(page[:limit], entity_type)), next_after)


def every_holding(principal: Principal, *, entity_type: str = "") -> Iterator[Holding]:
    """All of them, newest dataset first, in the open scope; a page of datasets is in memory at a time."""
    authorize(principal, "dataset.list", ResourceRef(type="dataset"))
    after: UUID | None = None
    while page := _page(principal, after, _READ):
        yield from _holdings(page, entity_type)
        after = page[-1].pk


def _page(principal: Principal, after: UUID | None, limit: int) -> list[Dataset]:
    visible = Dataset.objects.visible_to(principal).order_by("-id")
    return list((visible.filter(id__lt=after) if after else visible)[:limit])


def _holdings(page: Sequence[Dataset], entity_type: str) -> Iterator[Holding]:
    heads = {
        branch.dataset_id: branch.head
        for branch in Branch.objects.filter(dataset__in=page, name=_MAIN).select_related("head")
    }
    names = dict(User.objects.filter(pk__in={one.created_by for one in page}).values_list("pk", "username"))
    uses: dict[UUID, list[DatasetUse]] = {}
    for use in DatasetUse.objects.filter(dataset__in=page).order_by("-last_read_at"):
        uses.setdefault(use.dataset_id, []).append(use)
    for dataset in page:
        head = heads.get(dataset.pk)
        by_type: dict[str, Counter[str]] = {}
        for (field, kind), count in (read_profile(head) if head else Counter()).items():
            by_type.setdefault(kind, Counter())[field] += count
        mine = uses.get(dataset.pk, [])
        for kind, fields in sorted(by_type.items()) or [("", Counter[str]())]:
            if entity_type in ("", kind):
                yield Holding(
                    dataset=dataset,
                    entity_type=kind,
                    findings=fields.total(),
                    fields=tuple(name for name, _ in fields.most_common()),
                    records=head.record_count if head else 0,
                    owner=names.get(dataset.created_by, str(dataset.created_by)),
                    purposes=tuple(use.purpose for use in mine),
                    last_read_at=mine[0].last_read_at if mine else None,
                )
