"""The second half of a merge: the tree in which every decision stands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from datasets.models import Merge
from datasets.services.commit import Profile
from datasets.services.findings_recorder import FindingsRecorder
from datasets.services.ingest.entries import Entry
from datasets.services.ingest.match import upsert
from datasets.services.merges.collisions import Merged, decide
from datasets.services.merges.resolutions import Resolutions
from datasets.services.pack_store import PackWriter
from datasets.tree.builder import Upsert
from datasets.tree.digests import keyed_digest
from datasets.tree.merge import Collision, MergeResult, merge
from datasets.tree.record import TreeRecord
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.errors import IntegrityFailure


@dataclass(frozen=True)
class Built:
    """A finished tree, and by how much its findings differ from the target's."""

    result: MergeResult
    sealed_bytes: int
    profile_change: Profile


class Decided:
    """Answers the tree's collisions, in order of id, as the plan did; new records come from its sealed runs."""

    def __init__(
        self, strategy: str, resolutions: Resolutions, entries: Iterator[Entry], nonce: Callable[[bytes], bytes]
    ) -> None:
        self._strategy = strategy
        self._resolutions = resolutions
        self._entries = entries
        self._nonce = nonce

    def __call__(self, collision: Collision) -> TreeRecord | Upsert | None:
        """Raises IntegrityFailure when the runs do not hold what was planned."""
        decision = decide(collision, self._strategy, self._resolutions.of(collision.id))
        if isinstance(decision, Merged):
            return upsert(self._planned(collision.id, decision.canonical), self._nonce)
        if decision is None or isinstance(decision, TreeRecord):
            return decision
        raise IntegrityFailure("A merge was planned with a conflict left")

    def _planned(self, record_id: str, canonical: bytes) -> Entry:
        entry = next((entry for entry in self._entries if entry.id >= record_id), None)
        if entry is None or entry.id != record_id or entry.canonical != canonical:
            raise IntegrityFailure("A merge was planned with other records")
        return entry


def build_merge(
    row: Merge,
    roots: tuple[bytes, bytes, bytes],
    entries: Iterator[Entry],
    *,
    resolutions: Resolutions,
    seed: SecretKey,
    writer: PackWriter,
    beat: Callable[[], None],
) -> Built:
    """The merged tree of base, ours and theirs; everything is stored on return."""
    recorder = FindingsRecorder(writer, beat)
    result = merge(
        writer,
        *roots,
        writer.keys.boundary,
        resolve=Decided(row.strategy, resolutions, entries, keyed_digest(seed)),
        on_chunk=recorder.record,
    )
    recorder.subtract(result.tree.dropped_chunks)
    # Chunks of theirs were never built: what they hold is added as what ours held is subtracted.
    taken = FindingsRecorder(writer, beat)
    taken.subtract(result.taken_chunks)
    recorder.change.subtract(taken.change)
    writer.flush()
    return Built(result, writer.sealed_bytes, recorder.change)
