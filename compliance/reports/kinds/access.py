"""Reports on who did what, and who could."""

from collections.abc import Iterator
from typing import Final

from compliance.reports.events import COLUMNS, PAGE_COLUMNS, event_rows
from compliance.reports.kind import Ask, Measure, ReportKind, Row
from vaultsite.kernel.events.event import EventType

REFUSED: Final = frozenset({"denied"})
ACCESSES: Final = (
    *(EventType.ACCESS_READ, EventType.ACCESS_WRITE, EventType.ACCESS_DELETE),
    *(EventType.ACCESS_DENIED, EventType.ACCESS_COMPLETED),
)
#: Signing in, and everything that gives or takes access.
CONTROLS: Final = (
    *(EventType.LOGIN_SUCCEEDED, EventType.LOGIN_FAILED, EventType.LOGOUT, EventType.FACTOR_SHOWN),
    *(EventType.FACTOR_CHANGED, EventType.SESSION_ENDED, EventType.CREDENTIAL_REFUSED, EventType.TOKEN_REUSED),
    *(EventType.TOKEN_REVOKED, EventType.ROLE_CHANGED, EventType.ROLE_GRANTED, EventType.ROLE_REVOKED),
    *(EventType.GROUP_CHANGED, EventType.DELEGATION_CHANGED, EventType.DEPROVISIONED, EventType.DIRECTORY_CHANGED),
    *(EventType.ACCESS_REQUESTED, EventType.ACCESS_GRANTED, EventType.ACCESS_REFUSED, EventType.ACCESS_REVOKED),
    *(EventType.ACCESS_DENIED, EventType.ACCESS_POLICY_CHANGED, EventType.POLICY_VIOLATED),
    *(EventType.EMERGENCY_REQUESTED, EventType.EMERGENCY_GRANTED, EventType.EMERGENCY_USED),
    *(EventType.REVIEW_STARTED, EventType.REVIEW_DECIDED, EventType.REVIEW_CLOSED),
)


def _accesses(ask: Ask) -> Iterator[Row]:
    return event_rows(ask, ACCESSES)


def _controls(ask: Ask) -> Iterator[Row]:
    return event_rows(ask, CONTROLS)


KINDS: Final = (
    ReportKind(
        code="access_summary",
        title="Access to data",
        about=(
            "Every decision on reading, writing and deleting data in the period: by whom, of what, and for "
            "which purpose."
        ),
        maps_to=("GDPR Art. 32", "SOC 2 CC7.2", "HIPAA 164.312(b)", "PCI DSS 10.2"),
        columns=COLUMNS,
        rows=_accesses,
        breakdowns=("event_type", "outcome", "actor", "dataset", "purpose"),
        measures=(Measure("Refused", "outcome", REFUSED, "status=denied"),),
        time="time",
        query="type=data.access.*",
        needs=("audit.read",),
        page_columns=PAGE_COLUMNS,
    ),
    ReportKind(
        code="soc2_access",
        title="Control of access",
        about="Sign-ins, second factors, roles, grants, reviews, emergencies and refusals in the period.",
        maps_to=("SOC 2 CC6.1", "SOC 2 CC6.2", "SOC 2 CC6.3", "SOC 2 CC6.6"),
        columns=COLUMNS,
        rows=_controls,
        breakdowns=("event_type", "outcome", "actor"),
        measures=(
            Measure("Sign-ins", "event_type", frozenset({EventType.LOGIN_SUCCEEDED}), "type=auth.login.succeeded"),
            Measure("Sign-ins refused", "event_type", frozenset({EventType.LOGIN_FAILED}), "type=auth.login.failed"),
            Measure("Roles given", "event_type", frozenset({EventType.ROLE_GRANTED}), "type=access.role.granted"),
            Measure("Roles taken away", "event_type", frozenset({EventType.ROLE_REVOKED}), "type=access.role.revoked"),
            Measure("Access refused", "event_type", frozenset({EventType.ACCESS_DENIED}), "type=data.access.denied"),
        ),
        time="time",
        needs=("audit.read",),
        page_columns=PAGE_COLUMNS,
    ),
)
