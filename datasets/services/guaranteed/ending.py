"""The end of an export under a guarantee: everything checked again, entered into the ledger, signed, and only then
released; or everything taken back.
"""

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import numpy as np
import orjson
from django.utils import timezone

from access.terms import Store, end_of_new
from anonymization.guarantees.attained import attained
from anonymization.guarantees.grouping import group_rows
from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.measures import count_subjects
from anonymization.guarantees.risk import Risk, risk_of
from anonymization.guarantees.table import Codes, Ids, Recoding, Table
from anonymization.guarantees.utility import utility_of
from anonymization.models import Release as LedgerEntry
from anonymization.privacy.errors import ReleaseWouldIsolate
from anonymization.services.releases import admit, held_against, ledger_key, value_key
from datasets.errors.analytics import LinkingColumn
from datasets.errors.exports import ExportOutdated
from datasets.models import Blob, BlobKind, BlobState, Dataset, GuaranteedExport
from datasets.models.lineage import EdgeKind
from datasets.passport.statement import ExportedFile, Statement
from datasets.services.exports.parts import (
    PASSPORT,
    PASSPORT_SEQUENCE,
    PASSPORT_TYPE,
    StoredFile,
    measure,
    parts_of,
    write_part,
)
from datasets.services.exports.statement import current_signer, scan_of, source_of
from datasets.services.families import family_of
from datasets.services.guaranteed.columns import Spooled
from datasets.services.guaranteed.options import GuaranteedOptions, Role
from datasets.services.guaranteed.output import Output, WrittenTable
from datasets.services.guaranteed.recheck import check_files
from datasets.services.keys import DatasetKeys
from datasets.services.lineage import LineageEnd, record_edge
from datasets.services.read import Release
from vaultsite.kernel.jobs import Claim

_NOTES = (
    "Rows carry fresh random ids in shuffled order; no id, nonce or leaf of the source leaves.",
    "k, l and t hold for the tabular columns alone; they are no proof of anonymity.",
    "Assess singling out, linkability and inference for your use.",
)


