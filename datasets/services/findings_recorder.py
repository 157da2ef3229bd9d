"""The findings of every chunk a job builds: new ones from the scan, the others carried over from the chunks before."""

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

from anonymization.findings import ACT_FROM, Finding, decode_findings, encode_findings, profile
from anonymization.services.detect import detect_records
from datasets.services.attachments import detach
from datasets.services.commit import Profile
from datasets.services.pack_store import PackWriter
from datasets.services.schemas import RecordRules, rules_for
from datasets.tree.builder import ChunkBuilt
from datasets.tree.chunk import ChunkCodec
from datasets.tree.digests import leaf_digest

_CACHED_CHUNKS: Final = 8


@dataclass
class FindingsRecorder:
    """Stores the findings of each new chunk: those of new records from the scan, those of others carried over by leaf.

    A carried record whose old chunk was scanned by another set of detectors is scanned again: the findings stored for a
    chunk are always the complete answer of one set.
    """

    writer: PackWriter
    beat: Callable[[], None]
    change: Profile = field(default_factory=Counter)
    _carried: dict[bytes, dict[bytes, list[Finding]] | None] = field(default_factory=dict)
    _codec: ChunkCodec = field(default_factory=ChunkCodec)
    _rules: RecordRules | None = None

    def record(self, chunk: ChunkBuilt) -> None:
        self.beat()
        if chunk.digest in chunk.origins:
            return  # a chunk of the parent, put together again as it was
        findings = self._all_findings(chunk)
        self.change.update(profile(findings, ACT_FROM))
        if chunk.is_stored and self.writer.has_findings(chunk.digest):
            return
        for record, leaf, attachment in zip(chunk.records, chunk.leaves, chunk.findings, strict=True):
            if attachment is not None:
                _, subjects = detach(attachment)
                self.writer.add_subjects(record.id, leaf, subjects)
        self.writer.add_findings(chunk.digest, encode_findings(findings))

    def subtract(self, dropped: frozenset[bytes]) -> None:
        """Take the findings of chunks the new tree no longer has out of the profile."""
        for digest in dropped:
            found = self._load(digest)
            self.change.subtract(profile(list(found.values()), ACT_FROM) if found is not None else {})

    def _all_findings(self, chunk: ChunkBuilt) -> list[list[Finding]]:
        found: list[list[Finding] | None] = []
        for leaf, origin, attachment in zip(chunk.leaves, chunk.origins, chunk.findings, strict=True):
            if attachment is not None:
                encoded, _ = detach(attachment)
                found.append(decode_findings(encoded)[0] if encoded else [])
            else:
                found.append(self._carry(origin, leaf))
        return self._fill(chunk, found)

    def _carry(self, origin: bytes | None, leaf: bytes) -> list[Finding] | None:
        if origin is None:
            return None
        if origin not in self._carried:
            while len(self._carried) >= _CACHED_CHUNKS:
                self._carried.pop(next(iter(self._carried)))
            self._carried[origin] = self._load(origin)
        carried = self._carried[origin]
        return None if carried is None else carried.get(leaf)

    def _load(self, digest: bytes) -> dict[bytes, list[Finding]] | None:
        """The findings of a stored chunk by leaf; None unless the active detectors scanned it."""
        encoded = self.writer.own_findings(digest)
        if encoded is None:
            return None
        chunk = self._codec.decode(self.writer.load(digest).body)
        leaves = [leaf_digest(record.nonce, record.canonical) for record in chunk]
        findings = decode_findings(encoded)
        if len(findings) != len(leaves):
            return None  # records were erased between the two reads: what is being built will not be kept
        return dict(zip(leaves, findings, strict=True))

    def _fill(self, chunk: ChunkBuilt, found: Sequence[list[Finding] | None]) -> list[list[Finding]]:
        missing = [index for index, findings in enumerate(found) if findings is None]
        records = [chunk.records[index] for index in missing]
        scanned = detect_records([(record.data, record.metadata) for record in records])
        filled = {
            index: self._schema().with_stated(record.data, detected)
            for index, record, detected in zip(missing, records, scanned, strict=True)
        }
        return [filled[index] if findings is None else findings for index, findings in enumerate(found)]

    def _schema(self) -> RecordRules:
        """What the dataset's schema says is personal, which no detector finds."""
        if self._rules is None:
            with self.writer.scope():
                self._rules = rules_for(self.writer.keys.dataset_id)
        return self._rules
