"""The resources of SCIM as the vault serves them: what it publishes of itself, and how it reads what it is sent."""

from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field
from scim2_models import (
    URN,
    AuthenticationScheme,
    Bulk,
    CaseExact,
    ChangePassword,
    ComplexAttribute,
    ETag,
    ExtensibleStringEnum,
    Extension,
    Filter,
    Mutability,
    Patch,
    Reference,
    Required,
    Resource,
    ResourceType,
    ScimPolicy,
    ScimProvider,
    ServiceProviderConfig,
    Sort,
    Uniqueness,
)

#: Resources in one answer at most, and where a request names no count.
MOST_RESULTS: Final = 200
USUAL_RESULTS: Final = 100


def _boolean(value: Any) -> Any:
    """Entra ID writes ``"False"`` where the schema says false."""
    return {"true": True, "false": False}.get(value.lower(), value) if isinstance(value, str) else value


Boolean = Annotated[bool | None, BeforeValidator(_boolean)]


class Name(ComplexAttribute):
    formatted: str | None = None
    """The full name, as the directory formats it."""
    family_name: str | None = None
    """The family name."""
    given_name: str | None = None
    """The given name."""


class Email(ComplexAttribute):
    class Type(ExtensibleStringEnum):
        work = "work"
        home = "home"
        other = "other"

    value: Annotated[str | None, Required.true] = None
    """The address."""
    type: Type | None = None
    """What the address is for."""
    primary: Boolean = None
    """Whether it is the one to write to."""


class GroupOfUser(ComplexAttribute):
    value: Annotated[str | None, Mutability.read_only, CaseExact.true] = None
    """The group's id."""
    ref: Annotated[Reference["Group"] | None, Mutability.read_only] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The group's address."""
    display: Annotated[str | None, Mutability.read_only] = None
    """The group's name."""


class User(Resource[Any]):
    """A person whom the directory provisions. Roles are no attribute: an administrator gives them to groups."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:User")

    user_name: Annotated[str | None, Uniqueness.server, Required.true] = None
    """The name the person has in the vault."""
    name: Name | None = None
    """The parts of the person's name."""
    display_name: str | None = None
    """The name shown to others."""
    active: Boolean = None
    """Whether the person may sign in. False ends every session and token at once."""
    emails: list[Email] | None = None
    """The person's addresses; the vault writes to the primary one."""
    groups: Annotated[list[GroupOfUser] | None, Mutability.read_only] = None
    """The directory's groups that the person is in."""


class EnterpriseUser(Extension):
    __schema__ = URN("urn:ietf:params:scim:schemas:extension:enterprise:2.0:User")

    department: str | None = None
    """The person's department, which access policies may ask for."""


class Member(ComplexAttribute):
    value: Annotated[str | None, Mutability.immutable, Required.true, CaseExact.true] = None
    """The person's id."""
    ref: Annotated[Reference["User"] | None, Mutability.immutable] = Field(
        None, serialization_alias="$ref", validation_alias="$ref"
    )
    """The person's address; told, never asked for."""


class Group(Resource[Any]):
    """A group of people. What its members may do is what an administrator gave the group here."""

    __schema__ = URN("urn:ietf:params:scim:schemas:core:2.0:Group")

    display_name: Annotated[str | None, Required.true, Uniqueness.server] = None
    """The group's name."""
    members: list[Member] | None = None
    """The people in it; groups in groups are not served."""


FullUser: Final[type[User]] = User[EnterpriseUser]  # type: ignore[misc]  # what extensions are to the library
#: What directories do beside the letter: attributes nobody asked for, ``remove`` with a value, a filter that makes an
#: entry. None of it can be read in two ways.
TOLERANT: Final = ScimPolicy(
    unknown=ScimPolicy.Unknown.ignore,
    remove_value_as_filter=ScimPolicy.RemoveValue.apply,
    unmatched_path_filter=ScimPolicy.UnmatchedPathFilter.create,
)
PROVIDER: Final = ScimProvider(
    models=[User, EnterpriseUser, Group],
    resource_types=[ResourceType.from_resource(FullUser), ResourceType.from_resource(Group)],
    config=ServiceProviderConfig(
        patch=Patch(supported=True),
        bulk=Bulk(supported=False, max_operations=0, max_payload_size=0),
        filter=Filter(supported=True, max_results=MOST_RESULTS),
        change_password=ChangePassword(supported=False),
        sort=Sort(supported=True),
        etag=ETag(supported=True),
        authentication_schemes=[
            AuthenticationScheme(
                type=AuthenticationScheme.Type.oauthbearertoken,
                name="Bearer token",
                description="An API key of a service account, or an access token that it was exchanged for",
                primary=True,
            )
        ],
    ),
    policy=TOLERANT,
)
