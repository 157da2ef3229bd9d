"""What people write about a hold, sealed: it names parties and people."""

from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

import orjson

from access.services.keyring import open_column, seal_column
from compliance.models import HoldNotice, HoldScope, LegalHold
from datasets.query import Filter, parse_filter
from vaultsite.kernel.errors import FieldProblem, InvalidInput

MAX_REASON: Final = 4000
_QUERY: Final = "legal-hold-query"
_NOTICE: Final = "legal-hold-notice"
_NOTE: Final = "legal-hold-note"


def checked_text(name: str, text: str) -> str:
    """``text`` without blanks around it. Raises InvalidInput naming ``name``."""
    stripped = text.strip()
    if not 0 < len(stripped) <= MAX_REASON or "\0" in stripped:
        raise InvalidInput(errors=[FieldProblem(name, f"1 to {MAX_REASON} characters")])
    return stripped


def seal_text(hold_id: UUID, field: Literal["reason", "release"], text: str) -> bytes:
    return seal_column(f"legal-hold-{field}", hold_id.bytes, text.encode())


def reason_of(hold: LegalHold) -> str:
    """Why it was placed, in an open scope."""
    return open_column("legal-hold-reason", hold.pk.bytes, bytes(hold.reason)).decode()


def release_reason_of(hold: LegalHold) -> str:
    """Why it may go; empty as long as nobody has asked."""
    if hold.release_reason is None:
        return ""
    return open_column("legal-hold-release", hold.pk.bytes, bytes(hold.release_reason)).decode()


def seal_query(scope_id: UUID, wanted: Filter) -> bytes:
    return seal_column(_QUERY, scope_id.bytes, orjson.dumps(wanted.as_json()))


def query_of(scope: HoldScope) -> Filter | None:
    """The filter of a scope; None where it has none."""
    if scope.query is None:
        return None
    return parse_filter(orjson.loads(open_column(_QUERY, scope.pk.bytes, bytes(scope.query))))


@dataclass(frozen=True)
class NoticeText:
    """What a person is told of a hold: what they are to keep, and whom they may ask."""

    keep: str
    contact: str


def checked_notice(keep: str, contact: str) -> NoticeText:
    """Raises InvalidInput."""
    return NoticeText(checked_text("keep", keep), checked_text("contact", contact))


def seal_notice(notice_id: UUID, text: NoticeText) -> bytes:
    return seal_column(_NOTICE, notice_id.bytes, orjson.dumps({"keep": text.keep, "contact": text.contact}))


def notice_text(notice: HoldNotice) -> NoticeText:
    """What it says, in an open scope."""
    return NoticeText(**orjson.loads(open_column(_NOTICE, notice.pk.bytes, bytes(notice.text))))


def seal_note(notice_id: UUID, text: str) -> bytes:
    return seal_column(_NOTE, notice_id.bytes, text.encode())


def note_of(notice: HoldNotice) -> str:
    """How whoever recorded it knows; empty where the person said it here."""
    return "" if notice.note is None else open_column(_NOTE, notice.pk.bytes, bytes(notice.note)).decode()
