"""What can be filtered and sorted by: the whitelist that every filter compiles through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum, auto
from types import MappingProxyType
from typing import Any, Final

from django.db.models import OuterRef, QuerySet

from access.models import DirectoryEmail, GroupMembership
from access.models.directory_group import SOURCE
from access.scim.resources import EnterpriseUser, Group, User


class Kind(Enum):
    """How values compare: texts whatever their case, unless exact; ids and booleans for equality alone.

    FOLDED is a TEXT whose column holds it as it is compared, so that an index finds it.
    """

    TEXT = auto()
    FOLDED = auto()
    EXACT = auto()
    ID = auto()
    BOOLEAN = auto()
    TIME = auto()
    CONSTANT = auto()


@dataclass(frozen=True)
class Attribute:
    """``path`` is where the value is, from the row that is asked for; the value itself of a CONSTANT."""

    kind: Kind
    path: str


@dataclass(frozen=True)
class Collection:
    """A multi-valued attribute: ``rows`` holds its values, those of one resource by ``owner`` = ``outer``."""

    rows: QuerySet[Any]
    owner: str
    outer: str
    members: Mapping[str, Attribute]
    #: The member compared where a filter names none.
    default: str = "value"

    def of_outer(self) -> QuerySet[Any]:
        """The values of the resource that a query around this one is at."""
        return self.rows.filter(**{self.owner: OuterRef(self.outer)})


@dataclass(frozen=True)
class Attributes:
    """Those of one resource type; names in lower case, as names of attributes are compared."""

    schema: str
    plain: Mapping[str, Attribute]
    collections: Mapping[str, Collection]
    #: By schema, in lower case.
    extensions: Mapping[str, Mapping[str, Attribute]] = field(default_factory=dict)
    #: Where sorting by a collection looks: the value of its first or primary entry.
    sorted_as: Mapping[str, Attribute] = field(default_factory=dict)


_META: Final = {
    "meta.created": Attribute(Kind.TIME, "created_at"),
    "meta.lastmodified": Attribute(Kind.TIME, "changed_at"),
}
USERS: Final = Attributes(
    schema=str(User.__schema__).lower(),
    plain=MappingProxyType(
        {
            **_META,
            "meta.resourcetype": Attribute(Kind.CONSTANT, "User"),
            "id": Attribute(Kind.ID, "user_id"),
            "externalid": Attribute(Kind.EXACT, "user__external_id"),
            "username": Attribute(Kind.FOLDED, "username_key"),
            "displayname": Attribute(Kind.TEXT, "display_name"),
            "name.formatted": Attribute(Kind.TEXT, "formatted_name"),
            "name.givenname": Attribute(Kind.TEXT, "given_name"),
            "name.familyname": Attribute(Kind.TEXT, "family_name"),
            "active": Attribute(Kind.BOOLEAN, "user__is_active"),
        }
    ),
    collections=MappingProxyType(
        {
            "emails": Collection(
                DirectoryEmail.objects.all(),
                "entry",
                "pk",
                {
                    "value": Attribute(Kind.TEXT, "value"),
                    "type": Attribute(Kind.TEXT, "type"),
                    "primary": Attribute(Kind.BOOLEAN, "is_primary"),
                },
            ),
            "groups": Collection(
                GroupMembership.objects.filter(source=SOURCE),
                "user",
                "user_id",
                {
                    "value": Attribute(Kind.ID, "group_id"),
                    "display": Attribute(Kind.TEXT, "group__display_name"),
                },
            ),
        }
    ),
    extensions=MappingProxyType(
        {str(EnterpriseUser.__schema__).lower(): {"department": Attribute(Kind.TEXT, "user__department")}}
    ),
    sorted_as=MappingProxyType({"emails": Attribute(Kind.TEXT, "user__email")}),
)
GROUPS: Final = Attributes(
    schema=str(Group.__schema__).lower(),
    plain=MappingProxyType(
        {
            **_META,
            "meta.resourcetype": Attribute(Kind.CONSTANT, "Group"),
            "id": Attribute(Kind.ID, "group_id"),
            "externalid": Attribute(Kind.EXACT, "group__external_id"),
            "displayname": Attribute(Kind.TEXT, "group__display_name"),
        }
    ),
    collections=MappingProxyType(
        {
            "members": Collection(
                GroupMembership.objects.filter(source=SOURCE),
                "group",
                "group_id",
                {
                    "value": Attribute(Kind.ID, "user_id"),
                    "display": Attribute(Kind.TEXT, "user__username"),
                },
            )
        }
    ),
)
