"""Detecting: the configured detector over whole records and over single texts."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from anonymization.detectors.base import Detector, Span
from anonymization.detectors.walk import WALK_VERSION, scan_records, scan_text
from anonymization.findings import ACT_FROM, REFUSED_ENTITIES, Finding
from vaultsite.kernel.providers import load_provider

#: Entity types for which :func:`forbidden_payment_data` refuses a record.
refused_entities = REFUSED_ENTITIES


def active_detector() -> Detector:
    """The detector that ``settings.VAULT["DETECTOR"]`` names; one instance a process."""
    detector: Detector = load_provider("DETECTOR")
    return detector


def detector_hash() -> bytes:
    """Identifies what :func:`detect_records` would find: detector and walk, 33 bytes."""
    return active_detector().content_hash + bytes([WALK_VERSION])


def detect_records(records: Sequence[tuple[Mapping[str, Any], Mapping[str, Any]]]) -> list[list[Finding]]:
    """The findings of each record, given as (data, metadata), from score STORE_FROM on.

    Pointers go into ``{"data": data, "metadata": metadata}``. Raises DetectionFailed; then no record of the batch
    counts as scanned.
    """
    return scan_records([{"data": data, "metadata": metadata} for data, metadata in records], active_detector())


def detect_text(text: str) -> list[Span]:
    """The spans of one text, encoded content included. Raises DetectionFailed."""
    return scan_text(text, active_detector())


def forbidden_payment_data(findings: Iterable[Finding | Span], threshold: float = ACT_FROM) -> list[Finding | Span]:
    """Those of the findings for which a record must be refused: verification values, PINs, PIN blocks, track data."""
    return [found for found in findings if found.entity_type in REFUSED_ENTITIES and found.score >= threshold]
