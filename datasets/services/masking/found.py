"""What of a dataset shows personal data that was found, in any version, and what of that branches show now."""

from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db.models import Exists, Max, OuterRef, QuerySet

from anonymization.findings import Finding, decode_findings
from anonymization.services.detect import detector_hash
from datasets.errors import NotScanned
from datasets.errors.upkeep import DataCorruption
from datasets.models import (
    Branch,
    Chunk,
    Dataset,
    FindingsBlob,
    ObjectKind,
    QuarantinedRecord,
    RecordState,
    Version,
)
from datasets.services.commit import read_profile
from datasets.services.drafts.parent import find_many
from datasets.services.masking.content import personal
from datasets.services.pack_reader import PackReader
from datasets.tree.chunk import ChunkCodec
from datasets.tree.record import TreeRecord

_ROWS: Final = 64
#: Versions whose counts are opened at once.
_VERSIONS: Final = 100


@dataclass(frozen=True)
class State:
    """Where a dataset stands: the head of each branch, and the sequence of its newest version."""

    heads: Mapping[str, UUID]
    upto: int


@dataclass(frozen=True)
class Survey:
    """``gone``: record id -> the leaves that branches show under it now, which stay; all else under the id goes."""

    state: State
    gone: Mapping[str, frozenset[bytes]]


def state_of(dataset_id: UUID) -> State:
    """In the open scope."""
    heads = Branch.objects.filter(dataset_id=dataset_id, head__isnull=False).values_list("name", "head_id")
    newest = Version.objects.filter(dataset_id=dataset_id).aggregate(newest=Max("sequence"))["newest"]
    return State(dict(heads), newest or 0)


def is_scanned(dataset: Dataset) -> bool:
    """Whether the detectors in use have looked into everything that is stored; in the open scope."""
    waiting = QuarantinedRecord.objects.filter(dataset=dataset, is_kept=True, state=RecordState.PENDING)
    findings = FindingsBlob.objects.filter(
        dataset_id=dataset.pk, digest=OuterRef("digest"), detector=detector_hash(), damaged_at=None
    )
    unknown = _chunks(dataset.pk).filter(~Exists(findings), record_count__gt=0, damaged_at=None)
    return not waiting.exists() and not unknown.exists()


def count_findings(dataset: Dataset) -> int:
    """How many findings its branches show, as their versions count them; in the open scope."""
    heads = Version.objects.filter(pk__in=Branch.objects.filter(dataset=dataset).values("head_id"))
    return sum(map(_findings_of, heads))


def count_findings_since(dataset: Dataset, sequence: int) -> int:
    """The same of the versions after one, until some are found; too many versions are not looked at: they count."""
    versions = Version.objects.filter(dataset=dataset, sequence__gt=sequence).order_by("sequence")[: _VERSIONS + 1]
    if len(versions) > _VERSIONS:
        return 1
    return next((count for count in map(_findings_of, versions) if count), 0)


def _findings_of(version: Version) -> int:
    return sum(count for count in read_profile(version).values() if count > 0)


@dataclass
class Looked:
    """What one worker has looked through: its next look reads the chunks that have come since."""

    chunks: set[bytes] = field(default_factory=set)
    #: Record id -> the leaves under it that show a finding.
    found: defaultdict[str, set[bytes]] = field(default_factory=lambda: defaultdict(set))


def survey(reader: PackReader, beat: Callable[[], None], looked: Looked) -> Survey:
    """Look through everything that is stored, whatever version it is of or none. Raises NotScanned, FindingMismatch.

    Memory: the digests of chunks, and the ids and leaves of the records with findings. No scope may be open.
    """
    dataset_id = reader.keys.dataset_id
    with reader.scope():
        state = state_of(dataset_id)
        roots = {
            bytes(one) for one in Version.objects.filter(pk__in=state.heads.values()).values_list("root", flat=True)
        }
    for record, findings in _records_found(reader, beat, looked.chunks):
        if findings and personal({"data": record.data, "metadata": record.metadata}, findings):
            looked.found[record.id].add(record.leaf)
    shown: dict[str, set[bytes]] = defaultdict(set)
    wanted = sorted(looked.found)
    for root in sorted(roots):
        for record in find_many(reader, root, wanted):
            shown[record.id].add(record.leaf)
        beat()
    gone = {name: frozenset(shown[name]) for name in wanted if looked.found[name] - shown[name]}
    return Survey(state, gone)


def _records_found(
    reader: PackReader, beat: Callable[[], None], seen: set[bytes]
) -> Iterator[tuple[TreeRecord, list[Finding]]]:
    """Every stored record of chunks that are not ``seen``, with findings; then they are. Raises NotScanned."""
    codec = ChunkCodec()
    for digest in _digests(reader):
        if digest in seen:
            continue
        beat()
        try:
            records = list(codec.decode(reader.load(digest).body))
        except DataCorruption:
            continue  # nobody reads it; whoever heals it looks for what was erased
        if records:
            yield from zip(records, findings_in(reader, digest, len(records)), strict=True)
        seen.add(digest)


def findings_in(reader: PackReader, digest: bytes, count: int) -> list[list[Finding]]:
    """What the detectors in use found in a chunk of ``count`` records. Raises NotScanned."""
    encoded = reader.findings(digest, detector_hash())
    found = decode_findings(encoded) if encoded is not None else None
    if found is None or len(found) != count:
        raise NotScanned
    return found


def _chunks(dataset_id: UUID) -> QuerySet[Chunk]:
    return Chunk.objects.filter(dataset_id=dataset_id, kind=ObjectKind.CHUNK, blob__job=None)


def _digests(reader: PackReader) -> Iterator[bytes]:
    rows, after = _chunks(reader.keys.dataset_id).order_by("pk"), None
    while True:
        with reader.scope():
            page = list((rows.filter(pk__gt=after) if after else rows).values_list("pk", "digest")[:_ROWS])
        yield from (bytes(digest) for _, digest in page)
        if len(page) < _ROWS:
            return
        after = page[-1][0]
