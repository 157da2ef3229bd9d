"""Notices of holds: who was told what to keep, and who has said that they will."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, QuerySet
from django.db.models.functions import Now

from access.errors import AccessDenied
from access.leases.errors import PersonRequired
from access.models import User
from access.services.authorize import authorize
from compliance.errors.holds import HoldNoticeConflict, HoldNoticeNotFound, HoldStateConflict
from compliance.holds.deciding import hold_to_decide
from compliance.holds.selectors import find_hold
from compliance.holds.telling import notice_event, tell_first
from compliance.holds.texts import NoticeText, checked_text, seal_note, seal_notice
from compliance.models import HoldNotice, LegalHold
from datasets.selectors import not_visible
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: People told of one hold.
MAX_PEOPLE: Final = 500


@dataclass(frozen=True)
class Answered:
    """How many people were told of a hold, and how many of them have said that they will keep what it names."""

    told: int
    acknowledged: int


def send_notice(principal: Principal, *, hold_id: UUID, person: UUID | None, text: NoticeText) -> HoldNotice:
    """Tell ``person``, or the custodian, of a hold in force.

    Raises HoldNotFound, AccessDenied, StepUpRequired, HoldStateConflict, HoldNoticeConflict, InvalidInput.
    """
    hold = hold_to_decide(principal, hold_id, action="hold.place")
    if hold.released_at is not None:
        raise HoldStateConflict
    return write_notice(principal, hold, hold.custodian if person is None else person, text)


def write_notice(principal: Principal, hold: LegalHold, person: UUID, text: NoticeText) -> HoldNotice:
    """As send_notice, for a hold that is locked and decided on. Raises HoldNoticeConflict, InvalidInput."""
    if not User.objects.filter(pk=person).exists():
        raise InvalidInput(errors=[FieldProblem("person", "no person of this organization")])
    known = HoldNotice.objects.filter(hold=hold)
    if known.filter(person=person).exists() or known.count() >= MAX_PEOPLE:
        raise HoldNoticeConflict
    notice = HoldNotice(hold=hold, person=person, sent_by=principal.id)
    notice.text = seal_notice(notice.pk, text)
    notice.reached = tell_first(notice)
    notice.save(force_insert=True)
    notice.refresh_from_db()
    emit(notice_event(EventType.HOLD_NOTICE_SENT, notice, reached=notice.reached))
    return notice


def acknowledge_notice(principal: Principal, *, notice_id: UUID) -> HoldNotice:
    """Say that one will keep what a hold names; said again it changes nothing. Nobody decides on it: it is one's own.

    Raises PersonRequired, AccessDenied, HoldNoticeNotFound, HoldStateConflict.
    """
    if principal.kind != "user":
        raise PersonRequired
    find_own_notice(principal, notice_id)
    notice = own_notices(principal).select_for_update(no_key=True, of=("self",)).get(pk=notice_id)
    if notice.acknowledged_at is not None:
        return notice
    if notice.hold.released_at is not None:
        raise HoldStateConflict
    HoldNotice.objects.filter(pk=notice.pk).update(acknowledged_at=Now())
    emit(notice_event(EventType.HOLD_NOTICE_ACKNOWLEDGED, notice, is_recorded=False), primary=True)
    return find_own_notice(principal, notice_id)


def record_acknowledgement(principal: Principal, *, hold_id: UUID, notice_id: UUID, note: str) -> HoldNotice:
    """Write down that the person said so elsewhere, for one who cannot sign in; ``note`` says how one knows, sealed.

    Raises HoldNotFound, AccessDenied, StepUpRequired, HoldNoticeNotFound, HoldNoticeConflict, HoldStateConflict,
    InvalidInput.
    """
    hold = hold_to_decide(principal, hold_id, action="hold.place")
    found = HoldNotice.objects.filter(hold=hold, pk=notice_id).select_for_update(no_key=True)
    notice = found.first()
    if notice is None:
        raise not_visible(HoldNoticeNotFound(), ResourceRef("legal_hold", str(hold_id)), "hold.place")
    if hold.released_at is not None:
        raise HoldStateConflict
    if notice.acknowledged_at is not None:
        raise HoldNoticeConflict
    sealed = seal_note(notice.pk, checked_text("note", note))
    HoldNotice.objects.filter(pk=notice.pk).update(acknowledged_at=Now(), recorded_by=principal.id, note=sealed)
    emit(notice_event(EventType.HOLD_NOTICE_ACKNOWLEDGED, notice, is_recorded=True))
    return HoldNotice.objects.get(pk=notice.pk)


def list_notices(principal: Principal, hold_id: UUID, *, limit: int, after: UUID | None = None) -> list[HoldNotice]:
    """At most ``limit`` notices of a hold, oldest first. Raises AccessDenied, HoldNotFound."""
    authorize(principal, "hold.read", ResourceRef("legal_hold", str(hold_id)))
    rows = HoldNotice.objects.filter(hold=find_hold(principal, hold_id)).order_by("id")
    return list((rows.filter(pk__gt=after) if after is not None else rows)[:limit])


def own_notices(principal: Principal) -> QuerySet[HoldNotice]:
    """What a person was told; of a program nothing, nor by a credential that is for some actions only: there is none
    for this.
    """
    if principal.kind != "user" or principal.scopes:
        return HoldNotice.objects.none()
    return HoldNotice.objects.filter(person=principal.id).select_related("hold")


def list_own_notices(principal: Principal, *, limit: int, after: UUID | None = None) -> list[HoldNotice]:
    """The newest first. Raises AccessDenied."""
    _refuse_narrowed(principal, "")
    rows = own_notices(principal).order_by("-id")
    return list((rows.filter(pk__lt=after) if after is not None else rows)[:limit])


def find_own_notice(principal: Principal, notice_id: UUID) -> HoldNotice:
    """Raises AccessDenied, HoldNoticeNotFound: a notice to somebody else is as one that never was."""
    _refuse_narrowed(principal, str(notice_id))
    found = own_notices(principal).filter(pk=notice_id).first()
    if found is None:
        raise _denied(HoldNoticeNotFound(), str(notice_id))
    return found


def _refuse_narrowed(principal: Principal, notice_id: str) -> None:
    """No scope of a credential names one's own notices, so one that has scopes opens none. Raises AccessDenied."""
    if principal.kind == "user" and principal.scopes:
        raise _denied(AccessDenied(), notice_id)


def _denied(error: VaultError, notice_id: str) -> VaultError:
    """The error again, recorded."""
    event = Event(EventType.ADMIN_READ, "read", ResourceRef("legal_hold_notice", notice_id))
    emit(event.ended_by(error), primary=True)
    return error


def answered_of(hold_ids: Collection[UUID]) -> dict[UUID, Answered]:
    """Of each hold, in one query that reads no text."""
    rows = HoldNotice.objects.filter(hold__in=hold_ids).order_by().values_list("hold")
    counts = rows.annotate(told=Count("pk"), acknowledged=Count("acknowledged_at"))
    return dict.fromkeys(hold_ids, Answered(0, 0)) | {
        pk: Answered(told, acknowledged) for pk, told, acknowledged in counts
    }
