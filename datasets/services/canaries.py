"""Canaries: records whose release is told of at once, and who may know which they are."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models.functions import Now
from django.utils import timezone

from access.selectors import hands_of
from access.services.authorize import authorize
from access.services.keyring import open_column, seal_column
from datasets.models import Canary, CanaryReader, Dataset
from datasets.selectors import find_version_or_none, get_dataset, resource_of
from datasets.services.keys import load_keys
from datasets.services.pack_store import PackReader
from datasets.tree.digests import EMPTY_ROOT, keyed_digest
from datasets.tree.reader import locate
from vaultsite.kernel.alarms import Alarm, sound_once
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import current_scope, tenant_scope

KIND: Final = "canary.released"
#: A dataset has few: each record that is read is held against them.
MAX_CANARIES: Final = 1000
MAX_READERS: Final = 100
_COLUMN: Final = "canary"
_MAC_BYTES: Final = 32


@dataclass(frozen=True)
class PlacedCanary:
    """A canary as those see it who may manage them."""

    id: UUID
    record_id: str
    placed_by: UUID
    placed_at: datetime


@dataclass(frozen=True)
class CanaryWatch:
    """What a release is held against. Its reader cannot tell whether there is one."""

    dataset_id: UUID
    macs: frozenset[bytes]
    mac_of: Callable[[bytes], bytes]
    principal: Principal
    request: RequestFacts

    def is_canary(self, record_id: str) -> bool:
        return self.mac_of(record_id.encode()) in self.macs

    def note(self, record_ids: Iterable[str], *, reader_id: UUID | None = None) -> None:
        """Tell of the canaries among ``record_ids``, which are about to be released, before they are.

        To the open scope's principal, or the one the release was decided for, or ``reader_id`` where work is done on
        somebody's behalf. In the open scope, or one of its own.
        """
        found = sum(map(self.is_canary, record_ids))
        if found:
            with tenant_scope(self.principal.tenant_id, self.principal, self.request):
                _tell(self.dataset_id, reader_id or self.principal.id, found)


def watch_of(dataset: Dataset) -> CanaryWatch | None:
    """What a release of the dataset to the open scope's principal is held against; None where it has no canary.

    That it has none is in the dataset's own row, so it costs nothing.
    """
    if not dataset.has_canaries:
        return None
    scope = current_scope()
    return CanaryWatch(
        dataset_id=dataset.pk,
        macs=frozenset(bytes(mac) for mac in Canary.objects.filter(dataset=dataset).values_list("mac", flat=True)),
        mac_of=_mac_of(dataset),
        principal=scope.principal,
        request=scope.request,
    )


def _mac_of(dataset: Dataset) -> Callable[[bytes], bytes]:
    return keyed_digest(load_keys(dataset.pk).content.derive(b"canaries"), _MAC_BYTES)


def _tell(dataset_id: UUID, reader_id: UUID, found: int) -> None:
    """Once for a principal and an hour, whatever became of the alert."""
    if CanaryReader.objects.filter(dataset_id=dataset_id, principal_id=reader_id).exists():
        return
    now = timezone.now()
    sound_once(
        Alarm(
            kind=KIND,
            cause=f"dataset {dataset_id}, principal {reader_id}, {now:%Y-%m-%dT%H}",
            severity="critical",
            summary=f"{'A canary was' if found == 1 else f'{found} canaries were'} released at {now:%H:%M:%S} UTC",
            facts={"released_at": now.isoformat(timespec="seconds"), "canaries_at_once": found},
            principal_id=reader_id,
            dataset_id=dataset_id,
            since=now.replace(minute=0, second=0, microsecond=0),
        )
    )


def list_canaries(principal: Principal, *, dataset_id: UUID) -> list[PlacedCanary]:
    """The canaries of a dataset, in order of placing. Raises DatasetNotFound, AccessDenied."""
    dataset = _managed(principal, dataset_id, act="list")
    return [
        PlacedCanary(
            row.pk, open_column(_COLUMN, row.pk.bytes, bytes(row.sealed_id)).decode(), row.placed_by, row.placed_at
        )
        for row in Canary.objects.filter(dataset=dataset).order_by("id")
    ]


def place_canaries(principal: Principal, *, dataset_id: UUID, record_ids: Sequence[str]) -> int:
    """Make records of ``main`` canaries; returns how many were none before.

    Raises DatasetNotFound, AccessDenied, and InvalidInput for ids of no record, or too many.
    """
    dataset = _managed(principal, dataset_id, act="place", canaries=len(record_ids))
    wanted = list(dict.fromkeys(record_ids))
    problems = [
        FieldProblem(f"/record_ids/{record_ids.index(one)}", "main has no record of this id")
        for one in _missing(dataset, wanted)
    ]
    if not wanted or Canary.objects.filter(dataset=dataset).count() + len(wanted) > MAX_CANARIES:
        problems.append(FieldProblem("/record_ids", f"1 to {MAX_CANARIES:,} canaries of a dataset"))
    if problems:
        raise InvalidInput(errors=problems)
    mac_of = _mac_of(dataset)
    known = {bytes(mac) for mac in Canary.objects.filter(dataset=dataset).values_list("mac", flat=True)}
    new = [_canary(dataset, one, mac, principal) for one in wanted if (mac := mac_of(one.encode())) not in known]
    Canary.objects.bulk_create(new)
    _settle(dataset)
    return len(new)


def _missing(dataset: Dataset, record_ids: Sequence[str]) -> list[str]:
    version = find_version_or_none(dataset, "main")
    root = bytes(version.root) if version else EMPTY_ROOT
    if root == EMPTY_ROOT:
        return list(record_ids)
    store = PackReader(load_keys(dataset.pk))
    return [one for one in record_ids[:MAX_CANARIES] if locate(store, root, one) is None]


def _canary(dataset: Dataset, record_id: str, mac: bytes, principal: Principal) -> Canary:
    pk = uuid7()
    sealed = seal_column(_COLUMN, pk.bytes, record_id.encode())
    return Canary(id=pk, dataset=dataset, mac=mac, sealed_id=sealed, placed_by=principal.id)


def remove_canary(principal: Principal, *, dataset_id: UUID, canary_id: UUID) -> None:
    """Make a record an ordinary one again; one that is none stays so. Raises DatasetNotFound, AccessDenied."""
    dataset = _managed(principal, dataset_id, act="remove", canary=canary_id)
    Canary.objects.filter(dataset=dataset, pk=canary_id).delete()
    _settle(dataset)


def _settle(dataset: Dataset) -> None:
    """Say in the dataset's row whether it has any; whoever changes them holds that row."""
    has_any = Canary.objects.filter(dataset=dataset).exists()
    Dataset.objects.filter(pk=dataset.pk).update(has_canaries=has_any, updated_at=Now())


