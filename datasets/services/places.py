"""Where an object of the tree lies, and how it is opened from there."""

from dataclasses import dataclass, field
from typing import Any, Final, Self
from uuid import UUID

from django.db.models import QuerySet

from datasets.models import Chunk, FindingsBlob
from datasets.services.keys import DatasetKeys
from datasets.services.residency import require_store
from datasets.tree.store import ObjectKind, StoredObject
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.crypto.aead import Sealed, read_key_id
from vaultsite.kernel.errors import BlobMissing, IntegrityFailure, UnsupportedSealing

#: What opening raises when an object is not what was written: missing, cut off, swapped or flipped.
FAULTS: Final = (BlobMissing, IntegrityFailure, UnsupportedSealing)
#: For how long, in seconds, a place that was looked up may be read from without looking again. An erasure ends only
#: when every place from before it is older than this, so no reader serves old bytes after its end.
PLACE_SECONDS: Final = 2.0

_COLUMNS: Final = (
    "pk",
    "digest",
    "kind",
    "blob_id",
    "blob__name",
    "blob__store",
    "offset",
    "length",
    "sidecar_offset",
    "sidecar_length",
    "key_id",
    "secret",
    "damaged_at",
)


@dataclass(frozen=True, slots=True)
class Place:
    """The row of one chunk or node: where its bytes are and what opens them."""

    pk: UUID
    digest: bytes
    kind: str
    blob_id: UUID
    name: str
    store: str
    offset: int
    length: int
    sidecar_offset: int
    sidecar_length: int
    key_id: UUID
    secret: bytes = field(repr=False)
    is_damaged: bool

    @classmethod
    def of(cls, row: tuple[Any, ...]) -> Self:
        pk, digest, *between, secret, damaged_at = row
        return cls(*(pk, bytes(digest), *between, bytes(secret), damaged_at is not None))

    @property
    def spot(self) -> tuple[UUID, int]:
        """What a compare-and-swap compares: two places with one spot hold the same bytes."""
        return self.blob_id, self.offset

    @property
    def size(self) -> int:
        """Sealed bytes, body and sidecar."""
        return self.length + self.sidecar_length


def places_of(rows: QuerySet[Chunk]) -> list[Place]:
    """The places of these rows, in an open scope."""
    return [Place.of(row) for row in rows.values_list(*_COLUMNS)]


def sealed_at(blobs: BlobStore, place: Place) -> tuple[bytes, bytes]:
    """Sealed body and sidecar. They lie side by side unless the sidecar was rewritten since.

    Raises BlobMissing, OutsideRegion.
    """
    require_store(place.store, blobs)
    if place.sidecar_offset == place.offset + place.length:
        both = blobs.get_range(place.name, place.offset, place.size)
        return both[: place.length], both[place.length :]
    body = blobs.get_range(place.name, place.offset, place.length)
    return body, blobs.get_range(place.name, place.sidecar_offset, place.sidecar_length)


def open_place(keys: DatasetKeys, blobs: BlobStore, place: Place) -> StoredObject:
    """The object that lies there. Raises one of FAULTS when it is not what was written; OutsideRegion,
    KeyUnavailable, KeyDestroyed.

    The key an object names is compared with its row's first: a flipped bit there must not look like a missing key.
    """
    body, sidecar = sealed_at(blobs, place)
    return StoredObject(
        kind=ObjectKind(place.kind),
        body=_opened(keys, place.kind, place, body),
        sidecar=_opened(keys, f"{place.kind}-sidecar", place, sidecar),
    )


def open_body(keys: DatasetKeys, blobs: BlobStore, place: Place) -> bytes:
    """The body alone of the object that lies there. Raises like ``open_place``."""
    require_store(place.store, blobs)
    return opened_body(keys, place, blobs.get_range(place.name, place.offset, place.length))


def opened_body(keys: DatasetKeys, place: Place, sealed: Sealed) -> bytes:
    """The body that was read from that place. Raises like ``open_place``, but for BlobMissing."""
    return _opened(keys, place.kind, place, sealed)


def open_sidecar(keys: DatasetKeys, blobs: BlobStore, place: Place) -> bytes:
    """The sidecar alone of the object that lies there. Raises like ``open_place``."""
    require_store(place.store, blobs)
    sealed = blobs.get_range(place.name, place.sidecar_offset, place.sidecar_length)
    return _opened(keys, f"{place.kind}-sidecar", place, sealed)


def _opened(keys: DatasetKeys, kind: str, place: Place, sealed: Sealed) -> bytes:
    if read_key_id(sealed) != place.key_id:
        raise IntegrityFailure
    return keys.open(kind, place.digest, place.secret, sealed)


def open_findings(keys: DatasetKeys, blobs: BlobStore, row: FindingsBlob) -> bytes:
    """The encoded findings that ``row`` (with its blob) points at. Raises like ``open_place``."""
    require_store(row.blob.store, blobs)
    sealed = blobs.get_range(row.blob.name, row.offset, row.length)
    if read_key_id(sealed) != row.key_id:
        raise IntegrityFailure
    return keys.open("findings", bytes(row.digest) + bytes(row.detector), bytes(row.secret), sealed)
