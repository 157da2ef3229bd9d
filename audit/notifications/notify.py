"""Tell people something: in the application and by e-mail, each as they want it."""

from collections.abc import Collection
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.models import User
from audit.models import Notification, NotificationSetting
from audit.notifications.kinds import KINDS
from audit.notifications.mail import is_mail_configured
from audit.notifications.people import reachable

#: Mails wait so long for what else there is to tell, except of something critical.
DIGEST: Final = timedelta(minutes=10)


def notify(
    user_ids: Collection[UUID], *, kind: str, cause: str, subject: str, url: str, is_critical: bool = False
) -> int:
    """Tell people, in the open tenant scope; returns how many were told.

    ``kind`` is one of KINDS (KeyError else); ``cause`` (at most 100 characters) names what happened, so that nobody is
    told of it twice. ``subject`` is a sentence without names or values of data, ``url`` the path of a page that shows
    the rest. Ids that are nobody's in this tenant, or of somebody disabled, are passed over.
    """
    usual = KINDS[kind].by_mail
    people = reachable(user_ids)
    ids = [person.pk for person in people]
    chosen = {row.user_id: row for row in NotificationSetting.objects.filter(kind=kind, user__in=ids)}
    known = Notification.objects.filter(cause=cause, kind=kind, user__in=ids)
    told = set(known.values_list("user_id", flat=True))
    rows = []
    for person in people:
        own = chosen.get(person.pk)
        in_app, by_mail = (own.in_app, own.by_mail) if own else (True, usual)
        if person.pk in told or not (in_app or by_mail):
            continue
        row = Notification(user=person, kind=kind, cause=cause, subject=subject, url=url, is_critical=is_critical)
        row.is_shown, row.mail_at = in_app, _mail_at(person, is_critical=is_critical) if by_mail else None
        rows.append(row)
    Notification.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _mail_at(person: User, *, is_critical: bool) -> datetime | None:
    if not person.email or not is_mail_configured():
        return None
    return timezone.now() if is_critical else timezone.now() + DIGEST
