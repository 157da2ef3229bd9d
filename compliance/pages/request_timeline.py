"""What happened to a request, in order, and how its clock is shown."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from compliance.models import Correspondence, SubjectRequest
from compliance.models.request import Direction, RequestOutcome
from compliance.requests.corrections import corrections_of
from compliance.requests.sealed import Letter
from compliance.requests.selectors import days_left, letters_of
from compliance.requests.states import DONE, received_on


@dataclass(frozen=True)
class Clock:
    """``percent`` of the term is over; ``label`` says in words what the bar shows; ``level`` is one of four."""

    label: str
    percent: int
    level: str


def clock_shown(request: SubjectRequest) -> Clock:
    """The days left of a request."""
    left = days_left(request)
    if request.state in DONE:
        return Clock("answered" if request.answered_at else "closed", 100, "done")
    if left is None:
        return Clock("stands still: identity is waited for", 0, "done")
    whole = max(1, (request.due_on - received_on(request)).days)
    percent = min(100, max(0, round(100 * (whole - left) / whole)))
    if left < 0:
        return Clock(f"{-left} day{'s' if left < -1 else ''} late", 100, "late")
    if left == 0:
        return Clock("due today", 100, "late")
    return Clock(f"{left} day{'s' if left > 1 else ''} left", percent, "soon" if left <= 7 else "fine")  # noqa: PLR2004


@dataclass(frozen=True)
class Entry:
    """One thing that happened: ``text`` only for those who work on requests."""

    at: datetime
    title: str
    who: UUID | None = None
    text: str = ""
    note: str = ""


def timeline_of(request: SubjectRequest, *, with_text: bool) -> list[Entry]:
    """Oldest first."""
    entries = [Entry(request.received_at, f"Received by {request.get_channel_display()}", request.created_by)]
    if request.verified_at:
        entries.append(
            Entry(request.verified_at, f"Verified: {request.get_identity_method_display()}", request.verified_by)
        )
    if request.extended_at:
        entries.append(Entry(request.extended_at, f"Extended to {request.due_on:%Y-%m-%d}"))
    if request.answered_at:
        part = "Answered; refused in part" if request.outcome == RequestOutcome.PARTLY else "Refused"
        title = f"{part}: {request.get_refusal_ground_display()}" if request.refusal_ground else "Answered"
        entries.append(Entry(request.answered_at, title))
    if request.closed_at:
        entries.append(Entry(request.closed_at, "Closed"))
    found = [*entries, *_corrections(request), *_letters(request, with_text=with_text)]
    return sorted(found, key=lambda entry: entry.at)


def _corrections(request: SubjectRequest) -> list[Entry]:
    """What was proposed, and what became of it."""
    found = []
    for one in corrections_of(request):
        records = f"{one.patch_count} record{'' if one.patch_count == 1 else 's'} of {one.dataset.name}"
        found.append(Entry(one.proposed_at, f"Correction proposed: {records}", one.proposed_by))
        if one.applied_at:
            found.append(Entry(one.applied_at, f"Correction applied: {records}", one.applied_by))
    return found


def _letters(request: SubjectRequest, *, with_text: bool) -> list[Entry]:
    found = []
    for row in letters_of(request):
        letter = Letter.of(row) if with_text else Letter("", "")
        named = "Note" if row.direction == Direction.NOTE else f"{row.get_channel_display().capitalize()} "
        title = named if row.direction == Direction.NOTE else f"{named}{row.get_direction_display()}"
        text = f"{letter.subject}\n{letter.text}".strip()
        found.append(Entry(row.created_at, title, row.written_by, text, _note_of(row)))
    return found


def _note_of(row: Correspondence) -> str:
    """What is to know of a mail that has not gone out."""
    if row.mail_at:
        return "waits to be mailed"
    return "could not be mailed" if row.mail_attempts and row.mailed_at is None else ""
