"""One run of the main job: a file goes in, is scanned, sealed and versioned, and three readers come for one record."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final
from uuid import UUID

from django.utils import timezone

from access.models import Tenant
from anonymization.findings import ACT_FROM, Finding, unescape_token
from audit.selectors import EventFilter, list_events, open_actor, read_body
from datasets.models import Dataset, IngestFormat, Version
from datasets.services.commit import read_profile
from datasets.services.datasets import DatasetFacts, create_dataset
from datasets.services.read import ReadRecord, Release, open_release, read_record, read_records, stream_data
from datasets.services.write import UploadOptions
from vaultsite.demo.credentials import Login
from vaultsite.demo.people import ensure_tenant, ensure_users, principal_named
from vaultsite.demo.uploads import Progress, complete, file_blocks, send_file
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

#: The report's own tenants, so that its runs stay out of those the browser shows.
HOUSE: Final = ("demo-report", "Demo report")
OUTSIDE: Final = ("demo-report-outside", "Demo report, another organization")
#: How many records are looked at to find one that shows something.
_SEARCHED: Final = 1000
_AUDIT_LIMIT: Final = 50


class RunFailed(Exception):
    """The file was refused; the message says why."""


@dataclass(frozen=True)
class Step:
    """How long a part of the run took; ``is_whole`` where it went over all records."""

    title: str
    seconds: float
    is_whole: bool


@dataclass(frozen=True)
class Reading:
    """What one reader was shown of the record: texts by pointer, or the error that was all there was to see."""

    reader: str
    obligations: tuple[str, ...] = ()
    texts: dict[str, str] = field(default_factory=dict)
    error: str = ""


@dataclass(frozen=True)
class AuditLine:
    """One event as an auditor reads it."""

    time: datetime
    organization: str
    actor: str
    type: str
    status: str
    purpose: str
    detail: str


@dataclass(frozen=True)
class Report:
    """Everything a run showed; ``spans`` are the findings of the record shown."""

    file: str
    dataset: str
    input_bytes: int
    rejected: int
    version: Version
    by_type: Counter[str]
    by_field: Counter[str]
    record_id: str
    spans: tuple[Finding, ...]
    readings: tuple[Reading, ...]
    audit: tuple[AuditLine, ...]
    steps: tuple[Step, ...]


def run_report(file: Path, told: Progress) -> Report:
    """Run the main job on ``file`` (.csv, else JSON lines; gzip is recognized) in a new dataset of the report's tenant.

    Needs the ``owner`` connection. Raises RunFailed when the ingest fails, and VaultError.
    """
    clock = _Clock()
    house, outside = _ensure_house(HOUSE), _ensure_house(OUTSIDE)
    steward = principal_named(house, "data-steward", purpose="evaluation")
    scientist = principal_named(house, "data-scientist", purpose="model-training")
    stranger = principal_named(outside, "data-steward", purpose="evaluation")
    started = timezone.now()
    dataset = _new_dataset(steward)
    form = IngestFormat.CSV if ".csv" in file.suffixes else IngestFormat.JSONL
    with clock.step("receive and seal", is_whole=True):
        ingest = send_file(steward, dataset.pk, file_blocks(file), UploadOptions(format=form))
    done = complete(house.pk, ingest.pk, told)
    if done.status != JobStatus.SUCCEEDED or done.version is None:
        raise RunFailed(f"{file.name} was refused: {_reason(done.error, done.error_code)}")
    assert done.started_at is not None
    assert done.finished_at is not None
    worked = (done.finished_at - done.started_at).total_seconds()
    clock.steps.append(Step("parse, detect, seal the tree, commit the version", worked, is_whole=True))
    with clock.step("read one record as each reader", is_whole=False):
        shown, readings = _read_as_each(dataset.pk, (steward, scientist, stranger))
    for reader, how in ((steward, "raw"), (scientist, "masked")):
        with clock.step(f"download the whole version, {how}", is_whole=True):
            _download(reader, dataset.pk)
    with tenant_scope(house.pk, steward):
        profile = read_profile(done.version)
    return Report(
        file=file.name,
        dataset=dataset.name,
        input_bytes=done.received_bytes,
        rejected=done.rejected_count,
        version=done.version,
        by_type=_summed(profile, 1),
        by_field=_summed(profile, 0),
        record_id=shown.id,
        spans=shown.findings,
        readings=readings,
        audit=(*_audit(house, started, dataset.pk), *_audit(outside, started)),
        steps=tuple(clock.steps),
    )


class _Clock:
    def __init__(self) -> None:
        self.steps: list[Step] = []

    @contextmanager
    def step(self, title: str, *, is_whole: bool) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.steps.append(Step(title, time.perf_counter() - started, is_whole))


def _ensure_house(place: tuple[str, str]) -> Tenant:
    """A tenant with a steward and a scientist, whose passwords nobody learns: they act here only."""
    slug, name = place
    tenant = ensure_tenant(slug, name)
    ensure_users(tenant, [Login.generate(slug, role) for role in ("data_steward", "data_scientist")], new=())
    return tenant


def _new_dataset(steward: Principal) -> Dataset:
    with tenant_scope(steward.tenant_id, steward):
        number = Dataset.objects.count() + 1
        facts = DatasetFacts(name=f"run-{number}", classification="pii", description="A run of the demo report")
        return create_dataset(steward, facts=facts)


def _reason(problem: dict[str, Any] | None, code: str) -> str:
    told = problem or {}
    return f"{told.get('detail') or told.get('title') or 'no reason given'} ({code})"


def _read_as_each(dataset_id: UUID, readers: Sequence[Principal]) -> tuple[ReadRecord, tuple[Reading, ...]]:
    steward, *others = readers
    release = _release(steward, dataset_id)
    shown = _telling_record(release)
    pointers = list(dict.fromkeys(found.pointer for found in _visible(shown)))
    readings = [_reading(steward, release, shown, pointers)]
    for reader in others:
        try:
            release = _release(reader, dataset_id)
            readings.append(_reading(reader, release, read_record(release, shown.id), pointers))
        except VaultError as error:
            outcome = f"{error.status} {error.code}: {error.title}"
            readings.append(Reading(f"{reader.name} of another organization", error=outcome))
    return shown, tuple(readings)


def _release(reader: Principal, dataset_id: UUID) -> Release:
    with tenant_scope(reader.tenant_id, reader):
        return open_release(reader, dataset_id=dataset_id, version="main")


def _telling_record(release: Release) -> ReadRecord:
    """The first record with a finding, else the first of all."""
    records = list(islice(read_records(release, limit=_SEARCHED, with_findings=True), _SEARCHED))
    return next((record for record in records if _visible(record)), records[0])


def _visible(record: ReadRecord) -> list[Finding]:
    return [found for found in record.findings if found.score >= ACT_FROM]


def _reading(reader: Principal, release: Release, record: ReadRecord, pointers: Sequence[str]) -> Reading:
    whole = {"data": record.data, "metadata": record.metadata}
    texts = {pointer: _text_at(whole, pointer) for pointer in pointers}
    return Reading(reader.name, tuple(map(str, release.decision.obligations)), texts)


def _text_at(record: Any, pointer: str) -> str:
    """The text there; for a reader to whom the member's name is hidden, that it is."""
    for token in pointer.split("/")[1:]:
        if isinstance(record, list):
            record = record[int(token)]
        elif (name := unescape_token(token)) in record:
            record = record[name]
        else:
            return "(under a name that is hidden too)"
    return str(record)


def _download(reader: Principal, dataset_id: UUID) -> None:
    for _ in stream_data(_release(reader, dataset_id), reader, RequestFacts()):
        pass


def _summed(profile: Counter[tuple[str, str]], member: int) -> Counter[str]:
    summed: Counter[str] = Counter()
    for key, count in profile.items():
        summed[key[member]] += count
    return summed


def _audit(tenant: Tenant, since: datetime, dataset_id: UUID | None = None) -> Iterator[AuditLine]:
    """The events of this run in one tenant, oldest first."""
    criteria = EventFilter(since=since, dataset_id=dataset_id)
    with tenant_scope(tenant.pk, Principal.system(tenant.pk)):
        events = list_events(tenant_id=tenant.pk, criteria=criteria, limit=_AUDIT_LIMIT)
        for event in reversed(events):
            context = read_body(event).get("context", {})
            detail = (*context.get("obligations", ()), event.failure_reason)
            yield AuditLine(
                time=event.time,
                organization=tenant.slug,
                actor=open_actor(event).name or event.actor_kind,
                type=event.type,
                status=event.status,
                purpose=event.purpose,
                detail=" ".join(filter(None, detail)),
            )
