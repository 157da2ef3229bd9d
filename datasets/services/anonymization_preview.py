"""What an anonymization policy would do to the records of a version, side by side, for readers of raw data."""

from dataclasses import dataclass
from functools import partial
from typing import Any, Final
from uuid import UUID

from access.errors import AccessDenied
from anonymization.services.anonymizer import build_trial
from datasets.services.read import ReadRecord, declared_fields, open_release, read_records
from vaultsite.kernel.tenancy.principal import Principal

#: Records of one preview.
MAX_RECORDS: Final = 50


@dataclass(frozen=True)
class Tried:
    """A policy to try: by name and version (None: the active one), or a document that is stored nowhere."""

    policy: str = ""
    version: int | None = None
    document: Any = None


@dataclass(frozen=True)
class PreviewedRecord:
    """A record as it is and as the policy would show it, and how many detections it has."""

    id: str
    before: dict[str, Any]
    after: dict[str, Any]
    findings: int


@dataclass(frozen=True)
class Preview:
    """``policy`` is the reference of the version tried, empty for a document; ``sha256`` that of its document."""

    policy: str
    sha256: str
    records: list[PreviewedRecord]


def preview_policy(
    principal: Principal, *, dataset_id: UUID, version: str, tried: Tried, limit: int = 10, after: str | None = None
) -> Preview:
    """The first records of a version under a policy, in the open scope; the decision is one on reading them raw.

    Raises DatasetNotFound, VersionNotFound, AccessDenied (also to readers who are not shown records raw),
    PurposeRequired, UnknownPurpose, PolicyNotFound, PolicyVersionNotFound, InvalidPolicy, NotScanned.
    """
    release = open_release(principal, dataset_id=dataset_id, version=version)
    if not release.is_raw:
        raise AccessDenied
    anonymizer = build_trial(
        policy=tried.policy,
        version=tried.version,
        document=tried.document,
        dataset_id=dataset_id,
        purpose=release.decision.purpose,
        declared=partial(declared_fields, release.dataset),
    )
    records = list(read_records(release, after=after, limit=min(limit, MAX_RECORDS), with_findings=True))
    release.note_leaving(one.id for one in records)
    anonymizer.prepare([_content(one) for one in records], [one.findings for one in records])
    shown = [anonymizer.show(_content(one), one.findings, record_id=one.id) for one in records]
    facts = anonymizer.policy_facts[0]
    return Preview(
        policy=facts["policy"],
        sha256=facts["sha256"],
        records=[
            PreviewedRecord(one.id, _content(one), after, len(one.findings))
            for one, after in zip(records, shown, strict=True)
        ],
    )


def _content(record: ReadRecord) -> dict[str, Any]:
    return {"data": record.data, "metadata": record.metadata}
