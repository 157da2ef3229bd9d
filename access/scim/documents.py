"""Bodies of requests: what a directory wants somebody or something to be."""

import unicodedata
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final, TypeVar
from uuid import UUID

from pydantic import ValidationError
from scim2_models import Context, Error, PatchOp, Resource, SCIMException

from access.scim.errors import (
    Immutable,
    InvalidFilter,
    InvalidPath,
    InvalidSyntax,
    InvalidValue,
    NoTarget,
    ScimError,
    TooMany,
)
from access.scim.resources import TOLERANT, Email, EnterpriseUser, Group, User

AnyResource = TypeVar("AnyResource", bound=Resource[Any])
#: What a resource shall become, from what it is.
Change = Callable[[AnyResource], AnyResource]

MOST_OPERATIONS: Final = 1000
_KEYWORDS: Final = {
    error.scim_type: error for error in (InvalidFilter, InvalidSyntax, InvalidPath, NoTarget, InvalidValue, Immutable)
}


@dataclass(frozen=True)
class EmailAddress:
    value: str
    type: str = ""
    is_primary: bool = False


@dataclass(frozen=True)
class Person:
    """A person in the directory's words. ``is_active`` is None where it does not say."""

    username: str
    external_id: str = ""
    display_name: str = ""
    formatted_name: str = ""
    given_name: str = ""
    family_name: str = ""
    department: str = ""
    is_active: bool | None = None
    emails: tuple[EmailAddress, ...] = ()

    @property
    def full_name(self) -> str:
        """The name the vault shows."""
        return self.display_name or self.formatted_name or f"{self.given_name} {self.family_name}".strip()

    @property
    def email(self) -> str:
        """The address the vault writes to: the primary one, else the first."""
        return next((one.value for one in self.emails if one.is_primary), self.emails[0].value if self.emails else "")


def read_resource(model: type[AnyResource], body: Any) -> AnyResource:
    """The resource of a POST or PUT; what only the server says is left out. Raises InvalidSyntax, InvalidValue."""
    _refuse_nul(body)
    try:
        return model.model_validate(body, scim_ctx=Context.RESOURCE_REPLACEMENT_REQUEST, scim_policy=TOLERANT)
    except ValidationError as invalid:
        raise _refusal(invalid) from None


def replacement(model: type[AnyResource], body: Any) -> Change[AnyResource]:
    """PUT. Raises InvalidSyntax, InvalidValue; the change raises Immutable."""
    wanted = read_resource(model, body)

    def replace(present: AnyResource) -> AnyResource:
        try:
            wanted.replace(present)
        except SCIMException as invalid:
            raise _refusal(invalid) from None
        return wanted

    return replace


def patch(model: type[AnyResource], body: Any) -> Change[AnyResource]:
    """PATCH: all operations or none. Raises a ScimError; so does the change."""
    _refuse_nul(body)
    operations = body.get("Operations") if isinstance(body, dict) else None
    if isinstance(operations, list) and len(operations) > MOST_OPERATIONS:
        raise TooMany(f"At most {MOST_OPERATIONS} operations")
    try:
        operation = PatchOp[model].model_validate(  # type: ignore[valid-type]  # a class is its own parameter
            body, scim_ctx=Context.RESOURCE_PATCH_REQUEST, scim_policy=TOLERANT
        )
    except (ValidationError, SCIMException) as invalid:
        raise _refusal(invalid) from None

    def apply(present: AnyResource) -> AnyResource:
        try:
            operation.patch(present, scim_policy=TOLERANT)
        except (ValidationError, SCIMException) as invalid:
            raise _refusal(invalid) from None
        return present

    return apply


def person_of(resource: User) -> Person:
    """What a resource says of somebody. Raises InvalidValue for a text that no column holds."""
    name, extension = resource.name, resource[EnterpriseUser]
    return Person(
        username=_text("userName", resource.user_name, longest=150),
        external_id=_text("externalId", resource.external_id, longest=255),
        display_name=_text("displayName", resource.display_name),
        formatted_name=_text("name.formatted", name.formatted if name else None),
        given_name=_text("name.givenName", name.given_name if name else None),
        family_name=_text("name.familyName", name.family_name if name else None),
        department=_text("department", extension.department if extension else None, longest=63),
        is_active=resource.active,
        emails=_addresses(resource.emails or ()),
    )


def _addresses(emails: Iterable[Email]) -> tuple[EmailAddress, ...]:
    """Each pair of address and type once (RFC 7643, section 2.4); it is primary if one of the equal ones is."""
    told: dict[tuple[str, str], bool] = {}
    for email in emails:
        pair = (
            _text("emails.value", email.value, longest=254, is_needed=True),
            _text("emails.type", email.type, longest=63),
        )
        told[pair] = told.get(pair, False) or bool(email.primary)
    return tuple(EmailAddress(value, kind, is_primary) for (value, kind), is_primary in told.items())


def members_of(resource: Group) -> frozenset[UUID]:
    """The ids of the people a group shall have. Raises InvalidValue."""
    try:
        return frozenset(UUID(member.value or "") for member in resource.members or ())
    except ValueError:
        raise InvalidValue("members: somebody who is not there") from None


def _text(name: str, value: str | None, *, longest: int = 200, is_needed: bool = False) -> str:
    text = unicodedata.normalize("NFC", str(value or ""))
    if len(text) > longest or not text.isprintable() or (is_needed and not text):
        raise InvalidValue(f"{name}: at most {longest} printable characters")
    return text


def _refuse_nul(body: Any) -> None:
    """No text of the database holds one. Without recursion: the body is somebody else's."""
    waiting = [body]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str) and "\0" in value:
            raise InvalidValue("A text holds a NUL")
        if isinstance(value, dict):
            waiting += [*value, *value.values()]
        elif isinstance(value, list):
            waiting += value


def _refusal(invalid: ValidationError | SCIMException) -> ScimError:
    """The same in our own words: the library's quote what was sent."""
    if isinstance(invalid, SCIMException):
        return _KEYWORDS.get(invalid.scim_type, InvalidValue)(getattr(invalid, "attribute", None) or "")
    first = Error.from_validation_errors(invalid)[0]
    place = ".".join(map(str, invalid.errors(include_input=False)[0]["loc"]))
    return _KEYWORDS.get(first.scim_type or "", InvalidValue)(place[:100])
