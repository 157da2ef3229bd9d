"""Which identifiers of a record are on the list of suppressed ones: read from the record, as nobody knows them else."""

from collections.abc import Collection, Iterator
from typing import Any, Final
from uuid import UUID

import orjson

from anonymization.findings import ACT_FROM
from anonymization.services.anonymize import found_text
from anonymization.services.detect import detect_records
from datasets.models import Branch, Version
from datasets.services.drafts.parent import find_many
from datasets.services.ingest.subjects import INDEXED, subject_key
from datasets.services.keys import load_keys
from datasets.services.pack_reader import PackReader
from datasets.services.schemas import rules_for
from datasets.services.suppression import hidden_key_of

#: Trees of a dataset that are looked through for one record, the heads of branches first.
_TREES: Final = 200


def suppressed_identifiers(dataset_id: UUID, record_id: str, keys: Collection[bytes]) -> dict[bytes, tuple[str, str]]:
    """Those of the ``keys`` of the list that the record has, each with the type and the text of its identifier.

    In the open scope. Of a record that differs from version to version all are looked at until every key is found.
    Raises KeyDestroyed, RegionNotServed, DetectionFailed.
    """
    found: dict[bytes, tuple[str, str]] = {}
    for record in _readings(dataset_id, record_id):
        for kind, text in _identifiers(dataset_id, record):
            key = hidden_key_of(subject_key(load_keys(dataset_id).index, kind, text))
            if key in keys:
                found.setdefault(key, (kind, text))
        if len(found) == len(keys):
            break
    return found


def _readings(dataset_id: UUID, record_id: str) -> Iterator[dict[str, Any]]:
    """What the record says, or said, each once: newest first."""
    reader, seen = PackReader(load_keys(dataset_id)), set()
    for root in _roots(dataset_id):
        for record in find_many(reader, root, [record_id]):
            if record.canonical not in seen:
                seen.add(record.canonical)
                yield orjson.loads(record.canonical)


def _roots(dataset_id: UUID) -> list[bytes]:
    heads = Branch.objects.filter(dataset_id=dataset_id, head__isnull=False).order_by("-moved_at")
    versions = Version.objects.filter(dataset_id=dataset_id).order_by("-sequence")
    roots = [*heads.values_list("head__root", flat=True)[:_TREES], *versions.values_list("root", flat=True)[:_TREES]]
    return list(dict.fromkeys(map(bytes, roots)))[:_TREES]


def _identifiers(dataset_id: UUID, record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """As the subject index would have them: what the detectors find, and what the schema says there is."""
    data, metadata = record["data"], record["metadata"]
    (detected,) = detect_records([(data, metadata)])
    for one in rules_for(dataset_id).with_stated(data, detected):
        if one.entity_type in INDEXED and one.score >= ACT_FROM:
            yield one.entity_type, found_text({"data": data, "metadata": metadata}, one)
