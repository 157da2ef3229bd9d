"""Reads chunks for readers who also need their findings: the rows of both are looked up together."""

import time
from collections.abc import Iterator, Sequence

from anonymization.services.detect import detector_hash
from datasets.models import FindingsBlob
from datasets.services.keys import DatasetKeys
from datasets.services.pack_reader import PackReader
from datasets.services.places import FAULTS, PLACE_SECONDS, open_findings


class ScannedReader(PackReader):
    """As PackReader; findings by the active set of detectors of bodies asked for together are found by one query.

    A row that was looked up too long ago, or that does not open, is looked up again.
    """

    def __init__(self, keys: DatasetKeys) -> None:
        super().__init__(keys)
        self._ahead: dict[bytes, FindingsBlob] = {}
        self._looked_at = 0.0

    def load_bodies(self, digests: Sequence[bytes]) -> Iterator[bytes]:
        self._look_ahead(digests)
        return super().load_bodies(digests)

    def _look_ahead(self, digests: Sequence[bytes]) -> None:
        self._looked_at = time.monotonic()
        rows = FindingsBlob.objects.filter(
            dataset_id=self.keys.dataset_id, digest__in=digests, detector=detector_hash(), damaged_at=None
        )
        with self.scope():
            self._ahead = {bytes(row.digest): row for row in rows.select_related("blob").order_by("id")}

    def findings(self, digest: bytes, detector: bytes | None = None) -> bytes | None:
        row = self._ahead.get(digest)
        is_fresh = time.monotonic() - self._looked_at <= PLACE_SECONDS
        if row is not None and is_fresh and detector == bytes(row.detector):
            try:
                return open_findings(self.keys, self._blobs, row)
            except FAULTS:
                pass  # it has moved, or is lost: looked up again below
        return super().findings(digest, detector)
