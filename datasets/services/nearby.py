"""Bodies that lie near each other in a pack, read together."""

from collections.abc import Iterable
from typing import Final

from datasets.services.keys import DatasetKeys
from datasets.services.places import Place, opened_body
from datasets.services.residency import require_store
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.errors import BlobMissing

#: So many bytes are read at once and kept in memory, but for a body that is longer.
_READ_BYTES: Final = 1024 * 1024
#: Bytes between two bodies, such as sidecars and nodes, that are rather read along than left out by another read.
_GAP_BYTES: Final = 64 * 1024


class NearbyBodies:
    """Opens the bodies of places in the order in which they will be asked for.

    Reads nothing before the first is asked for. Each place is opened by its own row: what was read together stands and
    falls alone.
    """

    def __init__(self, places: Iterable[Place]) -> None:
        self._places = list(places)
        self._index = {place.digest: index for index, place in enumerate(self._places)}
        self._name, self._start = "", 0
        self._read = memoryview(b"")

    def open(self, keys: DatasetKeys, blobs: BlobStore, place: Place) -> bytes:
        """The body that lies there. Raises like ``open_place``."""
        if not self._has(place):
            self._fetch(blobs, place)
        start = place.offset - self._start
        return opened_body(keys, place, self._read[start : start + place.length])

    def _has(self, place: Place) -> bool:
        start, stop = self._start, self._start + len(self._read)
        return place.name == self._name and start <= place.offset and place.offset + place.length <= stop

    def _fetch(self, blobs: BlobStore, place: Place) -> None:
        require_store(place.store, blobs)
        try:
            read = blobs.get_range(place.name, place.offset, self._stop(place) - place.offset)
        except BlobMissing:  # perhaps a pack that was cut off behind this place
            read = blobs.get_range(place.name, place.offset, place.length)
        self._name, self._start, self._read = place.name, place.offset, memoryview(read)

    def _stop(self, place: Place) -> int:
        """Where to stop reading: behind the last body that follows closely, in the pack as in the order asked for."""
        stop = place.offset + place.length
        following = self._index.get(place.digest, len(self._places)) + 1
        for index in range(following, len(self._places)):
            after = self._places[index]
            end = after.offset + after.length
            if (
                after.name != place.name
                or not stop <= after.offset <= stop + _GAP_BYTES
                or end > place.offset + _READ_BYTES
            ):
                break
            stop = end
        return stop
