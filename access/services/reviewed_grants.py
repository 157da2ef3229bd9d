"""The grants that access reviews are about, of every kind: listed, given an end, ended."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Final
from uuid import UUID

from access.leases.errors import LeaseOver
from access.leases.terms import level_of
from access.models import GrantKind, Lease, LeaseKind, RoleBinding
from access.models.role_binding import HOLDERS
from access.ports import dataset_directory
from access.services.grants import end_binding
from access.services.leases import end_lease, resource_of_lease


@dataclass(frozen=True)
class Reviewed:
    """One grant as a reviewer sees it; ``ends_at`` is the end it has now."""

    kind: GrantKind
    grant: UUID
    holder: UUID
    holder_kind: str
    dataset_id: UUID | None
    what: str
    ends_at: datetime | None


def grants_under_review(kinds: Sequence[str], datasets: Sequence[UUID]) -> Iterator[Reviewed]:
    """Every grant of these kinds that lives now; of ``datasets`` where it is of one (empty: of all)."""
    for kind in GrantKind:
        if kind in kinds:
            yield from _LISTED[kind](datasets)


def _roles(_: Sequence[UUID]) -> Iterator[Reviewed]:
    for row in RoleBinding.objects.live().select_related("role").order_by("id"):
        kind, holder = next((name, value) for name in HOLDERS if (value := getattr(row, f"{name}_id")) is not None)
        yield Reviewed(GrantKind.ROLE, row.pk, holder, kind, None, row.role.code, row.expires_at)


def _permissions(datasets: Sequence[UUID]) -> Iterator[Reviewed]:
    for row in dataset_directory().permissions(datasets or None):
        yield Reviewed(
            GrantKind.PERMISSION, row.id, row.holder, row.holder_kind, row.dataset_id, row.what, row.expires_at
        )


def _leases(datasets: Sequence[UUID]) -> Iterator[Reviewed]:
    rows = Lease.objects.filter(kind=LeaseKind.LEASE, revoked_at=None).live()
    for row in (rows.filter(dataset_id__in=datasets) if datasets else rows).order_by("id"):
        what = f"{level_of(row.actions)}, {row.get_shown_display()}, for {row.purpose}"
        yield Reviewed(GrantKind.LEASE, row.pk, row.holder, row.holder_kind, row.dataset_id, what, row.expires_at)


_LISTED: Final[Mapping[GrantKind, Callable[[Sequence[UUID]], Iterator[Reviewed]]]] = MappingProxyType(
    {GrantKind.ROLE: _roles, GrantKind.PERMISSION: _permissions, GrantKind.LEASE: _leases}
)


def move_end(kind: str, grant: UUID, *, at: datetime | None, only_from: datetime | None = None) -> bool:
    """Give a grant another end; with ``only_from`` only if it ends then. False when there is nothing to move."""
    if kind == GrantKind.PERMISSION:
        return dataset_directory().end_permission(grant, at=at, only_from=only_from)
    if kind == GrantKind.LEASE:
        leases = Lease.objects.filter(pk=grant, revoked_at=None)
        leases = leases.filter(expires_at=only_from) if only_from is not None else leases
        return bool(leases.update(expires_at=at))
    bindings = RoleBinding.objects.filter(pk=grant)
    bindings = bindings.filter(expires_at=only_from) if only_from is not None else bindings
    return bool(bindings.update(expires_at=at))


def lives(kind: str, grant: UUID) -> bool:
    """Whether a grant counts now."""
    if kind == GrantKind.PERMISSION:
        return bool(dataset_directory().count_live([grant]))
    if kind == GrantKind.LEASE:
        return Lease.objects.live().filter(pk=grant).exists()
    return RoleBinding.objects.live().filter(pk=grant).exists()


def end_grant(kind: str, grant: UUID, *, by: UUID, reason: str) -> bool:
    """Take a grant away, and say so; False when it ended before."""
    if kind == GrantKind.PERMISSION:
        return dataset_directory().remove_permission(grant)
    if kind == GrantKind.LEASE:
        return _end_lease(grant, by=by, reason=reason)
    return _end_binding(grant)


def _end_lease(grant: UUID, *, by: UUID, reason: str) -> bool:
    lease = Lease.objects.get(pk=grant)
    try:
        end_lease(lease, resource_of_lease(lease), by=by, reason=reason)
    except LeaseOver:
        return lease.revoked_at is None  # by its own clock
    return True


def _end_binding(grant: UUID) -> bool:
    """Whoever has no role left then is out at once."""
    binding = RoleBinding.objects.select_related("role").filter(pk=grant).first()
    if binding is not None:
        end_binding(binding)
    return binding is not None
