"""The read path: authorize -> resolve -> fetch -> decrypt -> anonymize (obligations) -> emit -> release."""

import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import islice
from typing import Any, Final
from uuid import UUID

import orjson

from access.services.authorize import Decision, authorize
from access.services.break_glass import note_emergency_use
from access.services.metering import Meter, require_grants, row_limit_of
from anonymization.errors import ObligationUnmet
from anonymization.findings import Finding, decode_findings
from anonymization.services.anonymizer import Anonymizer, Declared, build_anonymizer
from anonymization.services.detect import detector_hash
from datasets.errors import NotScanned, RecordNotFound, UnmetObligation, VersionNotFound
from datasets.models import Dataset, Version
from datasets.query import Filter
from datasets.selectors import find_version_or_none, get_dataset, resource_of
from datasets.services.canaries import CanaryWatch, watch_of
from datasets.services.consent import KIND as CONSENT
from datasets.services.consent import ConsentGate, gate_of
from datasets.services.keys import load_keys
from datasets.services.pack_store import PackReader
from datasets.services.restrictions import KIND as RESTRICTION
from datasets.services.restrictions import RestrictionGate, restriction_of
from datasets.services.row_conditions import KIND, rows_released
from datasets.services.scanned_reader import ScannedReader
from datasets.services.schemas import active_schema, annotations_of
from datasets.services.uses import note_use
from datasets.services.version_quarantine import refuse_quarantined
from datasets.tree.chunk import Chunk, ChunkCodec
from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.reader import iterate_chunks, locate
from datasets.tree.record import TreeRecord, data_bytes
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, Outcome, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Obligations that are met by counting what leaves.
_COUNTED: Final = frozenset({"quota", "row_limit"})
#: Chunks looked up at once while streaming; their bytes are fetched one by one, so only the places wait in memory.
_READ_AHEAD: Final = 32


@dataclass(frozen=True)
class Release:
    """A decided read of one version: everything needed to hand out records after the scope has ended.

    Records that do not meet ``rows`` do not exist for its reader; nor do those that ``consent`` or ``restriction``
    leaves out, but their number.
    """

    dataset: Dataset
    version: Version
    decision: Decision
    resource: ResourceRef
    store: PackReader
    anonymizer: Anonymizer
    rows: Filter = field(default_factory=Filter)
    canaries: CanaryWatch | None = None
    consent: ConsentGate | None = None
    restriction: RestrictionGate | None = None

    @property
    def is_raw(self) -> bool:
        """Whether records are shown as they are."""
        return self.anonymizer.is_raw

    @property
    def is_whole(self) -> bool:
        """Whether every record is, so that what the vault knows of all of them tells its reader nothing new."""
        return self.is_raw and self.has_every_record

    @property
    def has_every_record(self) -> bool:
        """Whether no record of the version is left out."""
        is_open = self.restriction is None or self.restriction.is_empty
        return self.rows.node is None and self.consent is None and is_open

    def for_subject(self) -> "Release":
        """The same for who answers a person about themselves: a restriction is no reason to keep it from them."""
        return replace(self, restriction=None)

    def admits(self, record: TreeRecord, findings: Sequence[Finding] = ()) -> bool:
        """Whether a record is one of those released. ``findings``: those of one that is staged."""
        if self.rows.node is not None and not self.rows.matches(orjson.loads(record.canonical)):
            return False
        if self.restriction is not None and not self.restriction.admits(record, findings):
            return False
        return self.consent is None or self.consent.admits(record, findings)

    def look_ahead(self, records: Iterable[TreeRecord]) -> None:
        """Called with records that are about to be asked about, so that what is known of all is fetched at once."""
        if self.consent is not None:
            self.consent.look_ahead(records)

    @property
    def withholds(self) -> tuple[str, ...]:
        """Why records may be left out, by kind."""
        gates = ((CONSENT, self.consent), (RESTRICTION, self.restriction))
        return tuple(kind for kind, gate in gates if gate is not None)

    def take_withheld(self, *, until: str | None = None) -> dict[str, Any]:
        """How many records up to the id ``until`` were left out and why, since it was asked last.

        Empty where nothing could be: a member for answers and for what the audit keeps.
        """
        gates = ((CONSENT, self.consent), (RESTRICTION, self.restriction))
        counts = {kind: gate.take_count(until=until) for kind, gate in gates if gate is not None}
        return {"records_withheld": counts} if counts else {}

    def note_leaving(self, record_ids: Iterable[str], *, reader_id: UUID | None = None) -> None:
        """Called with the records that are about to be released, raw or not, in a scope or out of one.

        ``reader_id``: who gets them, where that is not who the release was decided for.
        """
        if self.canaries is not None:
            self.canaries.note(record_ids, reader_id=reader_id)

    @property
    def operator(self) -> str | None:
        """How records are shown, in one word; None for raw."""
        return self.anonymizer.operator

    @property
    def shown_as(self) -> str:
        """How records are shown, in words for their reader."""
        named = ", ".join(one["policy"] for one in self.anonymizer.policy_facts)
        if named:
            return f"under {named}"
        return {None: "raw", "mask": "masked", "redact": "redacted"}.get(self.operator, self.operator or "")


