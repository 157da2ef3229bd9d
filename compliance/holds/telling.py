"""Tell a person of a hold, again of it, and of its end: a notification and, as they want it, an e-mail with a link."""

from typing import Final
from uuid import UUID

from django.db.models.functions import Now
from django.urls import reverse

from audit.models import Notification
from audit.notifications.kinds import DECISION
from audit.notifications.notify import notify
from compliance.models import HoldNotice
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef

#: The most reminders of one notice; whoever manages the hold has long seen that nobody answers.
MOST_REMINDERS: Final = 52


def tell_first(notice: HoldNotice) -> bool:
    """Tell of the hold; returns whether the vault could."""
    return _tell(notice, "sent", "You are asked to keep data for a legal hold")


def tell_again(notice: HoldNotice) -> bool:
    """Remind of it, and count that; returns whether the vault could. One it cannot reach is tried again."""
    step, rows = notice.reminders + 1, HoldNotice.objects.filter(pk=notice.pk)
    if not _tell(notice, str(step), "A legal hold still waits for your acknowledgement"):
        rows.update(reached=False)
        return False
    rows.update(reminders=step, told_at=Now(), reached=True)
    emit(notice_event(EventType.HOLD_NOTICE_REMINDED, notice, reminders=step))
    return True


def tell_of_end(hold_id: UUID) -> int:
    """Tell everybody who was told of a hold that it is over; returns how many the vault could tell."""
    people = HoldNotice.objects.filter(hold=hold_id, ended_at=None).values_list("person", flat=True)
    cause = f"legal-hold-ended:{hold_id}"
    notify(
        set(people),
        kind=DECISION,
        cause=cause,
        subject="A legal hold that you were told of is over",
        url=reverse("admin:hold_notices"),
    )
    told = Notification.objects.filter(cause=cause, kind=DECISION).values("user")
    return HoldNotice.objects.filter(hold=hold_id, ended_at=None, person__in=told).update(ended_at=Now())


def notice_event(kind: EventType, notice: HoldNotice, **facts: object) -> Event:
    """What happened to a notice: of which hold and to whom, never what it says."""
    hold = notice.hold
    told = {"matter": hold.matter, "notice": str(notice.pk), "person": str(notice.person)}
    return Event(
        kind,
        operation="update",
        resource=ResourceRef("legal_hold", str(hold.pk)),
        severity="info",
        metadata=told | facts,
    )


def _tell(notice: HoldNotice, step: str, subject: str) -> bool:
    told = notify(
        {notice.person},
        kind=DECISION,
        cause=f"legal-hold-notice:{notice.pk}:{step}",
        subject=subject,
        url=reverse("admin:hold_notice", args=[notice.pk]),
        is_critical=step == "sent",
    )
    return bool(told)
