"""E-mail to subjects: letters as they were written, links as they are made, each tried again when it fails."""

import logging
import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.conf import settings
from django.core.mail import EmailMessage
from django.db import DatabaseError
from django.db.models.functions import Now
from django.urls import reverse

from access.selectors import current_tenant
from compliance.models import Correspondence, SubjectLink
from compliance.models.link import LinkKind
from compliance.requests.links import LIFETIMES, make_token
from compliance.requests.sealed import Letter, SubjectFacts
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

#: A mail that failed is tried again after so long, twice as long each time.
RETRY: Final = timedelta(minutes=2)
MOST_ATTEMPTS: Final = 8
_BATCH: Final = 100
logger = logging.getLogger("vault.subject_requests")

_IDENTITY: Final = """Somebody asked {organization} for something about the data held of the person with this address.

If it was you, confirm it here within {hours} hours:
{address}

If it was not you, do nothing: without this nothing is looked for and nothing is sent.

Reference: {reference}
"""
_PACKAGE: Final = """The data you asked {organization} for can be downloaded here for {days} days:
{address}

The address is for you alone: whoever has it can open the file.

Reference: {reference}
"""


@dataclass(frozen=True)
class Mail:
    """What goes out, and the row it is of."""

    subject: str
    text: str
    to: str


Row = Correspondence | SubjectLink


def send_due() -> int:
    """Send what is due to subjects of all tenants; returns how many mails went out. Open no scope around it.

    A mail whose sender died may come twice; of two with a link only the later one's holds.
    """
    kinds: tuple[tuple[type[Row], Callable[..., Mail]], ...] = (
        (SubjectLink, _link_mail),
        (Correspondence, _letter_mail),
    )
    sent = 0
    for model, make in kinds:
        rows = model._default_manager.using("system").filter(mail_at__lte=Now())  # noqa: SLF001 - the public alias
        due = list(rows.order_by("mail_at").values_list("tenant_id", "pk")[:_BATCH])
        sent += sum(_send(model, make, tenant_id, pk) for tenant_id, pk in due)
    return sent


def _send(model: type[Row], make: Callable[..., Mail], tenant_id: UUID, pk: UUID) -> bool:
    """Whether it went out. One that cannot be made counts as tried, and stops none of the others."""
    try:
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            is_claimed = _claim(model, pk)
        mail = _made(model, make, tenant_id, pk) if is_claimed else None
    except (VaultError, DatabaseError) as error:
        reason = error.code if isinstance(error, VaultError) else type(error).__name__
        logger.warning("a mail to a subject could not be made: %s", reason)
        return False
    if mail is None or not mail.to:
        return False
    try:
        EmailMessage(subject=mail.subject, body=mail.text, to=[mail.to]).send()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        logger.warning("a mail to a subject could not be sent: %s", type(error).__name__)
        return False
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        model._default_manager.filter(pk=pk).update(mailed_at=Now(), mail_at=None)  # noqa: SLF001
    return True


def _claim(model: type[Row], pk: UUID) -> bool:
    """Whether it is still due; then it is put off for the case of a failure, whatever comes of it."""
    rows = model._default_manager.filter(pk=pk)  # noqa: SLF001
    row = rows.select_for_update(skip_locked=True, of=("self",)).filter(mail_at__lte=Now()).first()
    if row is None:
        return False
    row.mail_attempts += 1
    is_last = row.mail_attempts >= MOST_ATTEMPTS
    later = None if is_last else Now() + RETRY * 2 ** (row.mail_attempts - 1)
    rows.update(mail_attempts=row.mail_attempts, mail_at=later)
    return True


def _made(model: type[Row], make: Callable[..., Mail], tenant_id: UUID, pk: UUID) -> Mail | None:
    """The mail of a row that was claimed; None where it was taken back meanwhile."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        row = model._default_manager.select_for_update(of=("self",)).filter(pk=pk).first()  # noqa: SLF001
        if row is None or (row.mail_at is None and row.mail_attempts < MOST_ATTEMPTS):
            return None
        return make(row)


def _letter_mail(row: Correspondence) -> Mail:
    letter = Letter.of(row)
    subject = letter.subject or f"Your request {row.request.reference}"
    return Mail(subject, letter.text, SubjectFacts.of(row.request).mail_address)


def _link_mail(row: SubjectLink) -> Mail:
    request, organization = row.request, current_tenant()
    is_identity = row.kind == LinkKind.IDENTITY
    name = "subject_form_verify" if is_identity else "subject_form_package"
    query = urlencode({"token": make_token(row)})
    lifetime = LIFETIMES[LinkKind(row.kind)]
    text = (_IDENTITY if is_identity else _PACKAGE).format(
        organization=organization.name,
        address=f"{settings.PUBLIC_URL}{reverse(name, args=[organization.slug])}?{query}",
        hours=int(lifetime.total_seconds()) // 3600,
        days=lifetime.days,
        reference=request.reference,
    )
    subject = "Confirm your request" if is_identity else f"Your data: request {request.reference}"
    return Mail(subject, text, SubjectFacts.of(request).mail_address)
