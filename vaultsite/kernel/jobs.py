"""Long jobs: a row of their own noun is the truth, the broker only wakes a worker."""

import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, ClassVar, Final, Self, TypeVar
from uuid import UUID

from celery import current_app
from django.db import DatabaseError, connections, models, transaction
from django.db.models import F
from django.db.models.functions import Coalesce, Now
from django.utils import timezone
from kombu.exceptions import OperationalError

from vaultsite.kernel.errors import JobFenced, VaultError
from vaultsite.kernel.progress import Progress, tell
from vaultsite.kernel.tenancy.models import TenantModel
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import current_scope, tenant_scope

QUEUED_LEASE: Final = timedelta(seconds=30)
RUNNING_LEASE: Final = timedelta(seconds=60)
RETRY_DELAY: Final = timedelta(seconds=5)
LONGEST_DELAY: Final = timedelta(minutes=5)
MAX_ATTEMPTS: Final = 8


class JobStatus(models.TextChoices):
    QUEUED = "queued", "queued"
    RUNNING = "running", "running"
    SUCCEEDED = "succeeded", "succeeded"
    FAILED = "failed", "failed"
    CANCELLED = "cancelled", "cancelled"


FINAL: Final = (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)


class LongRunning(TenantModel):
    """A job that outlives its request, its worker and its broker.

    ``lease_until`` says until when its message or its worker is trusted to be alive; the reaper re-sends what passed
    it. ``fence`` is raised at each claim: a worker that slept past its lease holds an old one and can write nothing.
    """

    #: Name of the Celery task that continues this job; it is called with (tenant id, job id).
    task_name: ClassVar[str] = ""

    status = models.CharField(max_length=9, choices=JobStatus.choices, default=JobStatus.QUEUED)
    progress = models.JSONField(default=dict)
    checkpoint = models.JSONField(default=dict)
    lease_until = models.DateTimeField()
    attempt = models.PositiveSmallIntegerField(default=0)
    fence = models.PositiveIntegerField(default=0)
    error_code = models.CharField(max_length=20, blank=True, default="")
    error = models.JSONField(null=True, default=None)
    requested_by = models.UUIDField()
    idempotency_key = models.CharField(max_length=255, blank=True, default="")
    created_at = models.DateTimeField(db_default=Now(), editable=False)
    started_at = models.DateTimeField(null=True, default=None)
    finished_at = models.DateTimeField(null=True, default=None)

    class Meta(TenantModel.Meta):
        abstract = True

    @property
    def is_final(self) -> bool:
        return self.status in FINAL


J = TypeVar("J", bound=LongRunning)


@dataclass(frozen=True)
class Claim:
    """The right to work on a job until somebody else claims it."""

    model: type[LongRunning]
    tenant_id: UUID
    pk: UUID
    fence: int
    attempt: int = 1
    requested_by: UUID | None = None
    facts: RequestFacts = field(default_factory=lambda: RequestFacts(started_at=datetime.now(UTC)))

    def save(self, **fields: Any) -> None:
        """Write ``fields`` and renew the lease; raises JobFenced, writing nothing, when the claim is lost.

        Joins the open scope, or is a short transaction of its own.
        """
        with tenant_scope(self.tenant_id, Principal.system(self.tenant_id), self.facts):
            held = self.model._default_manager.filter(  # noqa: SLF001 - the public alias of a model's manager
                tenant_id=self.tenant_id, pk=self.pk, fence=self.fence, status=JobStatus.RUNNING
            )
            if not held.update(**({"lease_until": Now() + RUNNING_LEASE} | fields)):
                raise JobFenced
            self._tell(fields)

    def _tell(self, fields: Mapping[str, Any]) -> None:
        """Tell who listens that the job got on or ended."""
        if self.requested_by is not None and fields.keys() & {"status", "progress"}:
            status, progress = str(fields.get("status", "")), fields.get("progress", {})
            tell(Progress(self.tenant_id, self.model.__name__, self.pk, self.requested_by, status, progress))

    @contextmanager
    def scope(self) -> Iterator[None]:
        """A tenant scope that holds the job's row locked: nobody can claim it before this commits."""
        with tenant_scope(self.tenant_id, Principal.system(self.tenant_id), self.facts):
            self.check()
            yield

    def check(self) -> None:
        """Lock the row and raise JobFenced unless this claim still holds it."""
        held = self.model._default_manager.select_for_update().filter(  # noqa: SLF001
            tenant_id=self.tenant_id, pk=self.pk, fence=self.fence, status=JobStatus.RUNNING
        )
        if not held.values_list("pk", flat=True).first():
            raise JobFenced

    def finish(self, **fields: Any) -> None:
        self.save(status=JobStatus.SUCCEEDED, finished_at=Now(), **fields)

    def fail(self, error: VaultError, **fields: Any) -> None:
        problem = error.as_problem()
        self.save(status=JobStatus.FAILED, finished_at=Now(), error_code=error.code, error=problem, **fields)

    def release(self) -> None:
        """Let go without finishing: the reaper wakes the next worker, later after every attempt."""
        delay = min(RETRY_DELAY * 2 ** (self.attempt - 1), LONGEST_DELAY)
        self.save(status=JobStatus.QUEUED, lease_until=Now() + delay)

    def wait(self) -> None:
        """Let go because it is somebody else's turn; it counts as no attempt."""
        self.save(status=JobStatus.QUEUED, lease_until=Now() + RETRY_DELAY, attempt=0)

    def give_turn_back(self, job: LongRunning) -> None:
        """Queue the job again after honest progress, so that a long one never holds a worker for hours."""
        with tenant_scope(self.tenant_id, Principal.system(self.tenant_id)):
            self.save(status=JobStatus.QUEUED, lease_until=Now() + QUEUED_LEASE, attempt=0)
            enqueue(job)


