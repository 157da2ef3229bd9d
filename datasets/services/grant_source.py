"""What access asks of datasets: which there are, and what stands and is leased on each."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

from django.db.models import Q, QuerySet

from access.lease_selectors import leased_datasets, live_leases
from access.leases.terms import obligations_of
from access.models import Lease, LeaseKind
from access.policy.builtin import RULES
from access.ports import DatasetDirectory, GrantSource, HeldGrant, KnownDataset, StandingPermission
from datasets.models import Dataset, DatasetGroupPermission, DatasetUserPermission
from datasets.selectors import find_resource, resource_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.permissions import LEVELS, WORDS, Standing, held_permissions, take_away
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: The tables of standing permissions, and who holds their rows. Any: both have guardian's untyped managers.
_KINDS: Final[tuple[tuple[Any, Literal["user", "group"]], ...]] = (
    (DatasetUserPermission, "user"),
    (DatasetGroupPermission, "group"),
)


class GrantsOnDatasets(GrantSource):
    """Leases and standing permissions."""

    def grants_for(self, principal: Principal, resource: ResourceRef, purpose: str | None) -> Sequence[HeldGrant]:
        if resource.dataset_id is None:
            return list(self._to_list(principal)) if resource.type == "dataset" and not resource.id else []
        leases = live_leases(principal, dataset_id=resource.dataset_id)
        found = [grant for lease in leases for grant in _leased(lease, purpose)]
        if principal.kind == "user":
            found += [_standing(row) for row in held_permissions(principal, resource.dataset_id)]
        return found

    def datasets_granted(self, principal: Principal, action: str, purpose: str | None) -> QuerySet[Dataset, UUID]:
        return Dataset.objects.filter(self.rows_granted(principal, action, purpose)).values_list("pk", flat=True)

    def rows_granted(self, principal: Principal, action: str, purpose: str | None) -> Q:
        """Subqueries side by side: PostgreSQL hashes each once, whatever it believes of their sizes."""
        codenames = [level.codename for level in LEVELS.values() if action in level.actions]
        held = DatasetUserPermission.objects.live().filter(user=principal.id, permission__codename__in=codenames)
        leased = leased_datasets(principal, action, purpose if RULES[action].needs_purpose else None)
        granted = Q(pk__in=leased) | Q(pk__in=held.values("content_object"))
        if not principal.groups:
            return granted
        shared = DatasetGroupPermission.objects.live().filter(
            group__in=principal.groups, permission__codename__in=codenames
        )
        return granted | Q(pk__in=shared.values("content_object"))

    def _to_list(self, principal: Principal) -> Iterator[HeldGrant]:
        """Who was given anything may list what they were given."""
        if self.datasets_granted(principal, "dataset.read", None).exists():
            yield HeldGrant("listing", frozenset({"dataset.list"}))


def _leased(lease: Lease, purpose: str | None) -> Iterator[HeldGrant]:
    """What it takes no purpose to do, and, for the lease's purpose alone, what it takes one to do."""
    purposeful = frozenset(action for action in lease.actions if RULES[action].needs_purpose)
    kind: Literal["lease", "break_glass"] = "break_glass" if lease.kind == LeaseKind.BREAK_GLASS else "lease"
    yield HeldGrant(str(lease.pk), frozenset(lease.actions) - purposeful, (), None, lease.expires_at, kind)
    if purpose == lease.purpose:
        yield HeldGrant(str(lease.pk), purposeful, obligations_of(lease), lease.purpose, lease.expires_at, kind)


def _standing(row: Standing) -> HeldGrant:
    level = LEVELS[WORDS[row.permission.codename]]
    return HeldGrant(str(row.pk), level.actions, level.obligations, None, row.expires_at)


class Directory(DatasetDirectory):
    """The datasets of the tenant, and the permissions that stand on them."""

    def find(self, principal: Principal, dataset_id: UUID, *, action: str) -> ResourceRef:
        return find_resource(principal, dataset_id, action=action)

    def describe(self, dataset_ids: Collection[UUID]) -> Mapping[UUID, KnownDataset]:
        rows = Dataset.objects.filter(pk__in=dataset_ids, purged_at=None)
        return {row.pk: KnownDataset(row.name, resource_of(row)) for row in rows}

    def visible(self, principal: Principal, dataset_ids: Collection[UUID]) -> frozenset[UUID]:
        rows = Dataset.objects.visible_to(principal).filter(pk__in=dataset_ids)
        return frozenset(rows.values_list("pk", flat=True))

    def listed(self, principal: Principal, *, limit: int) -> Sequence[tuple[UUID, str]]:
        rows = Dataset.objects.visible_to(principal).order_by("name")
        return list(rows.values_list("pk", "name")[:limit])

    def refuse_personal_data(self, **texts: str) -> None:
        refuse_personal_data(**texts)

    def permissions(self, dataset_ids: Collection[UUID] | None) -> Sequence[StandingPermission]:
        found = []
        for model, kind in _KINDS:
            rows = model.objects.live().select_related("permission").order_by("id")
            for row in rows if dataset_ids is None else rows.filter(content_object__in=dataset_ids):
                what = WORDS[row.permission.codename]
                found.append(
                    StandingPermission(row.pk, row.holder_id, kind, row.content_object_id, what, row.expires_at)
                )
        return found

    def permissions_of_group(self, group_id: UUID) -> frozenset[str]:
        held = DatasetGroupPermission.objects.live().filter(group=group_id)
        codenames = held.values_list("permission__codename", flat=True).distinct()
        return frozenset().union(*(LEVELS[WORDS[name]].permissions for name in codenames))

    def count_live(self, permission_ids: Collection[UUID]) -> int:
        return sum(model.objects.live().filter(pk__in=permission_ids).count() for model, _ in _KINDS)

    def end_permission(self, permission_id: UUID, *, at: datetime | None, only_from: datetime | None = None) -> bool:
        when = {} if only_from is None else {"expires_at": only_from}
        return any(model.objects.filter(pk=permission_id, **when).update(expires_at=at) for model, _ in _KINDS)

    def remove_permission(self, permission_id: UUID) -> bool:
        for model, _ in _KINDS:
            row = model.objects.select_related("permission", "content_object").filter(pk=permission_id).first()
            if row is not None:
                take_away(row)
                return True
        return False
