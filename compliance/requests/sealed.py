"""What a request says of its subject: sealed at rest, and recognized by an HMAC."""

import re
from dataclasses import asdict, dataclass
from typing import Final, Self

import orjson
from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from access.services.keyring import KeyPurpose, current_key, open_column, seal_column
from compliance.models import Correspondence, RequestMatch, SubjectRequest
from compliance.models.correction import Correction
from vaultsite.kernel.errors import FieldProblem, InvalidInput

MAX_NAME: Final = 200
MAX_CONTACT: Final = 254
MAX_IDENTIFIERS: Final = 20
MAX_TEXT: Final = 10_000
MAX_SUBJECT: Final = 200
_LABEL: Final = b"compliance/subject-key"
_REQUEST: Final = "subject-request"
_LETTER: Final = "subject-letter"
_MATCH: Final = "subject-match"
_CORRECTION: Final = "subject-correction"
#: Control characters; a line break in what becomes a header of a mail would begin another header.
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029]")


@dataclass(frozen=True)
class SubjectFacts:
    """Who asks: a name, an address to answer to, what they are known by (numbers of customers, user names), and what
    they wrote. ``explanation`` is why it was refused or takes longer, in the officer's words.
    """

    name: str
    contact: str
    identifiers: tuple[str, ...] = ()
    details: str = ""
    explanation: str = ""

    @property
    def mail_address(self) -> str:
        """The contact, where it is an e-mail address; else empty."""
        return self.contact if is_mail_address(self.contact) else ""

    @classmethod
    def of(cls, request: SubjectRequest) -> Self:
        """Opened, in an open scope. Raises KeyUnavailable, IntegrityFailure."""
        said = orjson.loads(open_column(_REQUEST, request.pk.bytes, bytes(request.facts)))
        return cls(**said | {"identifiers": tuple(said["identifiers"])})

    def seal_for(self, request: SubjectRequest) -> bytes:
        return seal_column(_REQUEST, request.pk.bytes, orjson.dumps(asdict(self)))

    def problems(self) -> list[FieldProblem]:
        """What is wrong with what somebody entered; names members, never values."""
        found = []
        if not 0 < len(self.name.strip()) <= MAX_NAME or _CONTROL.search(self.name):
            found.append(FieldProblem("/name", f"1 to {MAX_NAME} characters on one line"))
        if not 0 < len(self.contact.strip()) <= MAX_CONTACT or _CONTROL.search(self.contact):
            found.append(FieldProblem("/contact", f"1 to {MAX_CONTACT} characters on one line"))
        if len(self.identifiers) > MAX_IDENTIFIERS or not all(
            0 < len(one) <= MAX_CONTACT and not _CONTROL.search(one) for one in self.identifiers
        ):
            found.append(
                FieldProblem("/identifiers", f"at most {MAX_IDENTIFIERS}, each of 1 to {MAX_CONTACT} characters")
            )
        if len(self.details) > MAX_TEXT or "\0" in self.details:
            found.append(FieldProblem("/details", f"at most {MAX_TEXT} characters"))
        return found

    def require_valid(self) -> None:
        """Raises InvalidInput."""
        if problems := self.problems():
            raise InvalidInput(errors=problems)


@dataclass(frozen=True)
class Letter:
    """A message's subject line and text."""

    subject: str
    text: str

    @classmethod
    def of(cls, row: Correspondence) -> Self:
        return cls(**orjson.loads(open_column(_LETTER, row.pk.bytes, bytes(row.body))))

    def seal_for(self, row: Correspondence) -> bytes:
        return seal_column(_LETTER, row.pk.bytes, orjson.dumps(asdict(self)))

    def require_valid(self) -> None:
        """Raises InvalidInput."""
        problems = []
        if len(self.subject) > MAX_SUBJECT or _CONTROL.search(self.subject):
            problems.append(FieldProblem("/subject", f"at most {MAX_SUBJECT} characters on one line"))
        if not 0 < len(self.text.strip()) <= MAX_TEXT or "\0" in self.text:
            problems.append(FieldProblem("/text", f"1 to {MAX_TEXT} characters"))
        if problems:
            raise InvalidInput(errors=problems)


def is_mail_address(contact: str) -> bool:
    """Whether a mail can be sent there, and nothing else be smuggled into its headers."""
    try:
        validate_email(contact)
    except ValidationError:
        return False
    return not _CONTROL.search(contact)


def subject_key(contact: str) -> bytes:
    """By what another request of the same subject is recognized: an HMAC of the folded contact under the tenant's key.

    Raises KeyUnavailable.
    """
    folded = " ".join(contact.split()).casefold()
    return current_key(KeyPurpose.PSEUDONYM).key.derive(_LABEL).mac(folded.encode())


def seal_ids(match: RequestMatch, record_ids: list[str]) -> bytes:
    return seal_column(_MATCH, match.pk.bytes, orjson.dumps(record_ids))


def open_ids(match: RequestMatch) -> list[str]:
    """The ids, ascending, each once."""
    found: list[str] = orjson.loads(open_column(_MATCH, match.pk.bytes, bytes(match.record_ids)))
    return found


def seal_patches(correction: Correction, patches: list[dict[str, object]]) -> bytes:
    return seal_column(_CORRECTION, correction.pk.bytes, orjson.dumps(patches))


def open_patches(correction: Correction) -> list[dict[str, object]]:
    found: list[dict[str, object]] = orjson.loads(
        open_column(_CORRECTION, correction.pk.bytes, bytes(correction.patches))
    )
    return found
