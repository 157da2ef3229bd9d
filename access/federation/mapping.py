"""What a provider says of somebody, in the words of the vault: their name and address, their roles and groups."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from access.federation.ports import Arrival
from access.models import Group, GroupMapping, IdentityProvider, Role

#: More groups of one person than this are not looked at.
MOST_GROUPS: Final = 1000
#: What of a person is taken from a provider's attributes.
DESCRIBED: Final = ("username", "email", "full_name", "groups")


@dataclass(frozen=True)
class Meaning:
    """What a person's groups at the provider give. ``unknown`` are those that nobody mapped; they give nothing."""

    roles: tuple[Role, ...]
    groups: tuple[Group, ...]
    unknown: tuple[str, ...]


def read_arrival(
    names: Mapping[str, str],
    attributes: Mapping[str, Any],
    *,
    issuer: str,
    subject: str,
    mfa: bool = False,
    authenticated_at: datetime | None = None,
    session_index: str = "",
) -> Arrival:
    """The arrival that ``attributes`` describe; ``names`` says which of them holds what, as a provider's do.

    A name may be an attribute or, dotted, one inside others (``realm_access.roles``). Values that are no text count as
    absent; of several, username, e-mail and full name take the first.
    """
    found = {field: texts(find_attribute(attributes, names.get(field, ""))) for field in DESCRIBED}
    return Arrival(
        issuer=issuer,
        subject=subject,
        username=_first(found["username"], 150),
        email=_first(found["email"], 254),
        full_name=_first(found["full_name"], 200),
        groups=found["groups"],
        mfa=mfa,
        authenticated_at=authenticated_at,
        session_index=session_index,
    )


def find_attribute(attributes: Mapping[str, Any], name: str) -> Any:
    """The attribute of exactly that name, else the one at that dotted path; None when there is neither."""
    if not name or name in attributes:
        return attributes.get(name)
    found: Any = attributes
    for part in name.split("."):
        found = found.get(part) if isinstance(found, Mapping) else None
    return found


def texts(value: Any) -> tuple[str, ...]:
    """The non-empty texts in a value: one, or a list of them, each once."""
    values: Iterable[Any] = value if isinstance(value, list | tuple) else [value]
    kept = [one.strip() for one in values if isinstance(one, str) and one.strip()]
    return tuple(dict.fromkeys(kept))[:MOST_GROUPS]


def meaning_of(provider: IdentityProvider, groups: Sequence[str]) -> Meaning:
    """What those groups of the provider give, by its table of mappings alone; names are compared byte by byte."""
    rows = GroupMapping.objects.filter(provider=provider, external_group__in=list(groups))
    found = list(rows.select_related("role", "group"))
    roles = {row.role.pk: row.role for row in found if row.role is not None}
    given = {row.group.pk: row.group for row in found if row.group is not None}
    known = {row.external_group for row in found}
    return Meaning(
        roles=tuple(sorted(roles.values(), key=lambda role: role.code)),
        groups=tuple(sorted(given.values(), key=lambda group: group.display_name)),
        unknown=tuple(group for group in groups if group not in known),
    )


def _first(found: Sequence[str], longest: int) -> str:
    """The first text, when it can be stored and shown."""
    text = found[0] if found else ""
    return text if len(text) <= longest and text.isprintable() else ""
