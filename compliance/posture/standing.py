"""How every control stands now: proven by fresh, signed results alone; everything else is said as it is."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from django.db.models import QuerySet
from django.utils import timezone

from audit.log.errors import SigningKeyUnavailable
from compliance.models.posture import ControlEvidence, ProbeResult, ProbeState
from compliance.posture.controls import Control, frameworks
from compliance.posture.signing import Signed, holds, trusted_keys

#: For how long a passed probe proves something: a day and a half, as probes run every day.
FRESH: Final = timedelta(hours=36)
#: Clocks differ by so much at most: what ended later than that is of a clock that was wrong, and proves nothing.
AHEAD: Final = timedelta(minutes=10)


class ControlState(StrEnum):
    """``outside``: no software can prove it and nobody has attested it; ``attested``: somebody has."""

    FAILED = "failed"
    NOT_PROVEN = "not_proven"
    PROVEN = "proven"
    OUTSIDE = "outside"
    ATTESTED = "attested"


@dataclass(frozen=True)
class Latest:
    """The newest result of a probe, and whether its signature holds."""

    result: ProbeResult
    is_signed: bool

    def proves(self, now: datetime) -> bool:
        return self.is_signed and self.result.state == ProbeState.PASSED and self.is_fresh(now)

    def is_fresh(self, now: datetime) -> bool:
        return -AHEAD <= now - self.result.ended_at <= FRESH


@dataclass(frozen=True)
class ControlStanding:
    """``why`` says what is missing where a control is not proven; ``as_of`` is the oldest result behind the state."""

    control: Control
    state: ControlState
    why: str = ""
    as_of: datetime | None = None


@dataclass(frozen=True)
class Standing:
    """Every control at one moment, in the order of the frameworks."""

    at: datetime
    controls: Mapping[str, ControlStanding]
    latest: Mapping[str, Latest]

    def by_framework(self) -> dict[str, list[ControlStanding]]:
        found: dict[str, list[ControlStanding]] = {name: [] for name in frameworks()}
        for one in self.controls.values():
            found[one.control.framework].append(one)
        return found


def standing(now: datetime | None = None) -> Standing:
    """In an open scope of the tenant."""
    now = now or timezone.now()
    latest = latest_results(now)
    attested = set(live_evidence(now).values_list("control", flat=True))
    controls = {
        control.id: _stand(control, latest, attested, now)
        for framework in frameworks().values()
        for control in framework.controls
    }
    return Standing(now, controls, latest)


def latest_results(now: datetime) -> dict[str, Latest]:
    """Probe -> its newest result, those from the future left out.

    Without the file of the keys no signature can be checked, and nothing is proven.
    """
    try:
        trusted = trusted_keys()
    except SigningKeyUnavailable:
        trusted = []
    rows = ProbeResult.objects.filter(ended_at__lte=now + AHEAD).order_by("probe", "-id").distinct("probe")
    return {row.probe: Latest(row, is_signed(row, trusted)) for row in rows}


def is_signed(row: ProbeResult, trusted: list[bytes]) -> bool:
    """Whether a trusted key signed what the row says, of the row itself: the statement names its id and its state."""
    signed = Signed(bytes(row.statement), bytes(row.signature), bytes(row.signed_by))
    told = f'"id":"{row.pk}"', f'"probe":"{row.probe}"', f'"state":"{row.state}"', f'"tenant":"{row.tenant_id}"'
    said = signed.statement.decode()
    is_same = all(one in said for one in told) and f'"ended_at":"{row.ended_at.isoformat()}"' in said
    return is_same and holds(signed, trusted)


def live_evidence(now: datetime) -> "QuerySet[ControlEvidence]":
    """Evidence that was not withdrawn and has not expired."""
    return ControlEvidence.objects.filter(withdrawn_at=None, expires_on__gte=now.date())


def _stand(control: Control, latest: Mapping[str, Latest], attested: set[str], now: datetime) -> ControlStanding:
    if not control.is_probed:
        state = ControlState.ATTESTED if control.id in attested else ControlState.OUTSIDE
        return ControlStanding(control, state)
    known = {name: latest[name] for name in control.probes if name in latest}
    as_of = min((one.result.ended_at for one in known.values()), default=None)
    failed = [name for name, one in known.items() if one.result.state == ProbeState.FAILED]
    if failed:
        return ControlStanding(control, ControlState.FAILED, f"{', '.join(failed)} failed", as_of)
    missing = [reason for name in control.probes if (reason := _missing(name, known.get(name), now))]
    if missing:
        return ControlStanding(control, ControlState.NOT_PROVEN, "; ".join(missing), as_of)
    return ControlStanding(control, ControlState.PROVEN, "", as_of)


def _missing(name: str, latest: Latest | None, now: datetime) -> str:
    if latest is None:
        return f"{name} was never run"
    if latest.result.state == ProbeState.ERROR:
        return f"{name} could not be tried"
    if not latest.is_signed:
        return f"the signature of {name} does not hold"
    return "" if latest.is_fresh(now) else f"the last result of {name} is too old"


def count_states(of: Standing, framework: str = "") -> dict[str, int]:
    """State -> how many controls, of one framework or of all."""
    return counted(one for one in of.controls.values() if framework in ("", one.control.framework))


def counted(rows: Iterable[ControlStanding]) -> dict[str, int]:
    """State -> how many of ``rows``; every state is there."""
    counts = {state.value: 0 for state in ControlState}
    for one in rows:
        counts[one.state.value] += 1
    return counts