class Heartbeat:
    """Renews a job's lease from a thread of its own for as long as the block runs, however long its steps are.

    A worker that is stopped or killed renews nothing; a claim that was lost stays lost, and whoever writes with it is
    refused.
    """

    def __init__(self, claim: Claim) -> None:
        self._claim = claim
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._beat, name=f"heartbeat-{claim.pk}", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()

    def _beat(self) -> None:
        try:
            while not self._done.wait(RUNNING_LEASE.total_seconds() / 4):
                self._renew()
        finally:
            connections.close_all()

    def _renew(self) -> None:
        """A beat that cannot be written is missed; the next one may come through."""
        with suppress(VaultError, DatabaseError):
            self._claim.save()


class Pulse:
    """Called often, renews a job's lease now and then. Raises JobFenced."""

    def __init__(self, claim: Claim, **fields: Any) -> None:
        self._claim = claim
        self._fields = fields
        self._due = 0.0

    def __call__(self) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + RUNNING_LEASE.total_seconds() / 4
        self._claim.save(**self._fields)


def new_lease() -> Any:
    """When a freshly queued job's message counts as lost."""
    return timezone.now() + QUEUED_LEASE


def enqueue(job: LongRunning) -> None:
    """Wake a worker for ``job`` once the open transaction has committed."""
    message = (job.task_name, str(job.tenant_id), str(job.pk))
    transaction.on_commit(lambda: send(*message), robust=True)  # the job is committed: the reaper can send it too


def send(task_name: str, tenant_id: str, pk: str) -> None:
    """Send the message; a broker that is away loses nothing, the reaper sends again."""
    try:
        current_app.send_task(task_name, args=(tenant_id, pk), retry=False, ignore_result=True)
    except (OSError, OperationalError):
        return


def claim(model: type[J], pk: UUID) -> tuple[J, Claim] | None:
    """Take the job for this worker, inside the open scope: raises its attempt and its fence.

    None when it is finished, cancelled, or held by a worker whose lease runs (by the database's clock, like everything
    about leases). Whoever is given a claim of more than MAX_ATTEMPTS attempts ends the job (kernel.turn does).
    """
    rows = model._default_manager.filter(pk=pk)  # noqa: SLF001 - the public alias of a model's manager
    job = rows.select_for_update().exclude(status=JobStatus.RUNNING, lease_until__gt=Now()).first()
    if job is None or job.is_final:
        return None
    rows.update(
        status=JobStatus.RUNNING,
        attempt=F("attempt") + 1,
        fence=F("fence") + 1,
        started_at=Coalesce("started_at", Now()),
        lease_until=Now() + RUNNING_LEASE,
    )
    job.refresh_from_db()
    claimed = Claim(model, current_scope().tenant_id, pk, job.fence, job.attempt, job.requested_by)
    claimed._tell({"status": JobStatus.RUNNING})  # noqa: SLF001 - same module
    return job, claimed


@dataclass(frozen=True)
class Overdue:
    """A job whose message or worker died."""

    task_name: str
    tenant_id: UUID
    pk: UUID

    def resend(self) -> Self:
        send(self.task_name, str(self.tenant_id), str(self.pk))
        return self


def installed_jobs() -> list[type[LongRunning]]:
    """Every concrete kind of long job."""
    return sorted((cls for cls in LongRunning.__subclasses__() if not cls._meta.abstract), key=lambda cls: cls.__name__)


def reap(*, limit: int = 100) -> list[Overdue]:
    """Find jobs past their lease in every tenant (as vault_system) and wake a worker for each.

    Queued rows are given a new short lease, so that each is re-sent once per lease and not once per run.
    """
    found = [overdue for model in installed_jobs() for overdue in _overdue(model, limit)]
    return [overdue.resend() for overdue in found]


def _overdue(model: type[LongRunning], limit: int) -> list[Overdue]:
    rows = model._default_manager.using("system")  # noqa: SLF001
    with transaction.atomic(using="system"):
        late = list(
            rows.select_for_update(skip_locked=True)
            .filter(status__in=(JobStatus.QUEUED, JobStatus.RUNNING), lease_until__lt=Now())
            .order_by("lease_until")
            .values_list("tenant_id", "pk")[:limit]
        )
        rows.filter(pk__in=[pk for _, pk in late], status=JobStatus.QUEUED).update(lease_until=Now() + QUEUED_LEASE)
    return [Overdue(model.task_name, tenant_id, pk) for tenant_id, pk in late]
