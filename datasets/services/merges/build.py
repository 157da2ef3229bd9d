"""The second half of a merge: the tree in which every decision stands."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from datasets.services.commit import Profile
from datasets.services.erasure.suppress import Suppression
from datasets.services.findings_recorder import FindingsRecorder
from datasets.services.ingest.entries import Entry
from datasets.services.ingest.match import upsert
from datasets.services.merges.collisions import Merged, decide
from datasets.services.merges.resolutions import Resolutions
from datasets.services.pack_store import PackWriter
from datasets.tree.builder import Upsert
from datasets.tree.merge import Collision, MergeResult, merge
from datasets.tree.record import TreeRecord
from vaultsite.kernel.errors import IntegrityFailure


@dataclass(frozen=True)
class Built:
    """A finished tree, and by how much its findings differ from the target's."""

    result: MergeResult
    sealed_bytes: int
    profile_change: Profile


@dataclass(frozen=True)
class Decided:
    """Answers the tree's collisions, in order of id, as the plan did; new records come from its sealed runs."""

    strategy: str
    resolutions: Resolutions
    erased: Suppression
    entries: Iterator[Entry]
    nonce: Callable[[bytes], bytes]

    def __call__(self, collision: Collision) -> TreeRecord | Upsert | None:
        """Raises IntegrityFailure when the runs do not hold what was planned."""
        decision = decide(collision, self.strategy, self.resolutions.of(collision.id))
        if isinstance(decision, Merged):
            entry = self._planned(collision.id, decision.canonical)
            return None if entry is None else upsert(entry, self.nonce)
        if decision is None or isinstance(decision, TreeRecord):
            return decision
        raise IntegrityFailure("A merge was planned with a conflict left")

    def _planned(self, record_id: str, canonical: bytes) -> Entry | None:
        """The record looked through; None for one that was erased since the merge was asked for."""
        entry = next((entry for entry in self.entries if entry.id >= record_id), None)
        if entry is None or entry.id != record_id or entry.canonical != canonical:
            raise IntegrityFailure("A merge was planned with other records")
        return None if self.erased(entry.id, entry.content_key) else entry


def build_merge(
    roots: tuple[bytes, bytes, bytes], decided: Decided, *, writer: PackWriter, beat: Callable[[], None]
) -> Built:
    """The merged tree of base, ours and theirs; everything is stored on return. Raises ErasedMeanwhile."""
    recorder = FindingsRecorder(writer, beat)
    base, ours, theirs = roots
    result = merge(
        writer,
        base,
        ours,
        theirs,
        writer.keys.boundary,
        resolve=decided,
        on_chunk=recorder.record,
        was_erased=writer.epoch > 0,  # an erasure from now on refuses the commit
    )
    recorder.subtract(result.tree.dropped_chunks)
    # Chunks of theirs were never built: what they hold is added as what ours held is subtracted.
    taken = FindingsRecorder(writer, beat)
    taken.subtract(result.taken_chunks)
    recorder.change.subtract(taken.change)
    writer.flush()
    return Built(result, writer.sealed_bytes, recorder.change)
