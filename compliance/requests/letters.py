"""What is written to the subject, by them, and about the case: sealed, in order, never changed."""

from typing import Final
from uuid import UUID

from django.utils import timezone

from audit.notifications.mail import is_mail_configured
from compliance.errors.requests import NoMailAddress
from compliance.models import Correspondence, SubjectRequest
from compliance.models.request import Channel, Direction
from compliance.requests.sealed import MAX_TEXT, Letter, SubjectFacts
from compliance.requests.selectors import get_locked
from compliance.requests.states import tell
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal

#: Messages of one request.
MAX_LETTERS: Final = 500


def add_letter(
    principal: Principal, *, request_id: UUID, direction: Direction, channel: Channel, letter: Letter
) -> Correspondence:
    """Enter a message or a note; one to the subject by e-mail is sent to them.

    Raises AccessDenied, SubjectRequestNotFound, InvalidInput, NoMailAddress.
    """
    request = get_locked(principal, request_id)
    letter.require_valid()
    if Correspondence.objects.filter(request=request).count() >= MAX_LETTERS:
        raise InvalidInput(errors=[FieldProblem("/", f"a request has at most {MAX_LETTERS} messages")])
    is_mail = direction == Direction.OUT and channel == Channel.EMAIL
    if is_mail:
        require_mail(request)
    return write_letter(request, direction=direction, channel=channel, letter=letter, by=principal.id, is_mail=is_mail)


def require_mail(request: SubjectRequest) -> None:
    """Raises NoMailAddress where nothing can be mailed to the subject."""
    if not is_mail_configured() or not SubjectFacts.of(request).mail_address:
        raise NoMailAddress


def can_mail(facts: SubjectFacts) -> bool:
    return is_mail_configured() and bool(facts.mail_address)


def write_letter(
    request: SubjectRequest,
    *,
    direction: Direction,
    channel: Channel,
    letter: Letter,
    by: UUID,
    is_mail: bool = False,
) -> Correspondence:
    """A row of the log, in the open scope; with ``is_mail`` it goes out by e-mail."""
    row = Correspondence(id=uuid7(), request=request, direction=direction, channel=channel, written_by=by)
    row.mail_at = timezone.now() if is_mail else None
    row.body = letter.seal_for(row)
    row.save(force_insert=True)
    row.refresh_from_db()
    tell(
        EventType.SUBJECT_REQUEST_CORRESPONDED,
        request,
        operation="write",
        message=str(row.pk),
        direction=str(direction),
        channel=str(channel),
    )
    return row


def require_text(field: str, text: str) -> None:
    """That it can go to the subject, with room for what the vault adds. Raises InvalidInput."""
    if not 0 < len(text.strip()) <= MAX_TEXT - 500 or "\0" in text:
        raise InvalidInput(errors=[FieldProblem(field, f"1 to {MAX_TEXT - 500} characters")])


def write_answer(principal: Principal, request: SubjectRequest, subject: str, text: str) -> None:
    """To the subject by e-mail where that can be; else into the log alone, for a letter."""
    is_mail = can_mail(SubjectFacts.of(request))
    write_letter(
        request,
        direction=Direction.OUT,
        channel=Channel.EMAIL if is_mail else Channel.LETTER,
        letter=Letter(subject, text),
        by=principal.id,
        is_mail=is_mail,
    )
