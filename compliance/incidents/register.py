"""The register of breaches (GDPR article 33(5)) and the log of a year for HHS (45 CFR 164.408(c))."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final
from uuid import UUID

from access.services.authorize import authorize
from audit.exports.encode import csv_row
from compliance.incidents.clocks import HIPAA, MANY, year_of
from compliance.incidents.selectors import resource_of
from compliance.models import BreachNotice, Incident, IncidentAssessment, IncidentEntry
from vaultsite.kernel.tenancy.principal import Principal

COLUMNS: Final = (
    *("number", "title", "state", "severity", "laws", "discovered_at", "aware_at", "persons", "hipaa", "gdpr_risk"),
    *("grounds", "measures", "authority_told_at", "persons_told_at", "hhs_told_at", "media_told_at"),
    *("controller_told_at", "reason", "hhs_year_log"),
)
#: Lines of the timeline that are remedial action.
_REMEDIES: Final = ("quarantined", "revoked", "contained", "task.done")


@dataclass(frozen=True)
class LogLine:
    """One incident as the register has it; ``told`` is when each audience was told first."""

    incident: UUID
    number: int
    title: str
    severity: str
    standing: str
    laws: tuple[str, ...]
    discovered_at: datetime
    aware_at: datetime | None
    persons: int | None
    hipaa: str
    gdpr_risk: str
    grounds: str
    measures: tuple[str, ...]
    told: Mapping[str, datetime]
    reason: str

    @property
    def is_of_year_log(self) -> bool:
        """Whether HHS is told of it by the log of the year."""
        return (
            HIPAA in self.laws
            and self.standing != "dismissed"
            and self.hipaa != "low_probability"
            and self.persons is not None
            and self.persons < MANY
        )


def read_register(principal: Principal, *, year: int) -> list[LogLine]:
    """Every incident discovered in a year where its clocks are, by number. Raises AccessDenied."""
    authorize(principal, "incident.read", resource_of(), facts={"year": year})
    begin, end = datetime(year, 1, 1, tzinfo=UTC), datetime(year + 1, 1, 1, tzinfo=UTC)
    day = timedelta(days=1)
    near = Incident.objects.filter(discovered_at__gte=begin - day, discovered_at__lt=end + day).order_by("number")
    rows = [row for row in near if year_of(row.discovered_at, row.time_zone) == year]
    ids = [row.pk for row in rows]
    assessed = {one.incident_id: one for one in IncidentAssessment.objects.filter(incident_id__in=ids).order_by("id")}
    told: dict[UUID, dict[str, datetime]] = {}
    for notice in BreachNotice.objects.filter(incident_id__in=ids, sent_at__isnull=False).order_by("-sent_at"):
        if notice.sent_at is not None:
            told.setdefault(notice.incident_id, {})[notice.audience] = notice.sent_at
    done: dict[UUID, list[str]] = {}
    for entry in IncidentEntry.objects.filter(incident_id__in=ids, kind__in=_REMEDIES).order_by("id"):
        done.setdefault(entry.incident_id, []).append(entry.text or entry.kind)
    return [_line(row, assessed.get(row.pk), told.get(row.pk, {}), done.get(row.pk, [])) for row in rows]


def _line(row: Incident, assessed: IncidentAssessment | None, told: Mapping[str, datetime], done: list[str]) -> LogLine:
    return LogLine(
        incident=row.pk,
        number=row.number,
        title=row.title,
        severity=row.severity,
        standing=row.state,
        laws=tuple(row.laws),
        discovered_at=row.discovered_at,
        aware_at=row.aware_at,
        persons=row.persons,
        hipaa=assessed.hipaa if assessed else "",
        gdpr_risk=assessed.gdpr_risk if assessed else "",
        grounds=assessed.grounds if assessed else "",
        measures=tuple(done),
        told=told,
        reason=row.reason,
    )


def as_csv(lines: list[LogLine]) -> bytes:
    """The register as a spreadsheet reads it; no cell of it runs."""
    return b"".join([csv_row(list(COLUMNS)), *(csv_row(_cells(line)) for line in lines)])


def _cells(line: LogLine) -> list[object]:
    told = [_shown(line.told.get(name)) for name in ("authority", "persons", "hhs", "media", "controller")]
    return [
        *(line.number, line.title, line.standing, line.severity, " ".join(line.laws)),
        *(_shown(line.discovered_at), _shown(line.aware_at), "" if line.persons is None else line.persons),
        *(line.hipaa, line.gdpr_risk, line.grounds, "; ".join(line.measures)),
        *(*told, line.reason, "yes" if line.is_of_year_log else "no"),
    ]


def _shown(moment: datetime | None) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else ""
