"""Build the tree of the new version, with the findings of every chunk beside it."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from datasets.errors import ExistingRecordId
from datasets.models import Ingest, IngestMode, Version
from datasets.services.commit import Profile
from datasets.services.findings_recorder import FindingsRecorder
from datasets.services.ingest.entries import Entry
from datasets.services.ingest.match import match_contents, parent_rows, replacing_changes, upsert
from datasets.services.pack_store import PackReader, PackWriter
from datasets.tree.builder import Change, TreeResult, build
from datasets.tree.digests import EMPTY_ROOT, keyed_digest
from datasets.tree.reader import find
from vaultsite.kernel.crypto.keys import SecretKey


@dataclass(frozen=True)
class Built:
    """A finished tree, and by how much its findings differ from the parent's."""

    tree: TreeResult
    sealed_bytes: int
    profile_change: Profile


def build_tree(
    ingest: Ingest,
    runs: Iterable[Entry],
    parent: Version | None,
    *,
    seed: SecretKey,
    writer: PackWriter,
    beat: Callable[[], None],
) -> Built:
    """The tree of ``parent`` with the upload applied as the ingest's mode says; everything is stored on return.

    Raises ExistingRecordId when an append brings an id the parent has.
    """
    root = bytes(parent.root) if parent else EMPTY_ROOT
    nonce = keyed_digest(seed)
    if ingest.mode == IngestMode.REPLACE and root != EMPTY_ROOT:
        size = max(parent.record_count if parent else 0, ingest.checkpoint.get("records", 0))
        matches = match_contents(runs, lambda: parent_rows(writer, root), size=size, beat=beat)
        changes: Iterator[Change] = replacing_changes(iter(runs), parent_rows(writer, root), matches, nonce)
    elif ingest.mode == IngestMode.UPSERT:
        changes = (upsert(entry, nonce) for entry in runs)
    else:
        changes = _appending(runs, writer, root, nonce)
    recorder = FindingsRecorder(writer, beat)
    tree = build(writer, root, changes, writer.keys.boundary, on_chunk=recorder.record)
    recorder.subtract(tree.dropped_chunks)
    writer.flush()
    return Built(tree=tree, sealed_bytes=writer.sealed_bytes, profile_change=recorder.change)


def _appending(
    entries: Iterable[Entry], store: PackReader, root: bytes, nonce: Callable[[bytes], bytes]
) -> Iterator[Change]:
    for entry in entries:
        if not entry.is_generated and root != EMPTY_ROOT:
            _refuse_existing(store, root, entry)
        yield upsert(entry, nonce)


def _refuse_existing(store: PackReader, root: bytes, entry: Entry) -> None:
    if find(store, root, entry.id) is not None:
        raise ExistingRecordId(f"Line {entry.line}: a record with this id is in the dataset", line=entry.line)
