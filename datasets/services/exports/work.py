"""The worker's part of an export: survey the rows where needed, write them, seal the result with its passport."""

import time
from dataclasses import dataclass, field
from typing import Final

import orjson

from access.services.keyring import open_column, seal_column
from access.services.owners import OwnerWatch, require_owner
from datasets.errors.exports import ExportOutdated
from datasets.models import Dataset, Export, Version
from datasets.services.exports.collect import Collector
from datasets.services.exports.encode import Encoder
from datasets.services.exports.finish import Ending
from datasets.services.exports.kept_view import decided, keep_view
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.parts import drop_unnamed
from datasets.services.exports.progress import Progress
from datasets.services.exports.rows import Row, RowMaker
from datasets.services.exports.selection import Sorter
from datasets.services.exports.survey import Survey, survey
from datasets.services.keys import DatasetKeys, load_keys
from datasets.services.read import Release, release_under
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.jobs import Claim

#: Bytes of rows after which a part is written, for files that grow and for files of one part; and records looked at.
PART_BYTES: Final = 4 * 1024 * 1024
SHARD_BYTES: Final = 16 * 1024 * 1024
PART_RECORDS: Final = 50_000
#: A worker gives its turn back after this long, so that other jobs come to theirs.
TURN_SECONDS: Final = 480.0
_TOLD_SECONDS: Final = 2.0


@dataclass
class Work:
    """One worker's hold on one export."""

    export: Export
    claim: Claim
    keys: DatasetKeys
    release: Release
    options: ExportOptions
    seed: SecretKey
    progress: Progress
    _told_at: float = 0.0
    _watch: OwnerWatch = field(init=False)

    def __post_init__(self) -> None:
        self._watch = OwnerWatch(self._require_owner)

    @classmethod
    def open(cls, export: Export, held: Claim) -> "Work":
        """Fetch what the export was decided on.

        Raises ExportOutdated, UnmetObligation, KeyUnavailable, and StricterObligations when records would now be shown
        otherwise than in the turns before: no export mixes two views.
        """
        with held.scope():
            dataset = Dataset.objects.get(pk=export.dataset_id)
            if dataset.erasure_epoch != export.epoch:
                raise ExportOutdated
            version = Version.objects.select_related("parent").get(pk=export.version_id)
            progress = Progress.of(export.checkpoint)
            drop_unnamed(export.pk, progress.number)
            release = release_under(decided(export), dataset, version)
            keep_view(export, held, release.anonymizer.content_hash)
            return cls(
                export=export,
                claim=held,
                keys=load_keys(dataset.pk),
                release=release,
                options=ExportOptions.of(export, _opened_filter(export)),
                seed=_opened_seed(export),
                progress=progress,
            )

    def run(self) -> None:
        """Until the files are there, or the turn is over. Raises AccessDenied, LeaseEnded once they are nobody's."""
        found = self._survey()
        collector = self._collector(found)
        if not self._write(collector, found):
            self.claim.give_turn_back(self.export)
            return
        self._require_owner()
        self.progress.stage = "seal"
        self._save()
        Ending(self.export, self.claim, self.release, self.options, collector).finish()

    def _survey(self) -> Survey:
        if self.export.survey is not None:
            with self.claim.scope():
                return Survey.decode(open_column("export-survey", self.export.pk.bytes, bytes(self.export.survey)))
        found = survey(self.release, self.options, self.seed, beat=self._tell)
        self.release.take_withheld()  # the second pass counts them
        self.progress.stage, self.progress.read = "write", 0
        with self.claim.scope():
            sealed = seal_column("export-survey", self.export.pk.bytes, found.encode())
            self.claim.save(survey=sealed, checkpoint=self.progress.as_checkpoint(), progress=self._shown())
        return found

    def _collector(self, found: Survey) -> Collector:
        return Collector(
            export_id=self.export.pk,
            keys=self.keys,
            encoder=Encoder(self.options, found.columns),
            progress=self.progress,
            names=Sorter(self.options.split).names,
            salt=self.seed.derive(b"export rows").reveal(),
            is_raw=self.release.is_raw,
        )

    def _write(self, collector: Collector, found: Survey) -> bool:
        """Write rows from the checkpoint on; False when the turn is over before the rows are.

        Where parts end depends on the rows alone, so an export that was interrupted ends in the same bytes.
        """
        maker = RowMaker(self.release, self.options, self.seed, limit=found.limit)
        deadline = time.monotonic() + TURN_SECONDS
        enough = SHARD_BYTES if collector.encoder.is_split_in_files else PART_BYTES
        rows: list[Row] = []
        size = seen = 0
        for row in maker.rows(self.progress.after):
            self._watch()
            seen += 1
            if isinstance(row, Row):
                rows.append(row)
                size += len(row.line)
            if size >= enough or seen >= PART_RECORDS:
                self._checkpoint(collector, rows, row.source_id, seen)
                rows, size, seen = [], 0, 0
                if time.monotonic() >= deadline:
                    return False
        if seen:
            self._checkpoint(collector, rows, row.source_id, seen)
        self.progress.count_withheld(self.release.consent)
        self.progress.count_restricted(self.release.restriction)
        collector.write_empty()
        return True

    def _checkpoint(self, collector: Collector, rows: list[Row], after: str, seen: int) -> None:
        self.release.note_leaving((row.source_id for row in rows), reader_id=self.export.requested_by)
        collector.write(rows)
        self.progress.after = after
        self.progress.read += seen
        self.progress.count_withheld(self.release.consent, until=after)
        self.progress.count_restricted(self.release.restriction, until=after)
        self._save()

    def _save(self) -> None:
        self.claim.save(checkpoint=self.progress.as_checkpoint(), progress=self._shown())

    def _require_owner(self) -> None:
        with self.claim.scope():
            release, who = self.release, self.export.requested_by
            require_owner(who, release.resource, release.decision, "record.read", "export.create")

    def _tell(self, read: int) -> None:
        self._watch()
        now = time.monotonic()
        self.progress.read = read
        if now - self._told_at >= _TOLD_SECONDS:
            self._told_at = now
            self.claim.save(progress=self._shown())

    def _shown(self) -> dict[str, object]:
        return self.progress.as_shown(self.release.version.record_count, has_survey=self.options.needs_survey)


def _opened_seed(export: Export) -> SecretKey:
    assert export.seed is not None
    return SecretKey(open_column("export-seed", export.pk.bytes, bytes(export.seed)))


def _opened_filter(export: Export) -> dict[str, object] | None:
    if export.filter is None:
        return None
    content: dict[str, object] = orjson.loads(open_column("export-filter", export.pk.bytes, bytes(export.filter)))
    return content
