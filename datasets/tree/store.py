"""The port through which a tree is kept, and the provider that keeps it in memory."""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from datasets.errors import TreeObjectMissing


class ObjectKind(StrEnum):
    CHUNK = "chunk"
    NODE = "node"


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The plaintext of a chunk or node as it was saved: ``body`` is its payload, ``sidecar`` what digests leave out."""

    kind: ObjectKind
    body: bytes
    sidecar: bytes


@dataclass(frozen=True, slots=True)
class NewObject:
    """A chunk or node to be kept under ``digest`` (32 bytes).

    ``count`` is the number of records in or below it, ``canonical_size`` the sum of their canonical bytes. ``body`` and
    ``sidecar`` are plaintext: a store seals each with the object's kind (the sidecar's is ``<kind>-sidecar``) and
    digest in the context.
    """

    digest: bytes
    kind: ObjectKind
    count: int
    canonical_size: int
    body: bytes
    sidecar: bytes


class TreeSource(ABC):
    """Chunks and nodes of one dataset by digest, to read."""

    @abstractmethod
    def load(self, digest: bytes) -> StoredObject:
        """The object of this digest. Raises TreeObjectMissing; IntegrityFailure when it does not open."""

    def load_many(self, digests: Sequence[bytes]) -> Iterator[StoredObject]:
        """The objects of these digests in this order; a provider may fetch them together."""
        return map(self.load, digests)

    def load_nodes(self, digests: Sequence[bytes]) -> Iterator[StoredObject]:
        """As ``load_many``, for nodes alone; a provider may keep those it has read."""
        return self.load_many(digests)

    def load_bodies(self, digests: Sequence[bytes]) -> Iterator[bytes]:
        """The bodies of these digests in this order; a provider may leave the sidecars alone."""
        return (stored.body for stored in self.load_many(digests))

    def load_sidecars(self, digests: Sequence[bytes]) -> Iterator[bytes]:
        """The sidecars of these digests in this order; a provider may leave the bodies alone."""
        return (stored.sidecar for stored in self.load_many(digests))


class TreeStore(TreeSource):
    """A source that also keeps. Objects are immutable: saving a known digest again changes nothing."""

    @abstractmethod
    def known(self, digests: Collection[bytes]) -> set[bytes]:
        """Those of ``digests`` that are kept already, which the store then also protects from being swept."""

    @abstractmethod
    def save(self, objects: Sequence[NewObject]) -> None:
        """Keep all objects; children precede parents, in one batch and across batches.

        They are durable once this returns, or, in a store that collects batches, once it is flushed.
        """


class MemoryTreeStore(TreeStore):
    """A tree in a dictionary: for tests, benchmarks and comparing trees without storing them."""

    def __init__(self) -> None:
        self.objects: dict[bytes, NewObject] = {}
        #: Digests loaded, in order: what an operation cost.
        self.loaded: list[bytes] = []

    def load(self, digest: bytes) -> StoredObject:
        self.loaded.append(digest)
        try:
            kept = self.objects[digest]
        except KeyError:
            raise TreeObjectMissing from None
        return StoredObject(kept.kind, kept.body, kept.sidecar)

    def known(self, digests: Collection[bytes]) -> set[bytes]:
        return self.objects.keys() & set(digests)

    def save(self, objects: Sequence[NewObject]) -> None:
        for item in objects:
            self.objects.setdefault(item.digest, item)
