"""The worker's part of a person's erasure: suppress, erase in every dataset, wait, clear what lies beside, look again.

Each step can be done twice: who takes over after a kill begins it anew and comes to the same end.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from anonymization.services.token_vault.upkeep import forget_tokens, tokens_of
from compliance.errors.subjects import ErasureIncomplete
from compliance.models import (
    PartState,
    SubjectErasure,
    SubjectErasurePart,
    SubjectMatch,
    SubjectSearch,
    SubjectStore,
)
from compliance.subjects.conflicts import REFUSED, REVIEWED, refuse_part, split_off_held
from compliance.subjects.erase import OF_RECORDS, parts_of
from compliance.subjects.identifiers import Known, open_known
from compliance.subjects.index_search import index_entries, index_keys
from compliance.subjects.manifest import make_manifest
from compliance.subjects.matcher import PROVEN, Matcher
from compliance.subjects.receipt import (
    UNKNOWN,
    digest_of,
    make_receipt,
    record_receipt,
    seal_manifest,
    seal_note,
    signed,
)
from compliance.subjects.recipients import make_tasks
from compliance.subjects.request_files import clear_files
from compliance.subjects.search import accepted_matches
from compliance.subjects.stores import READINGS
from compliance.subjects.sweep import live_datasets, read_store, values_of
from datasets.models import Dataset, Erasure, Ingest
from datasets.services.erasure.request import queue_erasure
from datasets.services.holdings.files import remove_rejects
from datasets.services.holdings.texts import blank_text
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.suppression import settle_suppression, suppress_identifiers
from vaultsite.kernel.errors import KeyDestroyed, RegionNotServed, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.jobs import FINAL, Claim, JobStatus, Pulse
from vaultsite.kernel.turn import take_turn

_SERVER_FAULT: Final = 500


@dataclass
class Work:
    """One worker's hold on one erasure."""

    erasure: SubjectErasure
    claim: Claim
    known: Known
    _matcher: Matcher = field(init=False)
    _beat: Pulse = field(init=False)

    def __post_init__(self) -> None:
        self._matcher = Matcher(self.known.identifiers)
        self._beat = Pulse(self.claim, progress={"stage": "look"})

    @classmethod
    def open(cls, erasure: SubjectErasure, held: Claim) -> "Work":
        """Raises IdentifiersForgotten, KeyUnavailable."""
        with held.scope():
            known = open_known(SubjectSearch.objects.get(pk=erasure.search_id))
        return cls(erasure, held, known)

    def run(self) -> None:
        """To the end, or until others have to come first."""
        if not self.erasure.checkpoint:
            self._begin()
        if self._is_waiting():
            self.claim.wait()
            return
        self._require_no_fault()
        if self.erasure.checkpoint["stage"] == "records":
            self._clear_beside()
        remaining = self._look_again()
        self._finish(remaining)

    def _begin(self) -> None:
        """Suppress the identifiers, so that a return is told from now on, and ask for the erasure in each dataset."""
        with self.claim.scope():
            parts, datasets = parts_of(self.erasure), _datasets_of(self.erasure)
        recipients, unknown = make_tasks(self.erasure, datasets, scope=self.claim.scope)
        for part in parts:
            if part.state == PartState.WAITING:
                self._begin_part(part)
        with self.claim.scope():
            suppressed = suppress_identifiers(index_keys(self.known.identifiers), erasure_id=self.erasure.pk)
            counts = {"recipients": recipients, "suppressed": suppressed}
            self._save({"stage": "records", UNKNOWN: unknown}, counts=counts)

    def _begin_part(self, part: SubjectErasurePart) -> None:
        """In one transaction with what says so: an erasure is asked for once, however often this begins."""
        with self.claim.scope():
            split_off_held(part)
            try:
                part.record_erasure = queue_erasure(
                    part.dataset_id,
                    record_ids=part.record_ids,
                    reason=f"erasure of a person {self.erasure.pk}",
                    requested_by=self.erasure.requested_by,
                    purpose=self.erasure.purpose,
                ).pk
                part.state = PartState.RUNNING
            except VaultError as refusal:
                if refusal.status >= _SERVER_FAULT:
                    raise
                refuse_part(part, refusal.code)
            part.save(update_fields=["record_ids", "record_erasure", "state", "conflict", "basis"])

    def _is_waiting(self) -> bool:
        """Whether an erasure in a dataset, or an upload with something of the person in it, is still under way."""
        with self.claim.scope():
            waiting = sum(not self._has_ended(part) for part in parts_of(self.erasure))
            uploads = _uploads_of(self.erasure)
            running = Ingest.objects.filter(pk__in=uploads).exclude(status__in=FINAL).count()
            if waiting or running:
                progress = {"stage": "records", "waiting": waiting, "uploads": running}
                self.claim.save(progress=progress)
        return bool(waiting or running)

    def _has_ended(self, part: SubjectErasurePart) -> bool:
        if part.state != PartState.RUNNING:
            return True
        row = Erasure.objects.filter(pk__in=[part.record_erasure] if part.record_erasure else []).first()
        if row is not None and not row.is_final:
            return False
        if row is None or row.status == JobStatus.SUCCEEDED:  # no row: the dataset was purged with its keys
            part.state = PartState.ERASED
        elif int((row.error or {}).get("status", _SERVER_FAULT)) < _SERVER_FAULT:
            refuse_part(part, row.error_code)
        else:
            part.state, part.conflict = PartState.WAITING, row.error_code
        part.save(update_fields=["state", "conflict", "basis"])
        return True

    def _require_no_fault(self) -> None:
        """A fault is no ground to keep anything: nobody is given a receipt for it. Raises ErasureIncomplete."""
        with self.claim.scope():
            failed = [part.conflict for part in parts_of(self.erasure) if part.state == PartState.WAITING]
        if failed:
            raise ErasureIncomplete(codes=sorted(set(failed)))

    def _clear_beside(self) -> None:
        """Tokens, reports of rejected lines, words and files of requests, in the transaction that says so."""
        with self.claim.scope():
            counts: Counter[str] = Counter(self.erasure.counts)
            values = values_of(self.known)
            tokens = tokens_of(values)
            forget_tokens(values=values)
            for match in accepted_matches(self.erasure.search_id):
                if match.store == SubjectStore.TOKEN:  # a scope of tokens; its datasets have removed some already
                    counts["token"] += 1
                elif match.store == SubjectStore.REJECTS:
                    counts["rejects"] += remove_rejects(match.object_id)
                elif match.store == SubjectStore.TEXT:
                    counts["text" if blank_text(match.place, match.object_id) else "text_left"] += 1
            cleared, files = clear_files(self.erasure.search_id)
            counts.update(cleared)
            counts.update(self._counted_records())
            kept = {
                UNKNOWN: self.erasure.checkpoint.get(UNKNOWN, []),
                "tokens": [str(one) for one in tokens],
                "files": [[str(request), place, part] for request, place, part in files],
            }
            self._save({"stage": "look", **kept}, counts=dict(counts))

    def _counted_records(self) -> dict[str, int]:
        """By store, the accepted matches whose dataset let them go; and what the rewriting came to."""
        refused = {
            (part.dataset_id, record_id)
            for part in parts_of(self.erasure)
            if part.state == PartState.REFUSED
            for record_id in part.record_ids
        }
        gone = Counter(
            match.store
            for match in accepted_matches(self.erasure.search_id)
            if match.store in OF_RECORDS and (match.dataset_id, match.record_id) not in refused
        )
        receipts = [receipt for part in parts_of(self.erasure) if (receipt := record_receipt(part))]
        return {
            **gone,
            "tombstones": sum(len(record["leaves"]) for one in receipts for record in one["records"]),
            "chunks": sum(one["chunks_rewritten"] for one in receipts),
            "versions": sum(one["versions_affected"] for one in receipts),
            "refused": len(refused),
        }

    def _look_again(self) -> dict[str, int]:
        """What is still there, by why it is. Proven identifiers alone count.

        Read anew is every dataset with a match, and every one that the index of subjects names by now. Raises
        RegionNotServed where some lie in a zone of other workers: what was read here they need not read again.
        """
        with self.claim.scope():
            kept = _kept_places(self.erasure)
            now = {pk for pk, _, _ in index_entries(self.known.identifiers)}
            wanted = _datasets_of(self.erasure) | now
            touched = [pk for pk in live_datasets() if pk in wanted]
        read = set(self.erasure.checkpoint.get("read", ()))
        counts = Counter(self.erasure.checkpoint.get("remaining", {}))
        elsewhere: RegionNotServed | None = None
        for dataset_id in touched:
            try:
                if str(dataset_id) not in read:
                    counts.update(self._look_into(dataset_id, kept))
                    read.add(str(dataset_id))
            except RegionNotServed as error:
                elsewhere = error
        if elsewhere is not None:
            so_far = {"read": sorted(read), "remaining": dict(counts)}
            self.claim.save(checkpoint=self.erasure.checkpoint | so_far)
            raise elsewhere
        return dict(counts)

    def _look_into(self, dataset_id: UUID, kept: Mapping[tuple[UUID | None, str], str]) -> Counter[str]:
        """The same for one dataset. Raises RegionNotServed."""
        counts: Counter[str] = Counter()
        try:
            with self.claim.scope():
                reader = PackReader(load_keys(dataset_id))
        except KeyDestroyed:
            return counts
        for reading in READINGS:
            for swept in read_store(reader, reading, self._matcher, None):
                self._beat()
                for one in swept.found:
                    if one.hit.reason in PROVEN:
                        counts[kept.get((dataset_id, one.record_id), f"found in {one.store}")] += 1
        return counts

    def _finish(self, remaining: dict[str, int]) -> None:
        """Sign the receipt, forget the identifiers, and say so."""
        with self.claim.scope():
            self.erasure.refresh_from_db()
            self.erasure.remaining = remaining
            note = signed(make_receipt(self.erasure))
            records: dict[UUID, list[dict[str, Any]]] = {}
            for part in parts_of(self.erasure):
                receipt = record_receipt(part)
                records.setdefault(part.dataset_id, []).extend(receipt["records"] if receipt else [])
            self.claim.finish(
                remaining=remaining,
                receipt=seal_note(self.erasure.pk, note),
                receipt_sha256=digest_of(note),
                manifest=seal_manifest(self.erasure.pk, make_manifest(self.erasure.pk, records)),
                progress={"stage": "done"},
            )
            SubjectSearch.objects.filter(pk=self.erasure.search_id).update(identifiers=None)
            settle_suppression(self.erasure.pk)
            counts = {name: count for name, count in self.erasure.counts.items() if count}
            emit(_ended(self.erasure, receipt_sha256=digest_of(note), counts=counts, remaining=sum(remaining.values())))

    def _save(self, checkpoint: dict[str, Any], **fields: Any) -> None:
        self.erasure.checkpoint = checkpoint
        for name, value in fields.items():
            setattr(self.erasure, name, value)
        self.claim.save(checkpoint=checkpoint, progress={"stage": checkpoint["stage"]}, **fields)


