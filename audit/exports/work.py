"""The writing of an export: a page of the log at a time, from wherever the last worker was stopped."""

import hashlib
import io
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from typing import IO, Any, Final, cast
from uuid import UUID

import orjson

from access.terms import Store, end_of_new
from audit.archive.event import event_of, meets
from audit.archive.read import Archive
from audit.exports.encode import ENCODERS, Sealed
from audit.exports.errors import DamagedAudit, NothingSealed
from audit.exports.parts import PART_BYTES, read_part, remove_leftovers, remove_parts, write_part
from audit.log.checkpoints import checkpoint_covering
from audit.models import AuditEvent, AuditExport, AuditExportFormat
from audit.proofs.bundle import BundleEvent, write_bundle
from audit.proofs.damage import Damage
from audit.proofs.drops import recorded_drops
from audit.proofs.jobs import tell_damage
from audit.proofs.rows import Row, read_page
from audit.proofs.walk import damage_of
from audit.selectors import EventFilter, matching
from audit.services.criteria import from_json
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.jobs import Claim
from vaultsite.kernel.tenancy.scope import current_tenant_id
from vaultsite.kernel.turn import is_final, take_turn

#: Leaves looked at in one transaction.
PAGE: Final = 2000


def run_export(tenant_id: UUID, export_id: UUID) -> None:
    """Continue an export from its checkpoint until it ends, is taken back, or is taken over by another worker."""
    take_turn(AuditExport, tenant_id, export_id, _run, fail=_fail, ends=_is_end)


def _is_end(error: VaultError) -> bool:
    return is_final(error) or isinstance(error, DamagedAudit)


def _fail(export: AuditExport, held: Claim, error: VaultError) -> None:
    if isinstance(error, DamagedAudit):
        with held.scope():
            tell_damage(error.extra["seq"], Damage(error.extra["damage"]), "export")
    held.fail(error, parts=[])
    remove_parts(export)


def _run(export: AuditExport, held: Claim) -> None:
    remove_leftovers(export, fence=held.fence)
    if export.format == AuditExportFormat.BUNDLE:
        _write_bundle(export, held)
    else:
        while not _write_page(export, held):
            pass


def _write_page(export: AuditExport, held: Claim) -> bool:
    """Read one page of the log, write its events as one part, and remember both; True once the file is whole."""
    opening, encode, _, _ = ENCODERS[export.format]
    with held.scope():
        first = int(export.checkpoint.get("seq", 0))
        page = _read_page(export, from_json(export.criteria), first)
        body = b"" if export.parts else opening
        body += b"".join(encode(Sealed.of(seq, event)) for seq, event in page.events)
        if body:
            export.parts.append(write_part(export.pk, held.fence, len(export.parts), body))
        export.checkpoint = {"seq": page.after, "missing": int(export.checkpoint.get("missing", 0)) + page.missing}
        export.record_count += len(page.events)
        export.size += len(body)
        is_done = page.after >= export.until_seq
        held.save(
            checkpoint=export.checkpoint,
            parts=export.parts,
            record_count=export.record_count,
            size=export.size,
            progress=_progress(export, page.after),
            **(_ending(_digest(export)) if is_done else {}),
        )
        if is_done:
            held.finish()
    return is_done


@dataclass(frozen=True)
class _Page:
    """Events that match, by sequence number; the first number behind them; leaves whose event is gone unexplained."""

    events: list[tuple[int, AuditEvent]]
    after: int
    missing: int


def _read_page(export: AuditExport, criteria: EventFilter, first: int) -> _Page:
    """What matches among PAGE leaves from ``first``. Raises DamagedAudit.

    Every event is compared with its leaf, those that do not match too: by a changed column it would not be found.
    """
    tenant_id, end = current_tenant_id(), min(first + PAGE, export.until_seq)
    online = read_page(tenant_id, first, end)
    leaves = Archive(tenant_id).fill(online)
    _require_whole(leaves, first, end)
    gone = [(seq, time) for seq, _, body, _, time, _ in leaves if body is None]
    drops = recorded_drops(tenant_id) if gone else []
    missing = sum(not any(drop.covers(seq, time) for drop in drops) for seq, time in gone)
    found = [*_matching_online(tenant_id, criteria, online), *_matching_archived(criteria, online, leaves)]
    return _Page(sorted(found, key=itemgetter(0)), end, missing)


