"""The timeline of an incident: every act is a line that nobody rewrites, and an event of the audit."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from compliance.incidents.selectors import find_incident, open_incident_for
from compliance.models import Incident, IncidentEntry
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit, emit_as_vault
from vaultsite.kernel.events.event import Event, EventType, ResourceRef, Severity
from vaultsite.kernel.tenancy.principal import SYSTEM_PRINCIPAL_ID, Principal
from vaultsite.kernel.tenancy.scope import current_scope

MAX_TEXT: Final = 2000
#: Kinds of lines -> what people call them.
KINDS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "opened": "Opened",
        "changed": "Facts changed",
        "confirmed": "Confirmed",
        "dismissed": "Dismissed",
        "contained": "Contained",
        "closed": "Closed",
        "note": "Note",
        "scope.asked": "Scope asked for",
        "scope.found": "Scope computed",
        "scope.failed": "Scope could not be computed",
        "assessed": "Risk assessed",
        "task.made": "Task made",
        "task.done": "Task done",
        "notice.made": "Notice begun",
        "notice.saved": "Notice saved",
        "notice.sent": "Notice sent",
        "quarantined": "Versions put in quarantine",
        "revoked": "Access ended",
        "deadline": "A clock runs out",
    }
)
_EVENTS: Final[Mapping[str, EventType]] = MappingProxyType(
    {
        "opened": EventType.INCIDENT_OPENED,
        **dict.fromkeys(("confirmed", "dismissed", "contained", "closed"), EventType.INCIDENT_CHANGED),
        "notice.sent": EventType.INCIDENT_NOTIFIED,
        "deadline": EventType.INCIDENT_DUE,
    }
)
_NO_FACTS: Final[Mapping[str, Any]] = MappingProxyType({})


def record(
    incident: Incident, kind: str, *, text: str = "", facts: Mapping[str, Any] = _NO_FACTS, severity: Severity = "info"
) -> IncidentEntry:
    """Add a line of one of KINDS in the open scope, by whoever acts in it, and emit its event.

    ``text`` was scanned for personal data; ``facts`` are ids, codes, counts and times: the event carries them, and says
    nothing of the text.
    """
    by = current_scope().principal.id
    entry = IncidentEntry.objects.create(incident=incident, kind=kind, text=text, facts=dict(facts), by=by)
    event = Event(
        _EVENTS.get(kind, EventType.INCIDENT_RECORDED),
        "write" if kind == "opened" else "update",
        ResourceRef("incident", str(incident.pk)),
        severity=severity,
        metadata={"number": incident.number, "entry": kind, "state": incident.state, **facts},
    )
    (emit_as_vault if by == SYSTEM_PRINCIPAL_ID else emit)(event)
    entry.refresh_from_db(fields=["at"])
    return entry


def add_note(principal: Principal, *, incident_id: UUID, text: str) -> IncidentEntry:
    """Say something in the timeline. Raises AccessDenied, IncidentNotFound, IncidentAboutYourself, InvalidInput,
    PersonalDataInText.
    """
    incident = open_incident_for(principal, "incident.manage", incident_id)
    if not 0 < len(text.strip()) <= MAX_TEXT:
        raise InvalidInput(errors=[FieldProblem("text", f"1 to {MAX_TEXT} characters")])
    refuse_personal_data(text=text)
    return record(incident, "note", text=text.strip())


def list_entries(
    principal: Principal, *, incident_id: UUID, limit: int, after: UUID | None = None
) -> list[IncidentEntry]:
    """The lines of an incident, the newest first. Raises AccessDenied, IncidentNotFound."""
    return entries_of(find_incident(principal, incident_id), limit=limit, after=after)


def entries_of(incident: Incident, *, limit: int, after: UUID | None = None) -> list[IncidentEntry]:
    """The lines of an incident that was found for somebody, the newest first."""
    rows = IncidentEntry.objects.filter(incident=incident).order_by("-id")
    return list((rows if after is None else rows.filter(pk__lt=after))[:limit])
