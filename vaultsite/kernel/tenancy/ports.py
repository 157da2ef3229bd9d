"""What the kernel's entries need from the app that knows people: filled by ``access`` at start-up."""

from abc import ABC, abstractmethod

from django.http import HttpRequest

from vaultsite.kernel.tenancy.principal import Principal


class PrincipalResolver(ABC):
    """Finds out who makes a request."""

    @abstractmethod
    def resolve(self, request: HttpRequest) -> Principal:
        """The principal proved by the request's credential (API key header, else session cookie).

        Opens and commits scopes of its own; none is open when it is called. Raises an AUTH error when there is no
        credential or it does not hold; such a refusal is already audited then.
        """


_resolver: PrincipalResolver | None = None


def register_resolver(resolver: PrincipalResolver) -> None:
    """Called once at start-up."""
    global _resolver  # noqa: PLW0603 - one port, filled once
    _resolver = resolver


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