def _matching_online(tenant_id: UUID, criteria: EventFilter, leaves: list[Row]) -> Iterator[tuple[int, AuditEvent]]:
    places = {event_id: (seq, time) for seq, _, body, _, time, event_id in leaves if body is not None}
    if not places:
        return
    times = [time for _, time in places.values()]
    found = matching(tenant_id, criteria).filter(pk__in=list(places), time__range=(min(times), max(times)))
    # An id may stand at another time too, in a row that was never sealed.
    yield from ((places[str(event.pk)][0], event) for event in found if places[str(event.pk)][1] == event.time)


def _matching_archived(criteria: EventFilter, online: list[Row], leaves: list[Row]) -> Iterator[tuple[int, AuditEvent]]:
    for before, (seq, _, body, *_) in zip(online, leaves, strict=True):
        if before[2] is None and body is not None:
            event = event_of(body)
            if meets(event, criteria):
                yield seq, event


def _require_whole(leaves: list[Row], first: int, end: int) -> None:
    tenant = str(current_tenant_id())
    for number, row in zip(range(first, end), leaves, strict=False):
        damage = damage_of(row, tenant) if row[0] == number else Damage.GAP
        if damage is not None:
            raise DamagedAudit(seq=number, damage=damage.value)
    if len(leaves) < end - first:
        raise DamagedAudit(seq=first + len(leaves), damage=Damage.GAP.value)


def _progress(export: AuditExport, after: int) -> dict[str, Any]:
    percent = 100 if not export.until_seq else min(100, after * 100 // export.until_seq)
    return {
        "stage": "writing",
        "events": export.record_count,
        "bytes": export.size,
        "percent": percent,
        "missing": export.checkpoint["missing"],
    }


def _digest(export: AuditExport) -> str:
    from_store = hashlib.sha256()
    for body in read_parts(export):
        from_store.update(body)
    return from_store.hexdigest()


def read_parts(export: AuditExport) -> Iterator[bytes]:
    """The file in pieces, inside a scope. Raises AuditExportExpired, IntegrityFailure."""
    yield from (read_part(export.pk, number, name) for number, (name, _) in enumerate(export.parts))


def _ending(digest: str) -> dict[str, Any]:
    return {"sha256": digest, "expires_at": end_of_new(Store.AUDIT_EXPORTS)}


class _SealedTarget(io.RawIOBase):
    """A file that is written from front to back and sealed a part at a time."""

    def __init__(self, export: AuditExport, fence: int) -> None:
        self.parts: list[Any] = []
        self.size = 0
        self.digest = hashlib.sha256()
        self._export, self._fence = export, fence
        self._waiting = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        self._waiting += data
        self.size += len(data)
        self.digest.update(data)
        while len(self._waiting) >= PART_BYTES:
            self._seal(PART_BYTES)
        return len(data)

    def end(self) -> None:
        if self._waiting:
            self._seal(len(self._waiting))

    def _seal(self, size: int) -> None:
        body = bytes(self._waiting[:size])
        del self._waiting[:size]
        self.parts.append(write_part(self._export.pk, self._fence, len(self.parts), body))


def _write_bundle(export: AuditExport, held: Claim) -> None:
    """An archive is written in one go; a worker that is killed leaves parts that the next one removes."""
    with held.scope():
        checkpoint = checkpoint_covering(held.tenant_id, export.until_seq - 1)
        if checkpoint is None:
            raise NothingSealed
        target = _SealedTarget(export, held.fence)
        pages = _Pages(export)
        count = write_bundle(
            cast("IO[bytes]", target),
            tenant_id=held.tenant_id,
            checkpoint=checkpoint,
            events=pages.events(),
            about=_about(export),
        )
        target.end()
        export.record_count, export.size, export.checkpoint = count, target.size, {"missing": pages.missing}
        held.save(
            parts=target.parts,
            record_count=count,
            size=target.size,
            progress=_progress(export, export.until_seq),
            **_ending(target.digest.hexdigest()),
        )
        held.finish()


class _Pages:
    """The events of a bundle, read as they are written."""

    def __init__(self, export: AuditExport) -> None:
        self.missing = 0
        self._export = export

    def events(self) -> Iterator[BundleEvent]:
        criteria, after = from_json(self._export.criteria), 0
        while after < self._export.until_seq:
            page = _read_page(self._export, criteria, after)
            after = page.after
            self.missing += page.missing
            yield from (BundleEvent(seq, bytes(event.body)) for seq, event in page.events)


def _about(export: AuditExport) -> bytes:
    said = {
        "export": str(export.pk),
        "requested_by": str(export.requested_by),
        "requested_at": export.created_at.isoformat(),
        "filters": export.criteria,
        "until_seq": export.until_seq,
    }
    return orjson.dumps(said, option=orjson.OPT_INDENT_2 | orjson.OPT_SORT_KEYS)
