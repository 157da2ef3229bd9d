"""Trying out a directory: each step reported, nothing changed."""

import socket
import ssl
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

import ldap

from access.federation.ldap.backend import options_of, reason_of
from access.federation.ldap.directory import Directory, authority_file, require_reachable
from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.ldap.rules import NAME, GroupLookup, LdapRules
from access.federation.ports import Finding

_SEARCHES_GROUPS: Final = (GroupLookup.MEMBER, GroupLookup.NESTED, GroupLookup.IN_CHAIN)
_LDAPS_PORT: Final = 636
_DOWN: Final = (ldap.SERVER_DOWN, ldap.CONNECT_ERROR, ldap.TIMEOUT)


def probe(directory: Directory) -> Sequence[Finding]:
    """Whether each server answers, over TLS that holds, to the account that searches, and finds accounts and groups."""
    return [finding for server in directory.rules.servers for finding in _probe_server(directory, server)]


def finds_accounts(directory: Directory) -> bool:
    """Whether the first server that answers shows any account at all; raises DirectoryUnavailable when none does."""
    reason = ""
    for server in directory.rules.servers:
        try:
            require_reachable(server)
            with authority_file(directory.rules) as ca_file:
                connection = _connect(directory.rules, server, ca_file)
            connection.simple_bind_s(directory.rules.bind_dn, directory.password)
            return _finds(connection, directory.rules.user_base, _some_account(directory.rules))
        except ldap.LDAPError as failure:
            reason = reason_of(failure)
    raise DirectoryUnavailable(reason)


def _probe_server(directory: Directory, server: str) -> Iterator[Finding]:
    rules, where = directory.rules, urlsplit(server)
    with authority_file(rules) as ca_file:
        try:
            require_reachable(server)
            connection = _connect(rules, server, ca_file)
        except DirectoryUnavailable as outage:
            yield Finding(is_good=False, text=f"{where.netloc} cannot be used: {outage.reason}.")
            return
        except ldap.LDAPError as failure:
            yield Finding(is_good=False, text=f"{where.netloc} cannot be used: {_why(where, rules, ca_file, failure)}.")
            return
    yield Finding(is_good=True, text=f"{where.netloc} answers over TLS, and its certificate holds.")
    try:
        connection.simple_bind_s(rules.bind_dn, directory.password)
    except ldap.LDAPError as failure:
        yield Finding(is_good=False, text=f"{where.netloc} refuses the account that searches: {reason_of(failure)}.")
        return
    yield Finding(is_good=True, text=f"{where.netloc} knows the account that searches, and its password.")
    yield from _search(rules, where.netloc, connection)
    with suppress(ldap.LDAPError):
        connection.unbind_s()


def _connect(rules: LdapRules, server: str, ca_file: str) -> Any:
    """A connection whose TLS stands. Raises LDAPError."""
    connection = ldap.initialize(server)
    for option, value in options_of(rules, ca_file).items():
        connection.set_option(option, value)
    if server.startswith("ldap://"):
        connection.start_tls_s()
    try:
        connection.search_s("", ldap.SCOPE_BASE, attrlist=["1.1"])  # the root DSE; whether it is shown is all the same
    except _DOWN:
        raise
    except ldap.LDAPError:
        pass
    return connection


def _search(rules: LdapRules, where: str, connection: Any) -> Iterator[Finding]:
    searches = [("accounts", rules.user_base, _some_account(rules))]
    if rules.group_lookup in _SEARCHES_GROUPS:
        searches.append(("groups", rules.group_base, rules.group_filter))
    for what, base, pattern in searches:
        try:
            is_found = _finds(connection, base, pattern)
        except ldap.LDAPError as failure:
            yield Finding(is_good=False, text=f"{where} cannot be searched for {what}: {reason_of(failure)}.")
            continue
        text = f"{where} finds {what}." if is_found else f"{where} finds no {what} with this base and filter."
        yield Finding(is_good=is_found, text=text)


def _some_account(rules: LdapRules) -> str:
    return f"(&{rules.user_filter.replace(NAME, '*')}({rules.subject_attribute}=*))"


def _finds(connection: Any, base: str, pattern: str) -> bool:
    """Whether there is at least one. Raises LDAPError."""
    asked = connection.search_ext(base, ldap.SCOPE_SUBTREE, pattern, ["1.1"], sizelimit=1)
    try:
        entries = connection.result3(asked)[1]
    except ldap.SIZELIMIT_EXCEEDED:  # one was all that was asked for
        return True
    return any(dn is not None for dn, _ in entries)


def _why(where: SplitResult, rules: LdapRules, ca_file: str, failure: ldap.LDAPError) -> str:
    """Why there is no connection. The LDAP library hardly tells a bad certificate from a server that is down."""
    if where.scheme == "ldap":
        return f"StartTLS failed ({reason_of(failure)})"
    address = (str(where.hostname), where.port or _LDAPS_PORT)
    try:
        with socket.create_connection(address, timeout=rules.timeout_seconds) as plain:
            ssl.create_default_context(cafile=ca_file).wrap_socket(plain, server_hostname=where.hostname).close()
    except ssl.SSLCertVerificationError as mismatch:
        return mismatch.verify_message.rstrip(".")
    except (OSError, ValueError):
        pass
    return reason_of(failure)
