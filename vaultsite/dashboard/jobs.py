"""Long jobs of every kind in one list: under way, or failed lately."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.db.models import CharField, F, Q, QuerySet, UUIDField, Value
from django.db.models.functions import Cast, Now
from django.urls import reverse

from access.selectors import may
from datasets.models import Dataset
from vaultsite.kernel.jobs import JobStatus, LongRunning, installed_jobs
from vaultsite.kernel.tenancy.principal import Principal

#: How long ago a job may have failed to be shown still.
LATELY: Final = timedelta(days=7)
_UNDER_WAY: Final = (JobStatus.QUEUED, JobStatus.RUNNING)
_NOWHERE: Final = ""


@dataclass(frozen=True)
class Job:
    """One job; ``url`` is the page that shows it or the list it stands in, empty where it has none.

    ``began`` is when it was asked for, ``ended`` None while it goes on. ``dataset`` is empty for a job about none.
    """

    id: UUID
    kind: str
    status: str
    dataset: str
    began: datetime
    ended: datetime | None
    error_code: str
    is_mine: bool
    url: str


def _at_dataset(page: str) -> Callable[[UUID, UUID | None], str]:
    return lambda _, dataset_id: reverse(page, args=[dataset_id]) if dataset_id else _NOWHERE


def _own_page(page: str) -> Callable[[UUID, UUID | None], str]:
    return lambda job_id, _: reverse(page, args=[job_id])


def _list(page: str) -> Callable[[UUID, UUID | None], str]:
    return lambda *_: reverse(page)


#: Class of a job -> what people call it, and the address of its page.
KINDS: Final = MappingProxyType(
    {
        "Ingest": ("upload", _at_dataset("admin:datasets_dataset_page")),
        "Export": ("export", _own_page("admin:datasets_export")),
        "GuaranteedExport": ("guaranteed export", _own_page("admin:datasets_guaranteed_export")),
        "Masking": ("anonymization of a dataset", _at_dataset("admin:datasets_dataset_page")),
        "Merge": ("merge", _own_page("admin:datasets_merge")),
        "Publication": ("publication of a draft", _at_dataset("admin:datasets_drafts")),
        "Erasure": ("erasure", _own_page("admin:datasets_erasure")),
        "Rescan": ("rescan", _at_dataset("admin:datasets_quarantine")),
        "KeyRotation": ("key rotation", _list("admin:datasets_keys")),
        "Purge": ("purge", _list("admin:datasets_deleted")),
        "GarbageCollection": ("clean-up of storage", _at_dataset("admin:datasets_storage")),
        "Scrub": ("check of storage", _at_dataset("admin:datasets_storage")),
        "TokenResealing": ("resealing of tokens", _list("admin:privacy_tokens")),
        "BulkEvaluation": ("many questions", _own_page("admin:access_evaluation")),
        "AuditExport": ("export of the audit", _list("admin:audit_exports")),
        "AuditVerification": ("verification of the audit", _own_page("admin:verification")),
        "IncidentScope": ("scope of an incident", _list("admin:incidents")),
        "ProbeRun": ("probes", _own_page("admin:compliance_probe_run")),
        "RequestPackage": ("answer to a person", _list("admin:subject_requests")),
        "Report": ("report", _list("admin:reports")),
        "RetentionRun": ("retention", _own_page("admin:retention_run")),
        "SubjectSearch": ("search for a person", _own_page("admin:subject_search")),
        "SubjectErasure": ("erasure of a person", _own_page("admin:subject_erasure")),
        "PolicyReplay": ("replay of decisions", _own_page("admin:access_replay")),
    }
)


def jobs_under_way(principal: Principal, *, dataset_id: UUID | None, limit: int) -> list[Job]:
    """Queued and running jobs that the principal may know of, newest first."""
    return _jobs(principal, Q(status__in=_UNDER_WAY), dataset_id=dataset_id, limit=limit)


def jobs_failed(principal: Principal, *, dataset_id: UUID | None = None, limit: int) -> list[Job]:
    """Jobs that failed LATELY and that the principal may know of, newest first."""
    failed = Q(status=JobStatus.FAILED, finished_at__gt=Now() - LATELY)
    return _jobs(principal, failed, dataset_id=dataset_id, limit=limit)


def find_job(principal: Principal, job_id: UUID) -> Job | None:
    """A job by its id, if the principal may know of it."""
    return next(iter(_jobs(principal, Q(pk=job_id), dataset_id=None, limit=1)), None)


def _jobs(principal: Principal, wanted: Q, *, dataset_id: UUID | None, limit: int) -> list[Job]:
    """One query over all kinds: of everybody for who reads the audit, else the principal's own."""
    wanted &= Q() if may(principal, "audit.read") else Q(requested_by=principal.id)
    first, *others = [_rows(model, wanted, dataset_id) for model in installed_jobs()]
    found = list(first.union(*others, all=True).order_by("-created_at")[:limit])
    about = {row["job_about"] for row in found if row["job_about"]}
    names = dict(Dataset.objects.visible_to(principal).filter(pk__in=about).values_list("pk", "name")) if about else {}
    known = [
        row for row in found if not row["job_about"] or row["job_about"] in names or row["requested_by"] == principal.id
    ]
    return [_job(principal, row, names.get(row["job_about"], "")) for row in known]


def _rows(model: type[LongRunning], wanted: Q, dataset_id: UUID | None) -> "QuerySet[Any, Any]":
    has_dataset = any(field.attname == "dataset_id" for field in model._meta.concrete_fields)  # noqa: SLF001 - Django's documented API
    about = F("dataset_id") if has_dataset else Cast(Value(None), UUIDField())
    rows = model._default_manager.filter(wanted)  # noqa: SLF001 - the public alias of a model's manager
    if dataset_id is not None:
        rows = rows.filter(Q(dataset_id=dataset_id)) if has_dataset else rows.none()
    return rows.order_by().values(
        "pk", "status", "created_at", "finished_at", "error_code", "requested_by",
        job_about=about, job_kind=Cast(Value(model.__name__), CharField()),
    )  # fmt: skip


def _job(principal: Principal, row: dict[str, Any], dataset: str) -> Job:
    words, address = KINDS.get(row["job_kind"], (row["job_kind"], _list("admin:index")))
    return Job(
        id=row["pk"],
        kind=words,
        status=row["status"],
        dataset=dataset,
        began=row["created_at"],
        ended=row["finished_at"],
        error_code=row["error_code"],
        is_mine=row["requested_by"] == principal.id,
        url=address(row["pk"], row["job_about"]),
    )
