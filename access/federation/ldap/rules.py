"""How a directory is reached and read: what an administrator configures, checked before it is kept."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from enum import StrEnum
from typing import Any, Final
from urllib.parse import urlsplit

import ldap.dn
from cryptography import x509

from vaultsite.kernel.errors import FieldProblem, InvalidInput

#: Where the name that somebody types stands in the user filter. It is escaped (RFC 4515 section 3).
NAME: Final = "{username}"
MOST_SERVERS: Final = 5
_LONGEST: Final = 1000
_LONGEST_CERTIFICATE: Final = 64 * 1024


class GroupLookup(StrEnum):
    """How a user's groups are found."""

    NONE = "none"
    MEMBER = "member"  # groups that list the user
    NESTED = "nested"  # and the groups that list those, searched level by level
    MEMBER_OF = "member_of"  # the attribute memberOf of the user
    IN_CHAIN = "in_chain"  # Active Directory's matching rule: nested groups in one search ([MS-ADTS] 3.1.1.3.4.4)


@dataclass(frozen=True)
class LdapRules:
    """A directory, without the password of the account that searches it.

    ``servers`` are addresses of one directory, tried in order: ``ldaps://`` speaks TLS from the start, ``ldap://``
    begins with StartTLS; there is no way without. ``ca_certificate`` (PEM) is the authority they are checked against,
    the system's when empty. Bases are DNs, filters those of RFC 4515. Whoever ``disabled_filter`` matches is refused.
    ``subject_attribute`` is what names an account for good, whatever it is renamed to. ``timeout_seconds`` bounds
    each step: connecting, and every answer. Which attributes describe a person is the provider's own mapping.
    """

    servers: tuple[str, ...]
    bind_dn: str
    user_base: str
    user_filter: str = "(uid={username})"
    ca_certificate: str = ""
    disabled_filter: str = ""
    subject_attribute: str = "entryUUID"
    group_lookup: GroupLookup = GroupLookup.NONE
    group_base: str = ""
    group_filter: str = "(objectClass=groupOfNames)"
    member_attribute: str = "member"
    timeout_seconds: int = 5


def read_rules(settings: Mapping[str, Any]) -> LdapRules:
    """Rules as they are stored. Raises InvalidInput, with every field that does not fit."""
    known = {field.name for field in fields(LdapRules)}
    problems = [FieldProblem(name, "There is no such setting") for name in sorted(set(settings) - known)]
    given = {name: value for name, value in settings.items() if name in known}
    absent = [name for name in ("servers", "bind_dn", "user_base") if not given.get(name)]
    problems += [FieldProblem(name, "Required") for name in absent]
    problems += [found for name, value in given.items() if name not in absent and (found := _problem(name, value))]
    if not problems and _searches_groups(given) and not given.get("group_base"):
        problems.append(FieldProblem("group_base", "Required to search for groups"))
    if problems:
        raise InvalidInput(errors=problems)
    if "group_lookup" in given:
        given["group_lookup"] = GroupLookup(given["group_lookup"])
    return LdapRules(**given | {"servers": tuple(given["servers"])})


def normal_dn(dn: str) -> str:
    """One spelling of a DN: no optional space, lower case. Raises ValueError when it is none."""
    try:
        return str(ldap.dn.dn2str(ldap.dn.str2dn(dn))).lower()
    except ldap.LDAPError:
        raise ValueError(dn) from None


def _searches_groups(given: Mapping[str, Any]) -> bool:
    return given.get("group_lookup", GroupLookup.NONE) not in (GroupLookup.NONE, GroupLookup.MEMBER_OF)


def _problem(name: str, value: Any) -> FieldProblem | None:
    reason = _CHECKS[name](value)
    return FieldProblem(name, reason) if reason else None


def _servers(value: Any) -> str:
    if not isinstance(value, list | tuple) or not 0 < len(value) <= MOST_SERVERS:
        return f"One to {MOST_SERVERS} addresses"
    return next((reason for address in value if (reason := _server(address))), "")


def _server(address: Any) -> str:
    wanted = "An address is ldaps://host:port, or ldap://host:port for StartTLS, and nothing more"
    try:
        parts = urlsplit(address)
        is_whole = f"{parts.scheme}://{parts.netloc}" == str(address) and parts.port != 0
    except (ValueError, AttributeError, TypeError):
        return wanted
    is_plain = str(address).isascii() and str(address).isprintable() and " " not in str(address)
    if parts.scheme not in ("ldap", "ldaps") or not parts.hostname or "@" in parts.netloc:
        return wanted
    return "" if is_whole and is_plain else wanted


def _dn(value: Any) -> str:
    is_dn = isinstance(value, str) and len(value) <= _LONGEST and (not value or ldap.dn.is_dn(value))
    return "" if is_dn else "A distinguished name, like ou=people,dc=example,dc=org"


def _user_filter(value: Any) -> str:
    reason = _filter(value)
    if not reason and NAME not in value:
        return f"Must contain {NAME}, the name that is typed"
    return reason


def _filter(value: Any) -> str:
    wanted = "A filter in parentheses, like (uid=somebody)"
    if not isinstance(value, str) or len(value) > _LONGEST or not value.isprintable():
        return wanted
    depth = 0
    for place, sign in enumerate(value):
        depth += {"(": 1, ")": -1}.get(sign, 0)
        if depth < 1 and place < len(value) - 1:
            return wanted
    return wanted if depth else ""


def _attribute(value: Any) -> str:
    is_name = isinstance(value, str) and value.isascii() and value.replace("-", "").replace(";", "").isalnum()
    return "" if is_name and len(value) <= _LONGEST else "The name of an attribute"


def _certificate(value: Any) -> str:
    if value == "":
        return ""
    if not isinstance(value, str) or len(value) > _LONGEST_CERTIFICATE:
        return "One or more certificates in PEM"
    try:
        x509.load_pem_x509_certificates(value.encode())
    except ValueError:
        return "One or more certificates in PEM"
    return "A private key has no place here" if "PRIVATE KEY" in value else ""


def _lookup(value: Any) -> str:
    return "" if value in list(GroupLookup) else f"One of {', '.join(GroupLookup)}"


def _seconds(value: Any) -> str:
    is_fit = isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= 30  # noqa: PLR2004
    return "" if is_fit else "A whole number of seconds from 1 to 30"


_CHECKS: Final = {
    "servers": _servers,
    "bind_dn": _dn,
    "user_base": _dn,
    "user_filter": _user_filter,
    "ca_certificate": _certificate,
    "disabled_filter": lambda value: "" if value == "" else _filter(value),
    "subject_attribute": _attribute,
    "group_lookup": _lookup,
    "group_base": _dn,
    "group_filter": _filter,
    "member_attribute": _attribute,
    "timeout_seconds": _seconds,
}
