"""LDAP as one kind of identity provider: asked with the vault's own form, by a name and a password."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

from django.utils import timezone

from access.federation.ldap.backend import DirectoryAccount
from access.federation.ldap.directory import Directory
from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.ldap.forms import LdapForm
from access.federation.ldap.probe import finds_accounts, probe
from access.federation.ldap.rules import normal_dn, read_rules
from access.federation.mapping import read_arrival
from access.federation.ports import Arrival, Connection, CopiedValue, Finding, PasswordFederation
from access.federation.providers import connection_of
from access.models import IdentityProvider
from vaultsite.kernel.errors import FieldProblem, InvalidInput

#: An account is named by a number that the directory never gives twice; who gave it is the provider itself.
ISSUER: Final = "ldap"
_LONGEST_NAME: Final = 150


class Ldap(PasswordFederation):
    """``groups`` are DNs, in the spelling of :func:`~access.federation.ldap.rules.normal_dn`."""

    form = LdapForm
    attributes = MappingProxyType({"username": "uid", "email": "mail", "full_name": "cn"})
    secret_goes_to = ("servers", "ca_certificate", "bind_dn")
    sample = "A user name of the directory; it is looked up there, and needs no password"

    def copied_values(self, connection: Connection, base_url: str) -> Sequence[CopiedValue]:  # noqa: ARG002
        return ()

    def test(self, connection: Connection) -> Sequence[Finding]:
        return probe(directory_of(connection))

    def read_sample(self, provider: IdentityProvider, sample: str) -> Arrival:
        try:
            account = directory_of(connection_of(provider)).look_up(sample.strip()[:_LONGEST_NAME])
        except DirectoryUnavailable as outage:
            raise InvalidInput(errors=[FieldProblem("sample", f"It did not answer: {outage.reason}")]) from None
        if account is None:
            raise InvalidInput(errors=[FieldProblem("sample", "The directory knows nobody, or several, of this name")])
        if account.is_disabled:
            raise InvalidInput(errors=[FieldProblem("sample", "This account is disabled in the directory")])
        return _arrival(provider.attributes, account)

    def issuer(self, connection: Connection) -> str:  # noqa: ARG002 - as of every kind
        return ISSUER

    def external_group(self, name: str) -> str:
        try:
            return normal_dn(name)
        except ValueError:
            raise InvalidInput(errors=[FieldProblem("external_group", "The distinguished name of a group")]) from None

    def check_password(self, connection: Connection, username: str, password: str) -> Arrival | None:
        return _vouched(connection, directory_of(connection).authenticate(username, password))

    def prove_subject(self, connection: Connection, subject: str, password: str) -> Arrival | None:
        return _vouched(connection, directory_of(connection).prove(subject, password))

    def is_alive(self, connection: Connection, subject: str) -> bool:
        directory = directory_of(connection)
        account = directory.find(subject)
        if account is None and not finds_accounts(directory):  # a slip in base, filter or rights: nobody is gone
            raise DirectoryUnavailable("It shows no accounts")
        return account is not None and not account.is_disabled


def directory_of(connection: Connection) -> Directory:
    """The directory that a provider's settings describe."""
    described = tuple(dict.fromkeys(connection.attributes.values()))
    return Directory(connection.provider_id, read_rules(connection.settings), connection.secret, described)


def _vouched(connection: Connection, account: DirectoryAccount | None) -> Arrival | None:
    if account is None or account.is_disabled:
        return None
    return replace(_arrival(connection.attributes, account), authenticated_at=timezone.now())


def _arrival(names: Mapping[str, str], account: DirectoryAccount) -> Arrival:
    described: Mapping[str, Any] = account.attributes
    arrival = read_arrival(names, described, issuer=ISSUER, subject=account.subject)
    return replace(arrival, groups=account.groups)
