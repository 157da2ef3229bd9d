"""A directory: several servers that know the same accounts, of which the first that answers is asked."""

import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from tempfile import NamedTemporaryFile
from typing import Final
from urllib.parse import urlsplit
from uuid import UUID

import ldap

from access.federation.errors import OutgoingAddressRefused, ProviderUnavailable
from access.federation.ldap.backend import (
    DirectoryAccount,
    DirectoryBackend,
    Found,
    PagedSearch,
    subject_search,
    user_search,
)
from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.ldap.rules import LdapRules
from access.federation.outgoing import reachable_addresses

#: How long a server that failed is left alone, in seconds.
REST: Final = 5.0
_PORTS: Final = {"ldap": 389, "ldaps": 636}
#: When servers failed, by provider and address, on the monotonic clock.
_failed_at: Final[dict[tuple[UUID, str], float]] = {}


@dataclass(frozen=True, repr=False)
class Directory:
    """The directory of a provider, with the password of the account that searches it. Open no scope around it.

    ``described`` are the attributes that are read of an account beside its name and groups.
    """

    provider_id: UUID
    rules: LdapRules
    password: str
    described: tuple[str, ...] = ()

    def authenticate(self, username: str, password: str) -> DirectoryAccount | None:
        """The account whose name and password these are, None otherwise; disabled ones are told as such.

        Raises DirectoryUnavailable.
        """
        if not password:  # RFC 4513 section 5.1.2: a bind without a password succeeds for any name
            return None
        return self._ask(
            user_search(self.rules, self.described), lambda backend: backend.authenticate(None, username, password)
        )

    def prove(self, subject: str, password: str) -> DirectoryAccount | None:
        """As authenticate, for the account that ``subject`` names, whatever it is called now."""
        if not password:
            return None
        search = subject_search(self.rules, self.described, subject)
        return self._ask(search, lambda backend: backend.authenticate(None, subject, password))

    def look_up(self, username: str) -> DirectoryAccount | None:
        """The account of that name, without its password. Raises DirectoryUnavailable."""
        return self._ask(user_search(self.rules, self.described), lambda backend: backend.populate_user(username))

    def find(self, subject: str) -> DirectoryAccount | None:
        """The account that ``subject`` names, whatever it is called now. Raises DirectoryUnavailable."""
        return self._ask(
            subject_search(self.rules, self.described, subject), lambda backend: backend.populate_user(subject)
        )

    def _ask(
        self, search: PagedSearch, question: Callable[[DirectoryBackend], Found | None]
    ) -> DirectoryAccount | None:
        failed = DirectoryUnavailable("Every server failed a moment ago")
        for server in self.rules.servers:
            key = (self.provider_id, server)
            if time.monotonic() - _failed_at.get(key, float("-inf")) < REST:
                continue
            try:
                account = self._ask_server(server, search, question)
            except DirectoryUnavailable as unavailable:
                _failed_at[key], failed = time.monotonic(), unavailable
            else:
                _failed_at.pop(key, None)
                return account
        raise failed

    def _ask_server(
        self, server: str, search: PagedSearch, question: Callable[[DirectoryBackend], Found | None]
    ) -> DirectoryAccount | None:
        require_reachable(server)
        with authority_file(self.rules) as ca_file:
            found = question(DirectoryBackend(self.rules, server, self.password, ca_file, search=search))
        if found is None:
            return None
        with suppress(ldap.LDAPError):
            found.ldap_user.connection.unbind_s()
        return found.account


@contextmanager
def authority_file(rules: LdapRules) -> Iterator[str]:
    """A file with the authorities that servers are checked against, until the block ends."""
    if not rules.ca_certificate:
        yield ssl.get_default_verify_paths().openssl_cafile
        return
    with NamedTemporaryFile("w", prefix="vault-ca-", suffix=".pem") as authority:
        authority.write(rules.ca_certificate)
        authority.flush()
        yield authority.name


def require_reachable(server: str) -> None:
    """Raise DirectoryUnavailable unless the installation lets the vault call every address of the server's host."""
    parts = urlsplit(server)
    try:
        reachable_addresses(str(parts.hostname), parts.port or _PORTS[parts.scheme])
    except (OutgoingAddressRefused, ProviderUnavailable) as refusal:
        raise DirectoryUnavailable(refusal.detail or refusal.title) from None
