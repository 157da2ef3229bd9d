"""What the forms of consent say, as the services take it."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from django.http import QueryDict

from compliance.consents.people import Identifier
from compliance.consents.purposes import Terms
from compliance.consents.record import Given
from compliance.models import WithdrawalEffect
from vaultsite.kernel.errors import FieldProblem, InvalidCursor, InvalidInput

#: How people say that they withdraw, as the records name it.
CHANNELS: Final = ("letter", "mail", "phone", "form", "in-person")
_TERMS: Final = (
    "description",
    "lawful_basis",
    "special_condition",
    "on_withdrawal",
    "subjects",
    "time_limit",
    "note",
)


def read_terms(given: QueryDict) -> Terms:
    """What is said of a purpose; what the service finds wrong it says itself."""
    said = {name: given.get(name, "").strip() for name in _TERMS}
    return Terms(**said, is_active=given.get("is_active") == "1")


def read_person(given: QueryDict) -> tuple[Identifier, ...]:
    """The identifiers of one person that a form named; empty fields are none."""
    pairs = zip(given.getlist("type"), given.getlist("value"), strict=False)
    return tuple(Identifier(kind.strip().upper(), value.strip()) for kind, value in pairs if value.strip())


def read_consent(given: QueryDict) -> Given:
    """A consent as a form says it; times are UTC. Raises InvalidInput naming the field."""
    given_at = read_time(given.get("given_at", ""), "given_at")
    if given_at is None:
        raise InvalidInput(errors=[FieldProblem("/given_at", "when it was given")])
    return Given(
        identifiers=read_person(given),
        given_at=given_at,
        expires_at=read_time(given.get("expires_at", ""), "expires_at"),
        source=given.get("source", "").strip(),
        evidence=given.get("evidence", "").strip(),
    )


def read_time(text: str, name: str) -> datetime | None:
    """A time as the browser's own field says it, in UTC; None where it is empty. Raises InvalidInput."""
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        detail = "a date and a time, such as 2026-05-04T10:00"
        raise InvalidInput(errors=[FieldProblem(f"/{name}", detail)]) from None
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment


def read_effect(given: QueryDict) -> WithdrawalEffect:
    """What a withdrawal leads to, which the form asks for. Raises InvalidInput."""
    try:
        return WithdrawalEffect(given.get("effect", ""))
    except ValueError:
        raise InvalidInput(errors=[FieldProblem("/effect", "restriction or erasure")]) from None


def read_id(text: str, name: str) -> UUID:
    """Raises InvalidInput."""
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(f"/{name}", "choose one")]) from None


def read_after(given: QueryDict) -> UUID | None:
    """Where a page of a list begins. Raises InvalidCursor."""
    try:
        return UUID(str(given["after"])) if given.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc
