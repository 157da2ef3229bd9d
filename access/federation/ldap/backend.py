"""django-auth-ldap over one server of one provider: all settings are that provider's, none the process's."""

import secrets
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import ldap
import ldap.filter
from django_auth_ldap.backend import LDAPBackend, ldap_error
from django_auth_ldap.config import (
    LDAPGroupType,
    LDAPSearch,
    LDAPSettings,
    MemberDNGroupType,
    NestedMemberDNGroupType,
)
from ldap.controls import SimplePagedResultsControl

from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.ldap.rules import NAME, GroupLookup, LdapRules, normal_dn

#: Entries a page, and in all; Active Directory gives at most 1,000 a page. More than that is refused, not cut.
PAGE: Final = 500
MOST_ENTRIES: Final = 1000
#: How far nested groups are followed when they are searched level by level.
MOST_LEVELS: Final = 10
#: Answers to a bind that mean this account, with this password, may not: locked, expired, without a password.
_REFUSALS: Final = (ldap.CONSTRAINT_VIOLATION, ldap.UNWILLING_TO_PERFORM, ldap.INAPPROPRIATE_AUTH)
_IN_CHAIN: Final = "1.2.840.113556.1.4.1941"
_MEMBER_OF: Final = "memberOf"
#: Active Directory's binary name of an account; see subject_filter.
_GUID: Final = "objectguid"


@dataclass(frozen=True)
class DirectoryAccount:
    """What a directory says of an account. ``subject`` names it for good; ``groups`` are DNs as normal_dn spells them.

    ``attributes`` are the texts of those asked for, by the names they were asked for with.
    """

    dn: str
    subject: str
    attributes: Mapping[str, list[str]]
    groups: tuple[str, ...]
    is_disabled: bool


class Found:
    """The account in the place of django-auth-ldap's user, which the library hangs its own state on."""

    ldap_user: Any

    def __init__(self, account: DirectoryAccount) -> None:
        self.account = account

    def save(self) -> None:
        """The library asks for it; an account is kept by nobody here."""


class ProviderSettings(LDAPSettings):  # type: ignore[misc]
    """The library's settings, read from nowhere but what is given."""

    def __init__(self, **given: Any) -> None:
        for name, value in (self.defaults | given).items():
            setattr(self, name, value)


class DirectoryBackend(LDAPBackend):  # type: ignore[misc]
    """Asks one server. ``authenticate`` and ``populate_user`` return :class:`Found`, or None for nobody.

    Both raise DirectoryUnavailable when the server does not answer as it must. Nothing is saved.
    """

    def __init__(self, rules: LdapRules, server: str, password: str, ca_file: str, *, search: LDAPSearch) -> None:
        self.rules = rules
        self.settings = ProviderSettings(
            SERVER_URI=server,
            START_TLS=server.startswith("ldap://"),
            CONNECTION_OPTIONS=options_of(rules, ca_file),
            BIND_DN=rules.bind_dn,
            BIND_PASSWORD=password,
            USER_SEARCH=search,
            USER_ATTRLIST=search.attrlist,
            GROUP_SEARCH=PagedSearch(rules.group_base, ldap.SCOPE_SUBTREE, rules.group_filter, ["1.1"]),
            GROUP_TYPE=_group_type(rules),
            ALWAYS_UPDATE_USER=False,
        )

    def authenticate_ldap_user(self, ldap_user: Any, password: str) -> Found | None:
        """A name that is not there costs a bind as well."""
        if ldap_user.dn is None:
            with suppress(ldap.LDAPError):
                nobody = f"cn={secrets.token_hex(16)},{self.rules.user_base}"
                ldap_user.connection.simple_bind_s(nobody, secrets.token_hex(16))
            return None
        found: Found | None = super().authenticate_ldap_user(ldap_user, password)
        return found

    def get_or_build_user(self, username: str, ldap_user: Any) -> tuple[Found, bool]:  # noqa: ARG002 - the library's
        """The library's hook, called once the password held or none was asked for."""
        return Found(_read(self.rules, ldap_user)), False


class PagedSearch(LDAPSearch):  # type: ignore[misc]
    """A search of at most MOST_ENTRIES entries, read in pages (RFC 2696)."""

    def execute(self, connection: Any, filterargs: Any = (), escape: bool = True) -> Any:
        return super().execute(_Pages(connection), filterargs, escape)


class _Pages:
    """A connection as LDAPSearch sees it."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection

    def search_s(self, base: str, scope: int, filterstr: str, attributes: Any) -> list[Any]:
        page = SimplePagedResultsControl(criticality=False, size=PAGE, cookie="")
        entries: list[Any] = []
        while True:
            asked = self._connection.search_ext(base, scope, filterstr, attributes, serverctrls=[page])
            _, found, _, controls = self._connection.result3(asked)
            entries += found
            if len(entries) > MOST_ENTRIES:
                raise ldap.SIZELIMIT_EXCEEDED
            page.cookie = next((one.cookie for one in controls if one.controlType == page.controlType), "")
            if not page.cookie:
                return entries


class MemberOfGroups(LDAPGroupType):  # type: ignore[misc]
    """Groups as the attribute memberOf of the account names them: no search."""

    def user_groups(self, ldap_user: Any, group_search: Any) -> Any:  # noqa: ARG002 - the library's signature
        return [(dn, {}) for dn in _texts(ldap_user.attrs, _MEMBER_OF)]


class NestedGroups(NestedMemberDNGroupType):  # type: ignore[misc]
    """Searched level by level, MOST_LEVELS deep; for one account."""

    levels = 0

    def find_groups_with_any_member(self, member_dn_set: Any, group_search: Any, connection: Any) -> Any:
        self.levels += 1
        if self.levels > MOST_LEVELS:
            raise ldap.SIZELIMIT_EXCEEDED
        return super().find_groups_with_any_member(member_dn_set, group_search, connection)


def user_search(rules: LdapRules, described: Sequence[str]) -> PagedSearch:
    """The account of the name that is typed, which the library escapes; ``described`` are attributes to read."""
    name = rules.user_filter.replace("%", "%%").replace(NAME, "%(user)s")
    return PagedSearch(rules.user_base, ldap.SCOPE_SUBTREE, name, _attributes(rules, described))


def subject_search(rules: LdapRules, described: Sequence[str], subject: str) -> PagedSearch:
    """The account that ``subject`` names, if the user filter would still find it under some name."""
    some_name = rules.user_filter.replace(NAME, "*")
    wanted = f"(&{subject_filter(rules, subject)}{some_name})".replace("%", "%%")
    return PagedSearch(rules.user_base, ldap.SCOPE_SUBTREE, wanted, _attributes(rules, described))


def subject_filter(rules: LdapRules, subject: str) -> str:
    """ObjectGUID is stored as 16 bytes in Microsoft's order and kept here as a UUID; others are text."""
    if rules.subject_attribute.lower() == _GUID:
        value = "".join(f"\\{byte:02x}" for byte in UUID(subject).bytes_le)
    else:
        value = ldap.filter.escape_filter_chars(subject)
    return f"({rules.subject_attribute}={value})"


def options_of(rules: LdapRules, ca_file: str) -> dict[int, Any]:
    """Of one connection, in the order they must be set: a new TLS context takes over what was set before it."""
    return {
        ldap.OPT_PROTOCOL_VERSION: 3,
        ldap.OPT_REFERRALS: 0,
        ldap.OPT_NETWORK_TIMEOUT: rules.timeout_seconds,
        ldap.OPT_TIMEOUT: rules.timeout_seconds,
        ldap.OPT_X_TLS_CACERTFILE: ca_file,
        ldap.OPT_X_TLS_REQUIRE_CERT: ldap.OPT_X_TLS_DEMAND,
        ldap.OPT_X_TLS_PROTOCOL_MIN: ldap.OPT_X_TLS_PROTOCOL_TLS1_2,
        ldap.OPT_X_TLS_NEWCTX: 0,
        ldap.OPT_CONNECT_ASYNC: 1,  # else libldap waits for ever, and busily, for the TLS handshake of a silent server
    }


def _group_type(rules: LdapRules) -> LDAPGroupType:
    match rules.group_lookup:
        case GroupLookup.NESTED:
            return NestedGroups(rules.member_attribute)
        case GroupLookup.IN_CHAIN:
            return MemberDNGroupType(f"{rules.member_attribute}:{_IN_CHAIN}:")
        case GroupLookup.MEMBER:
            return MemberDNGroupType(rules.member_attribute)
        case GroupLookup.MEMBER_OF:
            return MemberOfGroups()
        case GroupLookup.NONE:
            return LDAPGroupType()


def _attributes(rules: LdapRules, described: Sequence[str]) -> list[str]:
    groups = [_MEMBER_OF] if rules.group_lookup is GroupLookup.MEMBER_OF else []
    return [rules.subject_attribute, *described, *groups]


def _read(rules: LdapRules, ldap_user: Any) -> DirectoryAccount:
    attributes = ldap_user.attrs
    subject = _subject(rules, attributes)
    if not subject:
        raise DirectoryUnavailable(f"The account has no {rules.subject_attribute}")
    return DirectoryAccount(
        dn=ldap_user.dn,
        subject=subject,
        attributes={name: _texts(attributes, name) for name in ldap_user.settings.USER_SEARCH.attrlist},
        groups=tuple(sorted(map(normal_dn, ldap_user.group_dns))),
        is_disabled=_is_disabled(rules, ldap_user),
    )


def _is_disabled(rules: LdapRules, ldap_user: Any) -> bool:
    if not rules.disabled_filter:
        return False
    wanted = rules.disabled_filter.replace("%", "%%")
    return bool(LDAPSearch(ldap_user.dn, ldap.SCOPE_BASE, wanted, ["1.1"]).execute(ldap_user.connection))


def _subject(rules: LdapRules, attributes: Any) -> str:
    values = attributes.get(rules.subject_attribute, [])
    if len(values) != 1:
        return ""
    value = values[0]
    if rules.subject_attribute.lower() == _GUID:  # the library decodes what happens to be UTF-8
        raw = value.encode() if isinstance(value, str) else value
        return str(UUID(bytes_le=raw)) if len(raw) == 16 else ""  # noqa: PLR2004 - bytes of a UUID
    return value if isinstance(value, str) else ""


def _texts(attributes: Any, name: str) -> list[str]:
    return [value for value in attributes.get(name, []) if isinstance(value, str)]


def _explain(sender: Any, exception: ldap.LDAPError, context: str, **_: Any) -> None:  # noqa: ARG001 - a receiver's
    """The library swallows what went wrong; a refusal of the account stays one, all else is an outage."""
    if context == "authenticate" and isinstance(exception, _REFUSALS):
        return
    raise DirectoryUnavailable(reason_of(exception)) from exception


def reason_of(exception: ldap.LDAPError) -> str:
    """What the protocol says went wrong, without what the server says beyond: it may quote what it was sent."""
    told = exception.args[0] if exception.args else {}
    return str(told.get("desc", "")) if isinstance(told, dict) else type(exception).__name__


ldap_error.connect(_explain, sender=DirectoryBackend)