def _datasets_of(erasure: SubjectErasure) -> set[UUID]:
    matches = SubjectMatch.objects.filter(search_id=erasure.search_id, state="accepted")
    held = {pk for pk in matches.values_list("dataset_id", flat=True).distinct() if pk is not None}
    return held & set(Dataset.objects.filter(pk__in=held).values_list("pk", flat=True))


def _uploads_of(erasure: SubjectErasure) -> list[UUID]:
    matches = SubjectMatch.objects.filter(search_id=erasure.search_id, store=SubjectStore.UPLOAD, state="accepted")
    return list(matches.values_list("object_id", flat=True))


def _kept_places(erasure: SubjectErasure) -> dict[tuple[UUID | None, str], str]:
    """(dataset, record id) -> why it was kept."""
    rejected = SubjectMatch.objects.filter(search_id=erasure.search_id, state="rejected")
    kept = dict.fromkeys(rejected.values_list("dataset_id", "record_id"), REVIEWED)
    for part in parts_of(erasure):
        if part.state == PartState.REFUSED:
            kept |= dict.fromkeys(((part.dataset_id, one) for one in part.record_ids), REFUSED)
    return kept


def run_subject_erasure(tenant_id: UUID, erasure_id: UUID) -> None:
    """Continue an erasure until it has ended, waits for others, or is another worker's."""
    take_turn(SubjectErasure, tenant_id, erasure_id, lambda erasure, held: Work.open(erasure, held).run(), fail=_fail)


def _fail(erasure: SubjectErasure, held: Claim, error: VaultError) -> None:
    with held.scope():
        held.fail(error)
        emit(_ended(erasure, failure=error.code))


def _ended(erasure: SubjectErasure, *, failure: str = "", **facts: Any) -> Event:
    return Event(
        EventType.SUBJECT_ERASED,
        operation="delete",
        status="failure" if failure else "success",
        severity="critical" if failure else "info",
        resource=ResourceRef("subject_erasure", str(erasure.pk)),
        purpose=erasure.purpose,
        failure_reason=failure,
        metadata={"legal_basis": erasure.legal_basis, "requested_by": str(erasure.requested_by), **facts},
    )
