"""What every kind of identity provider is to the vault: how it is set up, tried out, and read."""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from django import forms

from access.models import IdentityProvider
from vaultsite.kernel.errors import FieldProblem, InvalidInput


@dataclass(frozen=True)
class Arrival:
    """Somebody for whom a provider vouches. ``issuer`` and ``subject`` are who that is; the rest only describes them.

    ``groups`` are the provider's own names. ``mfa`` tells that it saw a second factor, ``authenticated_at`` when the
    person proved who they are there (None: it does not say). ``session_index`` is its name for its own session.
    """

    issuer: str
    subject: str
    username: str = ""
    email: str = ""
    full_name: str = ""
    groups: tuple[str, ...] = ()
    mfa: bool = False
    authenticated_at: datetime | None = None
    session_index: str = ""


@dataclass(frozen=True)
class FederatedLogin:
    """What a session keeps of the arrival it began with. ``logout_hint`` is what the provider wants to see to end its
    own session with it: an ID token, a NameID; at most a few kilobytes, sealed with the session.
    """

    provider_id: UUID
    identity_id: UUID
    session_index: str = ""
    logout_hint: str = ""

    def as_json(self) -> dict[str, str]:
        return {
            "provider_id": str(self.provider_id),
            "identity_id": str(self.identity_id),
            "session_index": self.session_index,
            "logout_hint": self.logout_hint,
        }

    @classmethod
    def from_json(cls, kept: Mapping[str, str]) -> "FederatedLogin":
        named = {name: UUID(kept[name]) for name in ("provider_id", "identity_id")}
        return cls(**named, session_index=kept["session_index"], logout_hint=kept["logout_hint"])


@dataclass(frozen=True)
class Connection:
    """A provider as its kind needs it, read from its row: good outside of a scope, while its peers are asked."""

    provider_id: UUID
    tenant_id: UUID
    tenant_slug: str
    slug: str
    settings: Mapping[str, Any]
    secret: str = field(default="", repr=False)
    attributes: Mapping[str, str] = field(default_factory=dict)
    mfa_values: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Finding:
    """One thing a test of the connection found."""

    is_good: bool
    text: str


@dataclass(frozen=True)
class CopiedValue:
    """Something the provider's own set-up asks for."""

    label: str
    value: str


class Federation(ABC):
    """One kind. Methods that ask a peer run outside of every scope and take no longer than 10 s a call."""

    #: The settings of the kind as a form; its cleaned data, which must be JSON, is what is stored. A field named
    #: ``secret`` is not stored with them but sealed; left empty it stays as it is.
    form: ClassVar[type[forms.Form]]
    #: The attributes that hold a person's ``username``, ``email``, ``full_name`` and ``groups`` to begin with.
    attributes: ClassVar[Mapping[str, str]]
    #: What the provider calls a second factor unless somebody says so.
    mfa_values: ClassVar[tuple[str, ...]] = ()
    #: Settings that say to whom the secret is sent: who changes them must know it, or could have it sent to themselves.
    secret_goes_to: ClassVar[tuple[str, ...]] = ()
    #: What can be pasted into the dry run, in words; empty where nothing can.
    sample: ClassVar[str] = ""

    def clean(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """The settings as they are stored (``secret`` among them). Raises InvalidInput naming the fields."""
        form = self.form(dict(given))
        if form.is_valid():
            return form.cleaned_data
        problems = [FieldProblem(name, str(text)) for name, texts in form.errors.items() for text in texts]
        raise InvalidInput(errors=problems)

    @abstractmethod
    def sign_in_path(self, connection: Connection) -> str | None:
        """The path where a browser begins to sign in; None for a kind that is asked with the vault's own form."""

    def sign_out_url(
        self,
        connection: Connection,  # noqa: ARG002 - a port
        login: FederatedLogin,  # noqa: ARG002
        return_url: str,  # noqa: ARG002
    ) -> str | None:
        """Where the browser goes so that the provider ends its own session too, and comes back; None: nowhere.

        Raises VaultError when the provider does not answer.
        """
        return None

    def issuer(self, connection: Connection) -> str:
        """The issuer of most people's identities, offered where one is linked by hand; empty when nobody can tell."""
        return str(connection.settings.get("issuer", ""))

    def external_group(self, name: str) -> str:
        """The spelling in which arrivals name the group that an administrator typed. Raises InvalidInput."""
        return name

    @abstractmethod
    def copied_values(self, connection: Connection, base_url: str) -> Sequence[CopiedValue]:
        """What to enter at the provider. ``base_url`` is scheme and host of the vault."""

    @abstractmethod
    def test(self, connection: Connection) -> Sequence[Finding]:
        """Ask the provider whether it is what its settings say. Changes nothing, raises nothing for a bad answer."""

    @abstractmethod
    def read_sample(self, provider: IdentityProvider, sample: str) -> Arrival:
        """Who would arrive with what was pasted, unverified: for the dry run alone. Raises InvalidInput."""


class PasswordFederation(Federation):
    """A kind that is asked with the vault's own form. All raise DirectoryUnavailable when the peer does not answer."""

    def sign_in_path(self, connection: Connection) -> None:  # noqa: ARG002 - as of every kind
        return None

    @abstractmethod
    def check_password(self, connection: Connection, username: str, password: str) -> Arrival | None:
        """Whose name and password these are. None for a wrong password and for an unknown or disabled name alike,
        which take as long as each other.
        """

    @abstractmethod
    def prove_subject(self, connection: Connection, subject: str, password: str) -> Arrival | None:
        """The same for the account of that subject, whatever it is called now."""

    @abstractmethod
    def is_alive(self, connection: Connection, subject: str) -> bool:
        """Whether the account of that subject could still sign in."""