def list_canary_readers(principal: Principal, *, dataset_id: UUID) -> list[CanaryReader]:
    """Who may read the canaries without being told of. Raises DatasetNotFound, AccessDenied."""
    dataset = _managed(principal, dataset_id, act="list-readers")
    return list(CanaryReader.objects.filter(dataset=dataset).order_by("id"))


def allow_canary_reader(principal: Principal, *, dataset_id: UUID, reader_id: UUID) -> None:
    """Let a principal read the canaries unnoticed, which nobody lets themselves or a program that they made.

    Raises DatasetNotFound, AccessDenied, InvalidInput.
    """
    dataset = _managed(principal, dataset_id, act="allow-reader", reader=reader_id)
    if hands_of(principal.id) & hands_of(reader_id):
        raise InvalidInput(errors=[FieldProblem("/reader", "somebody else has to allow you and your programs")])
    if CanaryReader.objects.filter(dataset=dataset).count() >= MAX_READERS:
        raise InvalidInput(errors=[FieldProblem("/reader", f"at most {MAX_READERS} readers")])
    CanaryReader.objects.get_or_create(dataset=dataset, principal_id=reader_id, defaults={"added_by": principal.id})


def remove_canary_reader(principal: Principal, *, dataset_id: UUID, reader_id: UUID) -> None:
    """Tell of a principal again. Raises DatasetNotFound, AccessDenied."""
    dataset = _managed(principal, dataset_id, act="remove-reader", reader=reader_id)
    CanaryReader.objects.filter(dataset=dataset, principal_id=reader_id).delete()


def _managed(principal: Principal, dataset_id: UUID, *, act: str, **facts: Any) -> Dataset:
    """The dataset, locked; the audit says what is done to its canaries, and never which records they are."""
    dataset = get_dataset(principal, dataset_id, action="canary.manage")
    authorize(principal, "canary.manage", resource_of(dataset), facts={"act": act, **facts})
    return Dataset.objects.select_for_update(no_key=True).get(pk=dataset.pk)
