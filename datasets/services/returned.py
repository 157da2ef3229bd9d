"""Which identifiers of a record are on the list of suppressed ones: read from the record, as nobody knows them else."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from anonymization.findings import ACT_FROM
from anonymization.services.anonymize import found_text
from anonymization.services.detect import detect_records
from datasets.models import Branch, Ingest, Merge, Publication, SubjectIndexEntry, Version
from datasets.services.drafts.parent import find_many
from datasets.services.ingest.subjects import INDEXED, subject_key
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.schemas import rules_for
from datasets.services.suppression import hidden_key_of

#: Trees of a dataset that are looked through for one record: heads of branches first, then what brought it.
_TREES: Final = 200


@dataclass(frozen=True)
class ReadBack:
    """``found``: keys of the list with the type and the text of their identifiers. ``is_whole`` says whether what was
    not found is in no version; otherwise there are versions that were not looked at.
    """

    found: dict[bytes, tuple[str, str]]
    is_whole: bool


def suppressed_identifiers(dataset_id: UUID, record_id: str, keys: Collection[bytes]) -> ReadBack:
    """Those of the ``keys`` of the list that the record has.

    In the open scope. Of a record that differs from version to version all are looked at until every key is found, up
    to _TREES. Raises KeyDestroyed, RegionNotServed, DetectionFailed.
    """
    found: dict[bytes, tuple[str, str]] = {}
    jobs = _jobs_with(dataset_id, record_id, keys)
    roots = _roots(dataset_id, jobs)
    for record in _readings(dataset_id, record_id, roots[:_TREES]):
        for kind, text in _identifiers(dataset_id, record):
            key = hidden_key_of(subject_key(load_keys(dataset_id).index, kind, text))
            if key in keys:
                found.setdefault(key, (kind, text))
        if len(found) == len(keys):
            break
    return ReadBack(found, is_whole=not jobs or len(roots) <= _TREES)


def _jobs_with(dataset_id: UUID, record_id: str, keys: Collection[bytes]) -> list[UUID]:
    """The jobs that put these identifiers of the record into the index; none where the index has none of them."""
    entries = SubjectIndexEntry.objects.filter(dataset_id=dataset_id, record_id=record_id).order_by("-id")
    return [job for key, job in entries.values_list("key", "job") if hidden_key_of(bytes(key)) in keys]


def _readings(dataset_id: UUID, record_id: str, roots: list[bytes]) -> Iterator[dict[str, Any]]:
    """What the record says, or said, each once: newest first."""
    reader, seen = PackReader(load_keys(dataset_id)), set()
    for root in roots:
        for record in find_many(reader, root, [record_id]):
            if record.canonical not in seen:
                seen.add(record.canonical)
                yield orjson.loads(record.canonical)


def _roots(dataset_id: UUID, jobs: list[UUID]) -> list[bytes]:
    """Every tree of the dataset once: of its heads, of the versions that these jobs made, and of the others."""
    heads = Branch.objects.filter(dataset_id=dataset_id, head__isnull=False).order_by("-moved_at")
    made = [
        root
        for job in (Ingest, Merge, Publication)
        for root in job.objects.filter(pk__in=jobs, version__isnull=False).values_list("version__root", flat=True)
    ]
    versions = Version.objects.filter(dataset_id=dataset_id).order_by("-sequence")
    roots = [*heads.values_list("head__root", flat=True), *made, *versions.values_list("root", flat=True)]
    return list(dict.fromkeys(map(bytes, roots)))


def _identifiers(dataset_id: UUID, record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """As the subject index would have them: what the detectors find, and what the schema says there is."""
    data, metadata = record["data"], record["metadata"]
    (detected,) = detect_records([(data, metadata)])
    for one in rules_for(dataset_id).with_stated(data, detected):
        if one.entity_type in INDEXED and one.score >= ACT_FROM:
            yield one.entity_type, found_text({"data": data, "metadata": metadata}, one)
