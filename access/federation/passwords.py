"""Names and passwords that a directory of the organization judges, in the place of the vault.

Who judges depends on whose the name is, never on what a judge said: a name of the vault's own users is for the vault
alone, the name of somebody who belongs to a directory for that directory alone, and an unknown name for every directory
in turn. No password of one is ever tried at the other.
"""

import secrets
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from access.federation.arrival import arrive, identity_of
from access.federation.errors import KindNotInstalled
from access.federation.kinds import federation
from access.federation.ldap.errors import DirectoryUnavailable
from access.federation.ports import Arrival, Connection, FederatedLogin, PasswordFederation
from access.federation.providers import connection_of
from access.models import ExternalIdentity, IdentityProvider, User
from access.models.identity_provider import ProviderKind


@dataclass(frozen=True)
class Judge:
    """A directory of the tenant. One that is not ``asked`` is looked at all the same, so that refusals take alike."""

    provider: IdentityProvider
    connection: Connection
    is_asked: bool


@dataclass(frozen=True)
class Verdict:
    """Whom a directory vouches for, if one does; ``is_complete`` unless one did not answer."""

    provider: IdentityProvider | None = None
    arrival: Arrival | None = None
    is_complete: bool = True


def find_judges(owner: User | None, username: str) -> list[Judge]:
    """The active directories of the scope's tenant; ``owner`` is the user of that name, disabled or not."""
    providers = list(IdentityProvider.objects.filter(kind=ProviderKind.LDAP, is_active=True).order_by("slug"))
    theirs = set(_directories_of(owner)) if owner is not None else {one.pk for one in providers}
    if owner is None and not _is_plain(username):
        theirs = set()
    return [Judge(one, connection_of(one), one.pk in theirs) for one in providers]


def is_judged_by_directory(user: User) -> bool:
    """Whether a directory judges the user's password; inside a scope."""
    return bool(_directories_of(user))


def ask(judges: Sequence[Judge], username: str, password: str) -> Verdict:
    """What the directories say, each looked at once until one vouches. Open no scope around it."""
    is_complete = True
    for judge in judges:
        given = (username, password) if judge.is_asked else (secrets.token_hex(8), secrets.token_hex(16))
        try:
            arrival = _kind(judge.provider).check_password(judge.connection, *given)
        except (DirectoryUnavailable, KindNotInstalled):
            is_complete = False
            continue
        if arrival is not None:
            return Verdict(judge.provider, arrival)
    return Verdict(is_complete=is_complete)


def admitted(verdict: Verdict) -> User | None:
    """The user for whom a directory vouches, ``vouched_by`` it, None without one or one without a role.

    Inside a scope that NoAccount leaves, so that nothing stays of whom it refuses.
    """
    if verdict.provider is None or verdict.arrival is None:
        return None
    user = arrive(verdict.provider, verdict.arrival)
    identity = identity_of(verdict.provider, verdict.arrival)
    if identity is None or not user.live_roles():
        return None
    user.vouched_by = FederatedLogin(verdict.provider.pk, identity.pk)
    return user


def vouches_again(user: User, password: str) -> bool:
    """Whether the user's own directory accepts the password once more, for the identity that is theirs.

    Inside a scope. Raises DirectoryUnavailable.
    """
    for identity in _identities_of([user]):
        connection = connection_of(identity.provider)
        arrival = _kind(identity.provider).prove_subject(connection, identity.subject, password)
        if arrival is not None and arrival.issuer == identity.issuer:
            return True
    return False


def _identities_of(users: Iterable[User]) -> list[ExternalIdentity]:
    theirs = ExternalIdentity.objects.filter(user__in=list(users)).select_related("provider")
    return list(theirs.filter(provider__kind=ProviderKind.LDAP, provider__is_active=True).order_by("provider__slug"))


def _directories_of(owner: User) -> list[object]:
    return [identity.provider_id for identity in _identities_of([owner])]


def _kind(provider: IdentityProvider) -> PasswordFederation:
    kind = federation(provider.kind)
    assert isinstance(kind, PasswordFederation)
    return kind


def _is_plain(username: str) -> bool:
    """Whether a name is spelled as attempts on it are counted.

    Directories fold case, widths and spaces (RFC 4518); a name in another spelling would be guessed at uncounted.
    """
    folded = " ".join(unicodedata.normalize("NFKC", username).split())
    return username == folded and username.isprintable()
