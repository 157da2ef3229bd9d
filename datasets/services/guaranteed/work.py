"""The worker's part of an export under a guarantee: read, generalize, write, read again, release."""

import time
from dataclasses import dataclass, replace
from typing import Any, Final

import orjson

from access.services.keyring import open_column
from access.services.owners import OwnerWatch, require_owner
from anonymization.guarantees.methods import recode
from anonymization.services.releases import ledger_key
from datasets.errors.exports import ExportOutdated
from datasets.models import Dataset, GuaranteedExport, Version
from datasets.services.consent import KIND as CONSENT
from datasets.services.exports.kept_view import decided, keep_view
from datasets.services.exports.parts import drop_unnamed
from datasets.services.guaranteed.columns import collect, table_of
from datasets.services.guaranteed.ending import Ending
from datasets.services.guaranteed.options import GuaranteedOptions
from datasets.services.guaranteed.output import Output
from datasets.services.guaranteed.request import ACTION
from datasets.services.guaranteed.spool import analytics_keys, drop_beyond, read_batches, write_batch
from datasets.services.guaranteed.view import Cell, RowMaker
from datasets.services.keys import DatasetKeys
from datasets.services.read import Release, read_records, release_under
from datasets.services.restrictions import KIND as RESTRICTION
from datasets.services.row_conditions import KIND
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.jobs import Claim

BATCH_RECORDS: Final = 20_000
TURN_SECONDS: Final = 480.0


@dataclass
class Work:
    """One worker's hold on one export. ``source`` reads records as they are, ``reader`` knows the asker's view."""

    export: GuaranteedExport
    claim: Claim
    keys: DatasetKeys
    source: Release
    reader: Release
    options: GuaranteedOptions
    seed: SecretKey
    checkpoint: dict[str, Any]

    @classmethod
    def open(cls, export: GuaranteedExport, held: Claim) -> "Work":
        """Fetch what the export was decided on.

        Raises ExportOutdated, StricterObligations, UnmetObligation, KeyUnavailable.
        """
        assert export.request is not None
        assert export.seed is not None
        with held.scope():
            dataset = Dataset.objects.get(pk=export.dataset_id)
            if dataset.erasure_epoch != export.epoch:
                raise ExportOutdated
            version = Version.objects.select_related("parent").get(pk=export.version_id)
            checkpoint = export.checkpoint or {"stage": "read", "after": None, "number": 0, "read": 0, "counts": {}}
            export.checkpoint = checkpoint
            drop_beyond(export.pk, checkpoint["number"])
            drop_unnamed(export.pk, 0)
            decision = decided(export)
            reader = release_under(decision, dataset, version)
            keep_view(export, held, reader.anonymizer.content_hash)
            kept = (one for kind in (KIND, CONSENT, RESTRICTION) for one in decision.asked(kind))
            raw = replace(decision, obligations=tuple(kept))
            return cls(
                export=export,
                claim=held,
                keys=analytics_keys(dataset.pk),
                source=release_under(raw, dataset, version),
                reader=reader,
                options=GuaranteedOptions.of(
                    orjson.loads(open_column("guaranteed-request", export.pk.bytes, bytes(export.request)))
                ),
                seed=SecretKey(open_column("guaranteed-seed", export.pk.bytes, bytes(export.seed))),
                checkpoint=checkpoint,
            )

    def run(self) -> None:
        """Until the table is released, or the turn is over."""
        if self.checkpoint["stage"] == "read" and not self._read():
            self.claim.give_turn_back(self.export)
            return
        spooled = collect(self.options, read_batches(self.keys, self.export.pk, self.checkpoint["number"]))
        self._tell("generalize", 45)
        table = table_of(self.options, spooled)
        recoding = recode(table, self.options.guarantee, self.options.method)
        self._tell("write", 60)
        output = Output(self.options, spooled, recoding, self.seed)
        files = output.write(self.keys, self.export.pk)
        self._tell("check", 80)
        self._require_owner()
        Ending(
            self.export, self.claim, self.keys, self.source, self.options, spooled, table, recoding, output, files
        ).finish()

    def _read(self) -> bool:
        """Spool the rows from the checkpoint on; False when the turn is over before they are."""
        with self.claim.scope():
            names = ledger_key()
        watch = OwnerWatch(self._require_owner)
        maker = RowMaker(self.options, self.reader, pseudonyms=self.seed.derive(b"pseudonyms"), names=names)
        deadline = time.monotonic() + TURN_SECONDS
        rows: list[list[Cell]] = []
        taken: list[str] = []
        seen, after = 0, None
        for record in read_records(self.source, after=self.checkpoint["after"], with_findings=True):
            watch()
            row = maker.row(record)
            if row is not None:
                rows.append(row)
                taken.append(record.id)
            seen, after = seen + 1, record.id
            if seen >= BATCH_RECORDS:
                self._note(taken)
                self._save_batch(maker, rows, after, seen)
                rows, taken, seen = [], [], 0
                if time.monotonic() >= deadline:
                    return False
        if seen:
            self._note(taken)
            self._save_batch(maker, rows, after, seen)
        self.checkpoint["counts"] |= self._withheld(self.checkpoint["counts"])
        self.checkpoint["stage"] = "generalize"
        self._save(40)
        return True

    def _note(self, record_ids: list[str]) -> None:
        """Rows are told of before generalization decides which of them are left out: one of them may be a canary's."""
        self.source.note_leaving(record_ids, reader_id=self.export.requested_by)

    def _require_owner(self) -> None:
        """Raises AccessDenied, LeaseEnded once the table is nobody's."""
        with self.claim.scope():
            require_owner(self.export.requested_by, self.reader.resource, self.reader.decision, ACTION)

    def _save_batch(self, maker: RowMaker, rows: list[list[Cell]], after: str | None, seen: int) -> None:
        number = self.checkpoint["number"] + 1
        write_batch(self.keys, self.export.pk, number, rows)
        counts = self.checkpoint["counts"]
        added = {name: counts.get(name, 0) + count for name, count in maker.counts.items()}
        maker.counts = dict.fromkeys(maker.counts, 0)
        added |= self._withheld(counts, until=after)
        read = self.checkpoint["read"] + seen
        self.checkpoint |= {"number": number, "after": after, "read": read, "counts": added}
        total = self.source.version.record_count or 1
        self._save(min(int(40 * read / total), 40))

    def _withheld(self, counts: dict[str, int], *, until: str | None = None) -> dict[str, int]:
        """What was left out so far for want of consent, and because its people restricted the purpose."""
        gates = (("records_withheld", self.source.consent), ("records_restricted", self.source.restriction))
        return {name: counts.get(name, 0) + gate.take_count(until=until) for name, gate in gates if gate is not None}

    def _save(self, percent: int) -> None:
        self.claim.save(checkpoint=self.checkpoint, progress=self._shown(self.checkpoint["stage"], percent))

    def _tell(self, stage: str, percent: int) -> None:
        self.claim.save(progress=self._shown(stage, percent))

    def _shown(self, stage: str, percent: int) -> dict[str, Any]:
        return {"stage": stage, "read": self.checkpoint["read"], "percent": percent}
