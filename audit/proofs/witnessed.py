"""What witnesses outside the database say when they are asked."""

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Max

from audit.log.errors import WitnessUnavailable
from audit.log.keys import origin_of
from audit.log.witnesses.base import Witness
from audit.log.witnesses.enlisted import enlisted_witnesses
from audit.models import AuditCheckpoint, WitnessReceipt
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope


@dataclass(frozen=True)
class WitnessAnswer:
    """What a witness holds of a log: its newest note and, where that is not the vault's own, where the two part.

    ``notes`` are the newest, the last one that equals the vault's and the first that does not; empty when it holds
    none. ``expected`` is the size that it confirmed to have (0: none). ``is_silent`` tells that it could not be asked,
    which proves nothing either way.
    """

    name: str
    notes: tuple[str, ...] = ()
    expected: int = 0
    is_silent: bool = False


@dataclass(frozen=True)
class _Own:
    """The vault's own checkpoints by ascending size, and what each witness confirmed to have."""

    sizes: list[int]
    confirmed: dict[str, int]


def ask_witnesses(tenant_id: UUID) -> list[WitnessAnswer]:
    """Ask every witness that is configured for the log of this organization. No scope may be open: it may take long."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        own = _Own(
            list(AuditCheckpoint.objects.order_by("size").values_list("size", flat=True)),
            dict(WitnessReceipt.objects.values_list("witness").annotate(Max("checkpoint__size"))),
        )
    return [_ask(tenant_id, witness, own) for witness in enlisted_witnesses()]


def _ask(tenant_id: UUID, witness: Witness, own: _Own) -> WitnessAnswer:
    log, expected = origin_of(tenant_id), own.confirmed.get(witness.name, 0)
    try:
        newest = witness.newest(log) if witness.is_readable else None
        if newest is None:
            return WitnessAnswer(witness.name, (), expected, is_silent=not witness.is_readable)
        parting = _parting(tenant_id, witness, own.sizes)
    except WitnessUnavailable:
        return WitnessAnswer(witness.name, (), expected, is_silent=True)
    return WitnessAnswer(witness.name, tuple(dict.fromkeys([newest, *parting])), expected)


def _parting(tenant_id: UUID, witness: Witness, sizes: Sequence[int]) -> list[str]:
    """The notes of the witness around the first size at which it and the vault hold another one."""
    place = bisect_left(sizes, 1, key=lambda size: not _is_same(tenant_id, witness, size))
    around = [witness.read(origin_of(tenant_id), size) for size in sizes[max(place - 1, 0) : place + 1]]
    return [note for note in around if note is not None]


def _is_same(tenant_id: UUID, witness: Witness, size: int) -> bool:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        note = AuditCheckpoint.objects.filter(size=size).values_list("note", flat=True).first()
    return witness.read(origin_of(tenant_id), size) == note
