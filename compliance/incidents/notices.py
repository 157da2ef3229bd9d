"""Notices to the authority, to persons and to others: drafted, saved in versions, marked as sent, in phases."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.db.models import Max
from django.utils import timezone

from access.selectors import current_tenant
from access.services.keyring import open_column, seal_column
from compliance.errors.incidents import (
    BreachNoticeChanged,
    BreachNoticeIncomplete,
    BreachNoticeNotFound,
    BreachNoticeSent,
    WrongIncidentState,
)
from compliance.incidents.clocks import Audience
from compliance.incidents.compose import Known, compose, count_gaps
from compliance.incidents.scope_request import latest_result
from compliance.incidents.selectors import find_incident, open_incident_for
from compliance.incidents.standing import wind_clocks
from compliance.incidents.timeline import KINDS, record
from compliance.models import BreachNotice, BreachNoticeText, Incident, IncidentEntry, IncidentState
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

MAX_BODY: Final = 50_000
MAX_REFERENCE: Final = 500
_COLUMN: Final = "breach-notice"
#: Lines of the timeline that say what was done against the breach.
_MEASURES: Final = ("quarantined", "revoked", "contained")


@dataclass(frozen=True)
class NoticeText:
    """One version of a notice, opened."""

    number: int
    body: str
    by: UUID
    at: datetime

    @property
    def gaps(self) -> int:
        return count_gaps(self.body)


def begin_notice(principal: Principal, *, incident_id: UUID, audience: str) -> BreachNotice:
    """A notice filled with what is known; after one was sent, the next phase. An unsent one is taken up again.

    Raises AccessDenied, IncidentNotFound, IncidentAboutYourself, WrongIncidentState, InvalidInput.
    """
    incident = _drafting(principal, incident_id)
    if audience not in set(Audience):
        raise InvalidInput(errors=[FieldProblem("audience", f"one of {', '.join(Audience)}")])
    rows = BreachNotice.objects.filter(incident=incident, audience=audience)
    if (unsent := rows.filter(sent_at=None).first()) is not None:
        return unsent
    phase = (rows.aggregate(last=Max("phase"))["last"] or 0) + 1
    notice = BreachNotice.objects.create(incident=incident, audience=audience, phase=phase)
    notice.refresh_from_db()
    _save(notice, 1, compose(Audience(audience), _known(incident, phase)), principal.id)
    record(incident, "notice.made", facts={"notice": str(notice.pk), "audience": audience, "phase": phase})
    return notice


def save_notice(principal: Principal, *, incident_id: UUID, notice_id: UUID, body: str, follows: int) -> NoticeText:
    """Save a version of the text; ``follows`` is the number of the one it was made of.

    Raises AccessDenied, IncidentNotFound, IncidentAboutYourself, WrongIncidentState, BreachNoticeNotFound,
    BreachNoticeSent, BreachNoticeChanged, InvalidInput.
    """
    incident, notice = _unsent(principal, incident_id, notice_id)
    if not 0 < len(body.strip()) <= MAX_BODY:
        raise InvalidInput(errors=[FieldProblem("body", f"1 to {MAX_BODY} characters")])
    newest = _newest(notice)
    if newest != follows:
        raise BreachNoticeChanged(newest=newest)
    text = _save(notice, newest + 1, body.replace("\r\n", "\n").strip() + "\n", principal.id)
    facts = {"notice": str(notice.pk), "audience": notice.audience, "phase": notice.phase, "version": text.number}
    record(incident, "notice.saved", facts=facts)
    return text


def mark_sent(
    principal: Principal, *, incident_id: UUID, notice_id: UUID, reference: str, sent_at: datetime | None = None
) -> BreachNotice:
    """Say that the newest text was sent, when (None: now) and by what that shows; it ends the clock of its audience.

    Raises AccessDenied, IncidentNotFound, IncidentAboutYourself, WrongIncidentState, BreachNoticeNotFound,
    BreachNoticeSent, BreachNoticeIncomplete, InvalidInput, PersonalDataInText.
    """
    incident, notice = _unsent(principal, incident_id, notice_id)
    moment = sent_at or timezone.now()
    if problems := _sending_problems(incident, moment, reference):
        raise InvalidInput(errors=problems)
    refuse_personal_data(reference=reference)
    newest = _newest(notice)
    if left := open_text(notice, newest).gaps:
        raise BreachNoticeIncomplete(left=left)
    BreachNotice.objects.filter(pk=notice.pk).update(
        sent_at=moment, sent_by=principal.id, sent_version=newest, reference=reference.strip()
    )
    notice.refresh_from_db()
    facts = {"notice": str(notice.pk), "audience": notice.audience, "phase": notice.phase, "version": newest}
    record(incident, "notice.sent", text=reference.strip(), facts={**facts, "sent_at": moment.isoformat()})
    wind_clocks(incident)
    return notice


def _sending_problems(incident: Incident, moment: datetime, reference: str) -> list[FieldProblem]:
    problems = []
    if not 0 < len(reference.strip()) <= MAX_REFERENCE:
        problems.append(FieldProblem("reference", f"1 to {MAX_REFERENCE} characters"))
    if moment > timezone.now() or moment < incident.discovered_at:
        problems.append(FieldProblem("sent_at", "after the discovery, and not in the future"))
    return problems


def list_notices(principal: Principal, *, incident_id: UUID) -> list[BreachNotice]:
    """All of an incident by audience and phase. Raises AccessDenied, IncidentNotFound."""
    return notices_of(find_incident(principal, incident_id))


def notices_of(incident: Incident) -> list[BreachNotice]:
    return list(BreachNotice.objects.filter(incident=incident).order_by("audience", "phase"))


def read_notice(
    principal: Principal, *, incident_id: UUID, notice_id: UUID, version: int | None = None
) -> tuple[BreachNotice, NoticeText]:
    """A notice with one of its texts, the newest or what was sent unless a version is asked for.

    Raises AccessDenied, IncidentNotFound, BreachNoticeNotFound.
    """
    incident = find_incident(principal, incident_id)
    notice = BreachNotice.objects.filter(pk=notice_id, incident=incident).first()
    if notice is None:
        raise BreachNoticeNotFound
    return notice, open_text(notice, version or notice.sent_version or _newest(notice))


def open_text(notice: BreachNotice, number: int) -> NoticeText:
    """Raises BreachNoticeNotFound."""
    row = BreachNoticeText.objects.filter(notice=notice, number=number).first()
    if row is None:
        raise BreachNoticeNotFound
    return NoticeText(row.number, open_column(_COLUMN, row.pk.bytes, bytes(row.body)).decode(), row.by, row.at)


def _newest(notice: BreachNotice) -> int:
    return int(BreachNoticeText.objects.filter(notice=notice).aggregate(last=Max("number"))["last"] or 0)


def _save(notice: BreachNotice, number: int, body: str, by: UUID) -> NoticeText:
    key = uuid7()
    sealed = seal_column(_COLUMN, key.bytes, body.encode())
    row = BreachNoticeText.objects.create(id=key, notice=notice, number=number, body=sealed, by=by)
    row.refresh_from_db(fields=["at"])
    return NoticeText(number, body, by, row.at)


def _drafting(principal: Principal, incident_id: UUID) -> Incident:
    """Also of a closed one: phases, and the log of the year, come after the end."""
    incident = open_incident_for(principal, "incident.draft", incident_id)
    if incident.state == IncidentState.DISMISSED:
        raise WrongIncidentState(is_now=incident.state)
    return incident


def _unsent(principal: Principal, incident_id: UUID, notice_id: UUID) -> tuple[Incident, BreachNotice]:
    incident = _drafting(principal, incident_id)
    notice = BreachNotice.objects.select_for_update().filter(pk=notice_id, incident=incident).first()
    if notice is None:
        raise BreachNoticeNotFound
    if notice.sent_at is not None:
        raise BreachNoticeSent
    return incident, notice


def _known(incident: Incident, phase: int) -> Known:
    result = latest_result(incident)
    done = IncidentEntry.objects.filter(incident=incident, kind__in=_MEASURES).order_by("id")
    measures = [f"{KINDS[one.kind]} on {one.at:%Y-%m-%d %H:%M} UTC" for one in done]
    people, exports = result.get("people", {}), result.get("exports", [])
    return Known(
        number=incident.number,
        organization=current_tenant().name,
        laws=tuple(incident.laws),
        discovered_at=incident.discovered_at,
        aware_at=incident.aware_at,
        occurred_from=incident.occurred_from,
        occurred_until=incident.occurred_until,
        persons=incident.persons,
        identifiers=people.get("identifiers"),
        records=sum(one["records"] for one in result["accesses"]) if result else None,
        datasets=len({one["dataset"] for one in result.get("accesses", []) if one["dataset"]}),
        exports=len(exports),
        downloads=sum(one["downloads"] for one in exports),
        categories=result.get("categories", {}),
        special=tuple(result.get("special", ())),
        measures=tuple(measures),
        now=timezone.now(),
        phase=phase,
    )