@dataclass(frozen=True)
class ReadRecord:
    """One record as this reader may see it; ``findings`` only for readers of raw data."""

    id: str
    data: dict[str, Any]
    metadata: dict[str, Any]
    findings: tuple[Finding, ...] = ()

    def as_json(self, fields: Sequence[str] = ()) -> dict[str, Any]:
        data = {name: self.data[name] for name in fields if name in self.data} if fields else self.data
        return {"id": self.id, "data": data, "metadata": self.metadata}


def open_release(
    principal: Principal, *, dataset_id: UUID, version: str, purpose: str | None = None, counts_rows: bool = False
) -> Release:
    """Decide on reading records of a version, in the open scope. ``counts_rows``: see ``release_under``.

    Raises DatasetNotFound, VersionNotFound, AccessDenied, PurposeRequired, UnknownPurpose, UnmetObligation,
    VersionQuarantined.
    """
    dataset = get_dataset(principal, dataset_id, action="record.read")
    # Named as the vault names it, never as the client wrote it; who is denied does not learn whether it exists.
    found = find_version_or_none(dataset, version)
    decision = authorize(principal, "record.read", resource_of(dataset, found), purpose=purpose)
    if found is None:
        raise VersionNotFound
    return release_under(decision, dataset, found, counts_rows=counts_rows)


def release_under(decision: Decision, dataset: Dataset, version: Version, *, counts_rows: bool = False) -> Release:
    """What a decision on ``record.read`` releases of a version, in the scope it was made in.

    ``counts_rows`` is said by who hands every record through ``stream_lines``, or counts it with ``metering.charge``
    before it leaves; for others a decision that counts records is one that cannot be met.

    Raises LeaseEnded where it rested on a grant that has ended since, UnmetObligation, VersionQuarantined.
    """
    require_grants(decision)
    refuse_quarantined(version)
    met = {KIND, CONSENT, RESTRICTION} | (_COUNTED if counts_rows else frozenset())
    asked = tuple(one for one in decision.obligations if one.type not in met)
    rows = rows_released(decision.obligations)
    try:
        anonymizer = build_anonymizer(
            asked,
            dataset_id=dataset.pk,
            purpose=decision.purpose,
            declared=partial(declared_fields, dataset),
        )
    except ObligationUnmet as unmet:
        raise UnmetObligation(**unmet.extra) from unmet
    note_use(dataset, decision.purpose or "")
    note_emergency_use(decision, resource_of(dataset, version), action="record.read")
    keys = load_keys(dataset.pk)
    return Release(
        dataset=dataset,
        version=version,
        decision=decision,
        resource=resource_of(dataset, version),
        store=PackReader(keys) if anonymizer.is_raw else ScannedReader(keys),
        anonymizer=anonymizer,
        rows=rows,
        canaries=watch_of(dataset),
        consent=gate_of(decision, dataset),
        restriction=restriction_of(decision, dataset),
    )


def declared_fields(dataset: Dataset) -> list[Declared]:
    """The fields for which the dataset's active schema names a strategy."""
    schema = active_schema(dataset.pk)
    stated = annotations_of(schema) if schema else ()
    return [Declared(f"/data{one.pointer}", one.pii_type, one.strategy) for one in stated if one.strategy]


def read_records(
    release: Release, *, after: str | None = None, limit: int | None = None, with_findings: bool = False
) -> Iterator[ReadRecord]:
    """Records in order of id, each as the release's obligations allow. Needs no open scope.

    Raises NotScanned before anything of a chunk that lacks findings leaves under an obligation to anonymize.
    """
    ahead = _READ_AHEAD if limit is None else 1
    return islice(_released(release, after, ahead, with_findings=with_findings), limit)


def _released(release: Release, after: str | None, ahead: int, *, with_findings: bool) -> Iterator[ReadRecord]:
    root = bytes(release.version.root)
    if root == EMPTY_ROOT:
        return
    for child, chunk in iterate_chunks(release.store, root, after, read_ahead=ahead):
        findings: list[list[Finding]] | None = None
        if not release.is_raw or with_findings:
            chunk, findings = scanned_chunk(release, child.digest, chunk)
        release.look_ahead(islice(chunk, chunk.after(after), None))
        for index in range(chunk.after(after), len(chunk)):
            shown = as_shown(release, chunk[index], findings[index] if findings else [])
            if shown is not None:
                yield shown


