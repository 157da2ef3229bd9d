"""The next version of a branch: the records of its head, without what was found in them."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from django.utils import timezone

from anonymization.findings import Finding, encode_findings
from anonymization.services.detect import detect_records, detector_hash
from datasets.errors.upkeep import ErasedMeanwhile
from datasets.models import Branch, Dataset, Masking, Version, VersionKind
from datasets.services.attachments import attach
from datasets.services.commit import NewVersion, commit_version, discard_packs, keep_packs
from datasets.services.findings_recorder import FindingsRecorder
from datasets.services.ingest.commit import new_seed
from datasets.services.ingest.scan import content_keys
from datasets.services.ingest.subjects import subject_keys
from datasets.services.keys import DatasetKeys
from datasets.services.masking.content import masked, personal
from datasets.services.masking.found import findings_in
from datasets.services.pack_store import PackReader, PackWriter
from datasets.services.preconditions import before
from datasets.services.schemas import RecordRules, rules_for
from datasets.services.writable import hold_there
from datasets.tree.builder import Change, Upsert, build
from datasets.tree.digests import EMPTY_ROOT, keyed_digest
from datasets.tree.reader import iterate_chunks
from datasets.tree.record import TreeRecord, assembled_record
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.jobs import Claim

_MESSAGE: Final = "Personal data that was found is replaced by its kind"
_READ_AHEAD: Final = 16


@dataclass
class Publisher:
    """Makes the versions of one masking."""

    masking: Masking
    claim: Claim
    keys: DatasetKeys
    beat: Callable[[], None]
    #: Gives the nonces of the new records: what branches share they share after this too.
    seed: SecretKey = field(default_factory=new_seed)
    _count: int = 0

    def publish(self, branch: str) -> None:
        """Until the branch's head shows nothing of it; one that does not is left as it is.

        Raises DatasetHeld, DatasetKept, DatasetNotFound, NotScanned, QuotaExceeded, DetectionFailed, FindingMismatch.
        """
        while not self._attempt(branch):
            self.beat()

    def _attempt(self, branch: str) -> bool:
        with self.claim.scope():
            discard_packs(self.masking.pk)
            dataset = Dataset.objects.get(pk=self.masking.dataset_id)
            head = _head_of(dataset, branch)
            rules = rules_for(dataset.pk)
        if head is None or bytes(head.root) == EMPTY_ROOT:
            return True
        writer = PackWriter(self.keys, claim=self.claim, detector=detector_hash(), epoch=dataset.erasure_epoch)
        recorder, self._count = FindingsRecorder(writer, self.beat), 0
        changes = self._changes(bytes(head.root), rules)
        try:
            tree = build(writer, bytes(head.root), changes, self.keys.boundary, on_chunk=recorder.record)
            recorder.subtract(tree.dropped_chunks)
            writer.flush()
        except ErasedMeanwhile:
            return False
        if not self._count:
            return True
        new = NewVersion(
            dataset_id=dataset.pk,
            branch=branch,
            kind=VersionKind.MASK,
            head=head,
            epoch=dataset.erasure_epoch,
            tree=tree,
            sealed_bytes=writer.sealed_bytes,
            profile_change=recorder.change,
            author=self.masking.requested_by,
            created_at=timezone.now(),
            seed=new_seed(),
            message=_MESSAGE,
            facts={"masking": str(self.masking.pk), "masked": self._count},
        )
        return self._commit(new)

    def _commit(self, new: NewVersion) -> bool:
        """The version and the counts that say so, in one transaction; False: build again."""
        with self.claim.scope():
            refuse_going(new.dataset_id)
            if commit_version(new) is None:
                return False
            keep_packs(self.masking.pk)
            self.masking.masked_count += self._count
            self.masking.version_count += 1
            self.claim.save(masked_count=self.masking.masked_count, version_count=self.masking.version_count)
        return True

    def _changes(self, root: bytes, rules: RecordRules) -> Iterator[Change]:
        reader, nonce, content_key = PackReader(self.keys), keyed_digest(self.seed), content_keys(self.keys)

        def detect(plain: dict[str, Any]) -> list[Finding]:
            return rules.with_stated(plain["data"], detect_records([(plain["data"], plain["metadata"])])[0])

        for child, chunk in iterate_chunks(reader, root, read_ahead=_READ_AHEAD):
            self.beat()
            found = findings_in(reader, child.digest, len(chunk)) if len(chunk) else []
            for record, findings in zip(chunk, found, strict=True):
                if not findings:
                    continue
                plain: dict[str, Any] = {"data": record.data, "metadata": record.metadata}
                if not personal(plain, findings):
                    continue
                shown, rest = masked(plain, findings, detect)
                if shown == plain:
                    continue
                self._count += 1
                yield self._upsert(record.id, shown, rest, nonce=nonce, content_key=content_key)

    def _upsert(
        self,
        record_id: str,
        shown: dict[str, Any],
        findings: list[Finding],
        *,
        nonce: Callable[[bytes], bytes],
        content_key: Callable[[bytes, dict[str, Any]], bytes],
    ) -> Upsert:
        data = orjson.dumps(shown["data"], option=orjson.OPT_SORT_KEYS)
        metadata = orjson.dumps(shown["metadata"], option=orjson.OPT_SORT_KEYS)
        canonical = assembled_record(record_id, data, metadata)
        key = content_key(data, shown["metadata"])
        encoded = encode_findings([findings]) if findings else b""
        subjects = subject_keys(self.keys.index, shown["data"], shown["metadata"], findings)
        return Upsert(TreeRecord(record_id, nonce(record_id.encode()), key, canonical), attach(encoded, subjects))


def _head_of(dataset: Dataset, branch: str) -> Version | None:
    found = Branch.objects.select_related("head").filter(dataset=dataset, name=branch).first()
    return found.head if found else None


def refuse_going(dataset_id: UUID) -> Dataset:
    """The dataset, locked: what is in it may go. Raises DatasetNotFound, DatasetHeld, DatasetKept."""
    dataset = hold_there(dataset_id)
    before("delete", dataset)
    return dataset


def branches_of(dataset_id: UUID) -> list[str]:
    """In the open scope: the branches that have a head, in order of name."""
    rows = Branch.objects.filter(dataset_id=dataset_id, head__isnull=False)
    return list(rows.order_by("name").values_list("name", flat=True))
