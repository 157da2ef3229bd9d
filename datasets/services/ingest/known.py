"""Records of an upload that the branch holds already: what was found in them need not be looked for again.

Findings depend on a record's data and metadata and on the detectors alone, so those of an equal record are its findings
too. Equal is decided by content key and then by the canonical bytes themselves. Whatever is not found here, for want of
memory, of stored findings of this set of detectors, or because a chunk cannot be read, is scanned like anything new.
What a schema states is not carried: the schema of today says it anew.
"""

from array import array
from bisect import bisect_left
from collections import Counter, OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Final, NamedTuple

from anonymization.findings import Finding, decode_findings
from datasets.errors import CorruptTree, TreeObjectMissing
from datasets.models import Branch, Ingest
from datasets.schemas.annotations import RECOGNIZER
from datasets.services.keys import DatasetKeys
from datasets.services.pack_reader import PackReader
from datasets.tree.chunk import Chunk, ChunkCodec
from datasets.tree.digests import CONTENT_KEY_BYTES
from datasets.tree.reader import iterate_chunks
from datasets.tree.record import assembled_record
from vaultsite.kernel.errors import BlobMissing, IntegrityFailure

#: Records of the branch that are looked up, 8 bytes each; of a larger version the rest is scanned anew.
MAX_KNOWN: Final = 4_000_000
#: Reading the branch pays only for an upload that is not much smaller: its canonical bytes over the upload's.
WORTH_READING: Final = 50
#: Chunks of the branch kept decoded, and the hits in one batch from which on another one is opened.
_CHUNKS: Final = 32
_MIN_HITS: Final = 2
_BUCKETS: Final = 16
_PLACE_BITS: Final = 24
_UNREADABLE: Final = (BlobMissing, CorruptTree, IntegrityFailure, TreeObjectMissing)


class Content(NamedTuple):
    """A parsed record: its content key, and the canonical bytes of its data and metadata."""

    key: bytes
    data: bytes
    metadata: bytes


class _Known(NamedTuple):
    """A record of the branch, and what was found in it."""

    id: str
    canonical: bytes
    findings: list[Finding]

    def equals(self, content: Content) -> bool:
        return assembled_record(self.id, content.data, content.metadata) == self.canonical


class KnownContents:
    """The contents of one version, by content key."""

    def __init__(self, source: PackReader, root: bytes, detector: bytes) -> None:
        self._source = source
        self._detector = detector
        self._codec = ChunkCodec()
        self._digests: list[bytes] = []
        self._buckets = [array("Q") for _ in range(_BUCKETS)]
        self._open: OrderedDict[int, dict[bytes, _Known]] = OrderedDict()
        with suppress(*_UNREADABLE):
            self._index(root)
        self._buckets = [array("Q", sorted(bucket)) for bucket in self._buckets]

    def _index(self, root: bytes) -> None:
        count = 0
        for child, chunk in iterate_chunks(self._source, root):
            count += len(chunk)
            if count > MAX_KNOWN or len(self._digests) >> _PLACE_BITS:
                return
            place = len(self._digests)
            self._digests.append(child.digest)
            for key in _keys(chunk):
                self._buckets[key[0] % _BUCKETS].append(_prefix(key) << _PLACE_BITS | place)

    def findings_of(self, contents: Sequence[Content]) -> list[list[Finding] | None]:
        """For each record what was found in its equal, None where it is to be scanned."""
        places = [self._place(content.key) for content in contents]
        hits = Counter(place for place in places if place is not None)
        wanted = sorted(place for place, count in hits.items() if place in self._open or count >= _MIN_HITS)
        found: list[list[Finding] | None] = [None] * len(contents)
        for place in wanted:
            known = self._opened(place)
            for index, content in enumerate(contents):
                equal = known.get(content.key) if places[index] == place else None
                if equal is not None and equal.equals(content):
                    found[index] = [finding for finding in equal.findings if finding.recognizer != RECOGNIZER]
        return found

    def _place(self, key: bytes) -> int | None:
        bucket, prefix = self._buckets[key[0] % _BUCKETS], _prefix(key)
        at = bisect_left(bucket, prefix << _PLACE_BITS)
        if at == len(bucket) or bucket[at] >> _PLACE_BITS != prefix:
            return None
        return bucket[at] & ((1 << _PLACE_BITS) - 1)

    def _opened(self, place: int) -> dict[bytes, _Known]:
        """The records of one chunk by content key; none when they or their findings cannot be had."""
        if place in self._open:
            self._open.move_to_end(place)
            return self._open[place]
        known: dict[bytes, _Known] = {}
        with suppress(*_UNREADABLE):
            known = self._load(self._digests[place])
        self._open[place] = known
        if len(self._open) > _CHUNKS:
            self._open.popitem(last=False)
        return known

    def _load(self, digest: bytes) -> dict[bytes, _Known]:
        encoded = self._source.findings(digest, self._detector)
        if encoded is None:
            return {}
        chunk = self._codec.decode(self._source.load(digest).body)
        rows = zip(chunk, decode_findings(encoded), strict=True)
        return {record.content_key: _Known(record.id, record.canonical, findings) for record, findings in rows}


def open_known(ingest: Ingest, keys: DatasetKeys, detector: bytes) -> KnownContents | None:
    """The contents of the branch an upload is for; None when there is none or reading it would not pay."""
    source = PackReader(keys)
    with source.scope():
        branches = Branch.objects.select_related("head").filter(dataset_id=ingest.dataset_id, name=ingest.branch)
        branch = branches.first()
    head = branch.head if branch else None
    if head is None or head.canonical_bytes > WORTH_READING * ingest.received_bytes:
        return None
    return KnownContents(source, bytes(head.root), detector)


def _keys(chunk: Chunk) -> Iterator[bytes]:
    keys = chunk.content_keys
    return (keys[start : start + CONTENT_KEY_BYTES] for start in range(0, len(keys), CONTENT_KEY_BYTES))


def _prefix(key: bytes) -> int:
    return int.from_bytes(key[1:6], "big")