def read_record(release: Release, record_id: str) -> ReadRecord:
    """One record by id. Raises RecordNotFound."""
    place = locate(release.store, bytes(release.version.root), record_id)
    if place is None:
        raise RecordNotFound
    child, chunk, _ = place
    chunk, findings = scanned_chunk(release, child.digest, chunk)
    index = chunk.after(record_id) - 1
    if index < 0 or chunk.ids[index] != record_id:
        raise RecordNotFound  # erased while it was read
    shown = as_shown(release, chunk[index], findings[index])
    if shown is None:
        raise RecordNotFound
    release.note_leaving((record_id,))
    return shown


def scanned_chunk(release: Release, digest: bytes, chunk: Chunk) -> tuple[Chunk, list[list[Finding]]]:
    """The chunk as it is now with its findings, in order. Raises NotScanned when they are not complete.

    Both are stored apart: where records were erased after ``chunk`` was read, it is read again.
    """
    while True:
        try:
            return chunk, findings_of(release, digest, len(chunk))
        except NotScanned:
            current = ChunkCodec().decode(release.store.load(digest).body)
            if len(current) == len(chunk):
                raise
            chunk = current


def findings_of(release: Release, digest: bytes, count: int) -> list[list[Finding]]:
    """The findings of the ``count`` records of a chunk, in order. Raises NotScanned when they are not complete."""
    encoded = release.store.findings(digest, detector_hash()) or release.store.findings(digest)
    if encoded is None:
        raise NotScanned
    findings = decode_findings(encoded)
    if len(findings) != count:
        raise NotScanned
    return findings


def as_shown(release: Release, record: TreeRecord, findings: list[Finding]) -> ReadRecord | None:
    """The record as the release's obligations allow it to be seen; None where they do not. Raises FindingMismatch."""
    if not release.admits(record, findings):
        return None
    plain = orjson.loads(record.canonical)
    if release.is_raw:
        return ReadRecord(record.id, plain["data"], plain["metadata"], tuple(findings))
    del plain["id"]
    shown = release.anonymizer.show_own(plain, findings, record_id=record.id)
    return ReadRecord(record.id, shown["data"], shown["metadata"])


def note_withheld(release: Release, *, shown: int, until: str | None) -> dict[str, Any]:
    """What a page of records up to the id ``until`` (None: to the end) says of those left out; told to the audit too.

    In the open scope, once the page is made. Empty, and nothing is told, where nobody's consent was asked for.
    """
    withheld = release.take_withheld(until=until)
    if withheld:
        emit(_completed(release, "success", {"records_accessed": shown, **withheld}))
    return withheld


def stream_data(release: Release, principal: Principal, request: RequestFacts) -> Iterator[bytes]:
    """The ``data`` of every record as one JSON line each, in order of id; its end is an event of its own.

    Needs no open scope: nothing but short lookups touches the database while bytes flow.
    """
    return stream_lines(release, principal, request, _lines(release))


def stream_lines(
    release: Release,
    principal: Principal,
    request: RequestFacts,
    lines: Iterator[bytes],
    *,
    headings: int = 0,
    action: str = "record.read",
) -> Iterator[bytes]:
    """``lines`` as long as ``principal`` may have them; their end is recorded, ``headings`` of them being no records.

    ``action`` is what was decided on. Records are counted before they leave. Raises AccessDenied, LeaseEnded or
    QuotaExhausted in the middle once the credential, a permission, a grant or its quota is gone.
    """
    started = time.monotonic()
    records, size = -headings, 0
    outcome: Outcome = "failure"
    meter = Meter(principal, request, action, release.resource, release.decision)
    most = row_limit_of(release.decision)
    try:
        for line in lines:
            if most is not None and records >= most:
                break
            outcome = "denied"
            meter.admit(int(records >= 0), len(line))
            outcome = "failure"
            yield line
            records += 1
            size += len(line)
        outcome = "success"
    finally:
        facts = {
            "records_accessed": max(0, records),
            "bytes_transferred": size,
            "duration_ms": int((time.monotonic() - started) * 1000),
            **release.take_withheld(),
        }
        meter.close()
        with tenant_scope(principal.tenant_id, principal, request):
            emit(_completed(release, outcome, facts))


def _lines(release: Release) -> Iterator[bytes]:
    if not release.is_raw:
        for record in read_records(release):
            release.note_leaving((record.id,))
            yield orjson.dumps(record.data, option=orjson.OPT_APPEND_NEWLINE)
        return
    root = bytes(release.version.root)
    for _, chunk in iterate_chunks(release.store, root, read_ahead=_READ_AHEAD):
        release.look_ahead(chunk)
        for stored in chunk:
            if release.admits(stored):
                release.note_leaving((stored.id,))
                yield data_bytes(stored.canonical, stored.id) + b"\n"


def _completed(release: Release, outcome: Outcome, facts: dict[str, Any]) -> Event:
    return Event(
        type=EventType.ACCESS_COMPLETED,
        operation="read",
        status=outcome,
        resource=release.resource,
        purpose=release.decision.purpose or "",
        obligations=tuple(map(str, release.decision.obligations)),
        metadata=facts,
    )
