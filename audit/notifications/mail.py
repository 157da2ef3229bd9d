"""Mails: what a person was told since the last one, as links; never what is behind them."""

import logging
import smtplib
from datetime import timedelta
from typing import Final
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db.models.functions import Now

from access.models import User
from audit.models import Notification
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.upkeep import add_up

#: A mail that failed is tried again after so long, twice as long each time.
RETRY: Final = timedelta(minutes=5)
MOST_ATTEMPTS: Final = 6
#: Lines of one mail; the page shows the rest.
LINES: Final = 20
_NOWHERE: Final = "django.core.mail.backends.dummy.EmailBackend"
logger = logging.getLogger("vault.notifications")


def is_mail_configured() -> bool:
    """Whether mails go anywhere."""
    return bool(settings.EMAIL_BACKEND != _NOWHERE)


def send_due(*, limit: int = 200) -> int:
    """Send what is due to at most ``limit`` people of all tenants; returns how many mails went out.

    Open no scope around it. A mail that cannot be sent is tried again; so is one whose sender died, which may come
    twice.
    """
    due = Notification.objects.using("system").filter(mail_at__lte=Now(), mailed_at=None)
    people = list(due.values_list("tenant_id", "user_id").distinct()[:limit])
    return add_up(_send_to, people)


def _send_to(tenant_id: UUID, user_id: UUID) -> bool:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        rows = _claim(user_id)
        address = User.objects.filter(pk=user_id, is_active=True).values_list("email", flat=True).first()
    if not rows or not address:
        return False
    try:
        _mail(address, rows).send()
    except (smtplib.SMTPException, OSError) as error:
        logger.warning("a mail could not be sent: %s", type(error).__name__)
        return False
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        Notification.objects.filter(pk__in=[row.pk for row in rows]).update(mailed_at=Now(), mail_at=None)
    return True


def _claim(user_id: UUID) -> list[Notification]:
    """Everything that waits for a mail to this person, if something of it is due, put off for the case of a failure."""
    waiting = Notification.objects.filter(user_id=user_id, mail_at__isnull=False, mailed_at=None)
    rows = list(waiting.select_for_update(skip_locked=True).order_by("-id"))
    if not waiting.filter(mail_at__lte=Now()).exists():
        return []
    for row in rows:
        row.mail_attempts += 1
        is_last = row.mail_attempts >= MOST_ATTEMPTS
        later = None if is_last else Now() + RETRY * 2 ** (row.mail_attempts - 1)
        Notification.objects.filter(pk=row.pk).update(mail_attempts=row.mail_attempts, mail_at=later)
    return rows


def _mail(address: str, rows: list[Notification]) -> EmailMessage:
    """Sentences of ours and links, the newest first."""
    lines = [f"{row.subject}\n{settings.PUBLIC_URL}{row.url}" for row in rows[:LINES]]
    if len(rows) > LINES:
        lines.append(f"and {len(rows) - LINES} more")
    lines.append(f"How you are told of what:\n{settings.PUBLIC_URL}/admin/oversight/notifications/#settings")
    subject = rows[0].subject if len(rows) == 1 else f"{len(rows)} notifications of your data vault"
    return EmailMessage(subject=subject, body="\n\n".join(lines) + "\n", to=[address])
