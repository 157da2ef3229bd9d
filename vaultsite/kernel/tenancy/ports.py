"""What the kernel's entries need from the app that knows people: filled by ``access`` at start-up."""

from abc import ABC, abstractmethod
from uuid import UUID

from django.http import HttpRequest

from vaultsite.kernel.tenancy.principal import Principal


class PrincipalResolver(ABC):
    """Finds out who makes a request."""

    @abstractmethod
    def resolve(self, request: HttpRequest) -> Principal:
        """The principal proved by the request's credential (API key header, else session cookie).

        Opens and commits scopes of its own when none is open, and then audits what it refuses. Inside a scope of
        :meth:`named_tenant` it reads there, and what it refuses has to be settled once that scope is left.
        Raises an AUTH error when there is no credential or it does not hold.
        """

    def named_tenant(self, request: HttpRequest) -> UUID | None:  # noqa: ARG002 - the port's signature
        """The tenant that a credential in the headers names, nothing looked up and nothing proved; None: unknown."""
        return None

    def settle(self, request: HttpRequest) -> None:  # noqa: B027 - most resolvers have nothing to settle
        """Audit what was refused inside a scope, which undid whatever was written there; outside any scope."""


_resolver: PrincipalResolver | None = None


def register_resolver(resolver: PrincipalResolver) -> None:
    """Called once at start-up."""
    global _resolver  # noqa: PLW0603 - one port, filled once
    _resolver = resolver


def named_tenant(request: HttpRequest) -> UUID | None:
    """The tenant in whose scope the request's credential can be judged and the request go on; None: unknown."""
    return _resolver.named_tenant(request) if _resolver is not None else None


def settle_refusal(request: HttpRequest) -> None:
    """After a request failed inside the scope its credential was judged in; may raise what is to be said instead."""
    if _resolver is not None:
        _resolver.settle(request)


def resolve_principal(request: HttpRequest) -> Principal:
    """The request's principal, found once per request."""
    found: Principal | None = getattr(request, "vault_principal", None)
    if found is None:
        if _resolver is None:
            msg = "no PrincipalResolver is registered"
            raise RuntimeError(msg)
        found = _resolver.resolve(request)
        request.vault_principal = found  # type: ignore[attr-defined]
    return found
