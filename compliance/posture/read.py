"""Reading the posture, for who may: as it stands, a control of it, and results of probes."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.db.models.functions import TruncDate
from django.utils import timezone

from access.services.authorize import authorize
from audit.log.errors import SigningKeyUnavailable
from compliance.errors.posture import ProbeResultNotFound
from compliance.models.posture import ControlEvidence, ProbeResult, ProbeRun
from compliance.posture.controls import find_control, framework_of, frameworks, name_in_audit
from compliance.posture.evidence import list_evidence
from compliance.posture.signing import trusted_keys
from compliance.posture.standing import ControlStanding, Latest, Standing, is_signed, standing
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.jobs import JobStatus
from vaultsite.kernel.tenancy.principal import Principal

READ: Final = "posture.read"
#: Days of the trend.
TREND: Final = 30
#: Results of a probe that are shown.
HISTORY: Final = 20


@dataclass(frozen=True)
class ControlFile:
    """A control, how it stands, the newest result of each of its probes, and its evidence."""

    standing: ControlStanding
    at: Standing
    latest: dict[str, Latest | None]
    evidence: list[ControlEvidence]


def read_status(principal: Principal, *, framework: str = "") -> Standing:
    """How every control stands now. Raises AccessDenied, FrameworkNotFound."""
    authorize(principal, READ, ResourceRef("posture", framework if framework in frameworks() else ""))
    if framework:
        framework_of(framework)
    return standing()


def read_control(principal: Principal, *, control_id: str) -> ControlFile:
    """Raises AccessDenied, ControlNotFound."""
    authorize(principal, READ, ResourceRef("control", name_in_audit(control_id)))
    control = find_control(control_id)
    now = standing()
    latest = {name: now.latest.get(name) for name in control.probes}
    return ControlFile(now.controls[control_id], now, latest, list_evidence(control))


def read_result(principal: Principal, *, result_id: UUID) -> Latest:
    """One result of a probe, and whether its signature holds. Raises AccessDenied, ProbeResultNotFound."""
    authorize(principal, READ, ResourceRef("probe_result", str(result_id)))
    row = ProbeResult.objects.select_related("run").filter(pk=result_id).first()
    if row is None:
        raise ProbeResultNotFound
    return checked([row])[0]


def results_of_run(run: ProbeRun) -> list[Latest]:
    """In the order in which they were run."""
    return checked(list(ProbeResult.objects.filter(run=run).order_by("id")))


def results_of_probes(names: tuple[str, ...]) -> list[Latest]:
    """The newest results of several probes, the newest first."""
    return checked(list(ProbeResult.objects.filter(probe__in=names).order_by("-id")[:HISTORY]))


def checked(rows: list[ProbeResult]) -> list[Latest]:
    """Rows with whether their signatures hold; without the file of the keys none does."""
    try:
        trusted = trusted_keys()
    except SigningKeyUnavailable:
        trusted = []
    return [Latest(row, is_signed(row, trusted)) for row in rows]


def public_keys(principal: Principal) -> list[bytes]:
    """The keys that results are signed with, and were, the newest first. Raises AccessDenied, SigningKeyUnavailable."""
    authorize(principal, READ, ResourceRef("posture", "keys"))
    return trusted_keys()


@dataclass(frozen=True)
class Day:
    """The posture as the last run of a day left it: framework -> state -> how many."""

    day: Any
    posture: dict[str, dict[str, int]]

    def total(self, state: str, framework: str = "") -> int:
        return sum(counts.get(state, 0) for name, counts in self.posture.items() if framework in ("", name))


def trend() -> list[Day]:
    """The last run of each day of TREND that had one, the oldest first. In an open scope."""
    rows = (
        ProbeRun.objects.filter(status=JobStatus.SUCCEEDED, finished_at__gt=timezone.now() - timedelta(days=TREND))
        .annotate(day=TruncDate("finished_at"))
        .order_by("-day", "-finished_at")
        .distinct("day")
    )
    return [Day(row.day, row.posture) for row in reversed(rows)]
