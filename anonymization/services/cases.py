"""Test cases of detection: spans that must be found, or left alone, whatever detectors come."""

import base64
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from typing import Final
from uuid import UUID

import orjson
from django.utils import timezone

from access.services.authorize import authorize
from access.services.keyring import open_column, seal_column
from anonymization.findings import ACT_FROM, Finding, escape_token
from anonymization.models import DetectionCase
from anonymization.services.detect import detect_records, detector_hash
from anonymization.trust.errors import TestCaseNotFound
from anonymization.trust.rules import SENSITIVE
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

#: Cases of one run, oldest first.
MOST_CASES: Final = 1_000
SEALED_AS: Final = "anonymization.detection-case"


@dataclass(frozen=True)
class NewCase:
    """``text`` with the span ``[start, end)``, in a field named ``label``; ``is_expected``: must be found."""

    text: str
    start: int
    end: int
    entity_type: str
    is_expected: bool
    label: str = ""
    dataset_id: UUID | None = None
    record_id: str = ""


@dataclass(frozen=True)
class CaseResult:
    """How a case ended: ``drifted`` when the detectors no longer do what it asks for; ``changed``: unlike last time."""

    case: DetectionCase
    outcome: str
    changed: bool


@dataclass(frozen=True)
class CaseRun:
    """The set of detectors (hex) and every case with how it ended."""

    detector: str
    results: tuple[CaseResult, ...]

    @property
    def drifted(self) -> int:
        return sum(result.outcome == "drifted" for result in self.results)


def add_case(principal: Principal, *, new: NewCase) -> DetectionCase:
    """Keep a case, sealed. The caller has decided that the principal may."""
    case_id = uuid7()
    content = {name: value for name, value in asdict(new).items() if name in {"text", "start", "end", "label"}}
    row = DetectionCase.objects.create(
        id=case_id,
        dataset_id=new.dataset_id,
        record_id=new.record_id,
        entity_type=new.entity_type,
        is_expected=new.is_expected,
        sealed=seal_column(SEALED_AS, case_id.bytes, orjson.dumps(content)),
        created_by=principal.id,
    )
    row.refresh_from_db(fields=["created_at"])
    return row


def list_cases(principal: Principal, *, after: UUID | None = None, limit: int = 100) -> list[DetectionCase]:
    """Cases newest first, after the one with the id ``after``. Raises AccessDenied."""
    authorize(principal, "detection.read", ResourceRef("test-case"))
    rows = DetectionCase.objects.order_by("-id")
    return list((rows.filter(id__lt=after) if after else rows)[:limit])


def remove_case(principal: Principal, *, case_id: UUID) -> None:
    """Raises AccessDenied, TestCaseNotFound."""
    authorize(principal, "finding.review", ResourceRef("test-case", str(case_id)), facts={"removed": True})
    if not DetectionCase.objects.filter(pk=case_id).delete()[0]:
        raise TestCaseNotFound


def export_cases(principal: Principal) -> Iterator[bytes]:
    """Every case as a JSON line: what is asked for in the clear, the text sealed; only this vault can open it."""
    authorize(principal, "detection.read", ResourceRef("test-case"), facts={"exported": True})
    for row in DetectionCase.objects.order_by("id")[:MOST_CASES]:
        line = {
            "id": str(row.pk),
            "entity_type": row.entity_type,
            "is_expected": row.is_expected,
            "sealed": base64.b64encode(bytes(row.sealed)).decode(),
        }
        yield orjson.dumps(line, option=orjson.OPT_APPEND_NEWLINE)


def run_cases(principal: Principal) -> CaseRun:
    """Run every case against the detectors of now, and remember how each ended. Raises AccessDenied, DetectionFailed.

    Rules of the tenant play no part: a case asks what the detectors do.
    """
    authorize(principal, "detection.manage", ResourceRef("test-case"), facts={"run": True})
    rows = list(DetectionCase.objects.order_by("id")[:MOST_CASES])
    contents = [orjson.loads(open_column(SEALED_AS, row.pk.bytes, bytes(row.sealed))) for row in rows]
    found = detect_records([({one["label"] or "text": one["text"]}, {}) for one in contents]) if rows else []
    results = []
    for row, content, findings in zip(rows, contents, found, strict=True):
        pointer = f"/data/{escape_token(content['label'] or 'text')}"
        spans = [one for one in findings if (one.pointer, one.part) == (pointer, "value")]
        outcome = "held" if _is_held(row, content["start"], content["end"], spans) else "drifted"
        results.append(CaseResult(row, outcome, changed=row.outcome not in {"", outcome}))
        row.outcome, row.detector, row.checked_at = outcome, detector_hash(), timezone.now()
    DetectionCase.objects.bulk_update(rows, ["outcome", "detector", "checked_at"], batch_size=500)
    return CaseRun(detector_hash().hex(), tuple(results))


def _is_held(case: DetectionCase, start: int, end: int, findings: list[Finding]) -> bool:
    """What must be found is covered by one finding of its type; what must not touches none of it."""
    own = [one for one in findings if one.score >= ACT_FROM and case.entity_type in {SENSITIVE, one.entity_type}]
    if case.is_expected:
        return any(one.start <= start and end <= one.end for one in own)
    return not any(one.start < end and start < one.end for one in own)