@dataclass(frozen=True)
class Ending:
    """Everything written, nothing released yet."""

    export: GuaranteedExport
    claim: Claim
    keys: DatasetKeys
    source: Release
    options: GuaranteedOptions
    spooled: Spooled
    table: Table
    recoding: Recoding
    output: Output
    written: list[WrittenTable]

    def finish(self) -> None:
        """Check, sign and release. Raises GuaranteeBroken, LinkingColumn, ReleaseWouldIsolate, ExportOutdated,
        JobFenced.
        """
        self._require_unlinked()
        files = self._stored()
        check_files(self.keys, files, self.options, self.spooled, self.output)
        facts = self._facts()
        files.append(self._passport(files, facts))
        with self.claim.scope():
            if Dataset.objects.values_list("erasure_epoch", flat=True).get(pk=self.export.dataset_id) != (
                self.export.epoch
            ):
                raise ExportOutdated
            delete_by = timezone.now() + timedelta(days=self.options.retention_days)
            release = self._admit(delete_by)
            self._drop_others(files)
            self._record_lineage()
            self.claim.finish(
                files=[file.as_json() for file in files],
                record_count=len(self.output.order),
                size=sum(file.bytes for file in files),
                release_id=release,
                delete_by=delete_by,
                expires_at=end_of_new(Store.ANALYTICS),
                seed=None,
                request=None,
                checkpoint={},
                progress={"stage": "done", "read": self.export.checkpoint.get("read", 0), "percent": 100},
                **facts,
            )

    def _require_unlinked(self) -> None:
        """A pseudonym may not tie rows of different classes together."""
        classes = self.recoding.classes[self.output.order]
        for column, coded in zip(self.options.columns, self.spooled.columns, strict=True):
            if column.is_released and column.role in {Role.IDENTIFIER, Role.SUBJECT}:
                names = coded.as_codes()[self.output.order].astype(np.int64)
                pairs = np.unique(names * (self.recoding.count + 1) + classes)
                if len(pairs) > len(np.unique(names)):
                    raise LinkingColumn(column=column.name)

    def _stored(self) -> list[StoredFile]:
        with self.claim.scope():
            parts = parts_of(self.export.pk)
        encoder = self.output.encoder
        files = []
        for file in self.written:
            mine = [parts[sequence] for sequence in file.sequences]
            digest, sizes = measure(self.keys, mine, is_packed=encoder.is_packed_at_rest)
            files.append(
                StoredFile(
                    name=file.name,
                    part="",
                    media_type=encoder.media_type,
                    bytes=sum(sizes),
                    sha256=digest,
                    rows=file.tree.count,
                    is_packed=encoder.is_packed_at_rest,
                    parts=tuple((str(blob.pk), size) for blob, size in zip(mine, sizes, strict=True)),
                )
            )
        return files

    def _facts(self) -> dict[str, Any]:
        """What the release has, costs and risks."""
        names = tuple(column.name for column in self.table.quasi)
        utility = utility_of(self.recoding, self.options.guarantee.k)
        return {
            "attained": attained(self.table, self.recoding.classes).as_json(),
            "utility": dict(utility.as_json(names)),
            "risk": self._risk(),
            "counts": dict(self.export.checkpoint.get("counts", {})) | {"dropped_rows": utility.dropped},
        }

    def _risk(self) -> dict[str, Any]:
        """The risk before anything is generalized is told to who reads raw: it is a figure of the raw data."""
        after = {"after": dict(self._risk_after().as_json())}
        return after if self.export.is_bound else {"before": dict(risk_of_values(self.table).as_json())} | after

    def _risk_after(self) -> Risk:
        released = np.flatnonzero(self.recoding.classes >= 0)
        return _risk(self.table, self.recoding.classes[released], self.recoding.count, released)

    def _admit(self, delete_by: Any) -> Any:
        wanted = self.options.guarantee.diversity
        release = admit(
            family_id=family_of(self.export.dataset_id),
            recipient=self.export.requested_by,
            k=self.options.guarantee.k,
            l=int(wanted.l) if wanted is not None else 1,
            classes=self._classes(),
            expires_at=delete_by,
            dataset_id=self.export.dataset_id,
            version=self.source.version.label,
            export_id=self.export.pk,
        )
        self._require_same_people(release)
        return release.pk

    def _require_same_people(self, release: LedgerEntry) -> None:
        """Classes meet by the ledger's names of people: releases that name them by other columns cannot be joined."""
        exports = GuaranteedExport.objects.filter(pk__in=held_against(release).values("export_id"))
        others = [_subject_of(shown) for shown in exports.values_list("columns", flat=True)]
        if odd := sum(name != _subject_of(self.export.columns) for name in others):
            raise ReleaseWouldIsolate(
                "Releases that are out say by another column whom a row is about",
                guarantee="k",
                required=release.k,
                subjects_at_risk=release.subjects,
                releases=odd,
            )

    def _classes(self) -> Iterator[tuple[bytes, bytes, Sequence[bytes]]]:
        whose = [bytes.fromhex(value) for value in self.spooled.whose.values()]
        people = self.spooled.whose.as_codes()[self.output.order].tolist()
        classes = self.recoding.classes[self.output.order].tolist()
        values = self._value_keys()
        for person, group, row in zip(people, classes, self.output.order.tolist(), strict=True):
            yield whose[person], b"%d" % group, [names[codes[row]] for names, codes in values]

    def _value_keys(self) -> list[tuple[list[bytes], Codes]]:
        """For each sensitive column the ledger's names of its values, and the code of every row's."""
        key = ledger_key()
        return [
            ([value_key(key, orjson.dumps(value).decode()) for value in coded.values()], coded.as_codes())
            for column, coded in zip(self.options.columns, self.spooled.columns, strict=True)
            if column.role is Role.SENSITIVE
        ]

    def _passport(self, files: list[StoredFile], facts: dict[str, Any]) -> StoredFile:
        trees = {file.name: file.tree for file in self.written}
        encoder = self.output.encoder
        exported = [
            ExportedFile(
                name=file.name,
                split="",
                format=encoder.format,
                compression=encoder.compression,
                bytes=file.bytes,
                sha256=file.sha256,
                rows=file.rows,
                rows_root=trees[file.name].root().hex(),
            )
            for file in files
        ]
        with self.claim.scope():
            statement = Statement(
                export_id=str(self.export.pk),
                created_at=self.export.created_at,
                source=source_of(self.source.version),
                files=exported,
                rows_salt=self.output.salt,
                decision=self._decision(),
                selection=self._selection(facts),
                scan=scan_of(self.source.version),
                notes=_NOTES,
            )
            body = current_signer().sign(statement.as_json())
        blob = write_part(self.keys, self.export.pk, sequence=PASSPORT_SEQUENCE, body=body, is_packed=True)
        parts = ((str(blob.pk), len(body)),)
        digest = hashlib.sha256(body).hexdigest()
        return StoredFile(PASSPORT, "", PASSPORT_TYPE, len(body), digest, 0, is_packed=True, parts=parts)

    def _decision(self) -> dict[str, Any]:
        return {
            "purpose": self.export.purpose,
            "policies": self.export.policies,
            "obligations": [f"guarantee:k={self.options.guarantee.k}"],
            "shown": "under a guarantee",
            "requested_by": str(self.export.requested_by),
        }

    def _selection(self, facts: dict[str, Any]) -> dict[str, Any]:
        return {
            "columns": [column.as_shown() for column in self.options.released],
            "filter": self.options.filter.shape if self.options.filter.node else "",
            "method": str(self.options.method),
            "label": self.options.label | {"parameters": in_words(self.options.guarantee)},
            "retention_days": self.options.retention_days,
            **facts,
            # A passport goes where the table goes: to people who read no raw record.
            "risk": {"after": facts["risk"]["after"]},
        }

    def _drop_others(self, files: list[StoredFile]) -> None:
        """The spool has done its work, and so has what a worker that lost its claim wrote once more."""
        named = [blob for file in files for blob, _ in file.parts]
        mine = Blob.objects.filter(job=self.export.pk, kind__in=(BlobKind.EXPORT, BlobKind.RUN))
        mine.exclude(pk__in=named).update(state=BlobState.DEAD)

    def _record_lineage(self) -> None:
        version, export = self.source.version, self.export
        target = LineageEnd.of_export(export.pk, export.dataset_id, f"{version.label} under k={export.guarantee['k']}")
        facts = {"records": len(self.output.order), "format": export.format}
        record_edge(kind=EdgeKind.ANONYMIZED_FROM, source=LineageEnd.of_version(version), target=target, facts=facts)


def _subject_of(columns: Sequence[Mapping[str, Any]]) -> str:
    """The column that says whom a row is about; empty where there is none."""
    return next((column["name"] for column in columns if column["role"] == Role.SUBJECT), "")


def in_words(guarantee: Guarantee) -> dict[str, Any]:
    """Fractions as texts: a passport holds none."""
    return {
        name: {key: str(inner) for key, inner in value.items()} if isinstance(value, dict) else _worded(value)
        for name, value in guarantee.as_json().items()
    }


def _worded(value: Any) -> Any:
    return str(value) if isinstance(value, float) else value


def risk_of_values(table: Table) -> Risk:
    """The risk of the quasi-identifiers as they are, before anything is generalized."""
    columns = table.quasi
    groups, first = group_rows([column.codes for column in columns], [column.hierarchy.size for column in columns])
    return _risk(table, groups, len(first), np.arange(len(table)))


def _risk(table: Table, groups: Ids, count: int, rows: Ids) -> Risk:
    subjects = None if table.subjects is None else table.subjects[rows]
    return risk_of(count_subjects(groups, count, subjects), np.bincount(groups, minlength=count))
