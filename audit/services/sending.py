"""Who may have events sent out of the vault: nobody has more sent to them than they may read here."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from access.policy.question import ask
from access.services.authorize import authorize, decide
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

_READ: Final = "audit.read"
_AUDIT: Final = ResourceRef("audit")
_NO_FACTS: Final[Mapping[str, Any]] = MappingProxyType({})


def authorize_sending(
    principal: Principal, action: str, resource: ResourceRef, *, facts: Mapping[str, Any] = _NO_FACTS
) -> None:
    """Decide on ``action``, by which events come to be sent out: it takes the right to read the audit as well.

    One decision is recorded: that the audit may not be read, or that on ``action``. Raises as ``authorize``.
    """
    if not may_read_events(principal):
        authorize(principal, _READ, _AUDIT, facts={**facts, "wanted": action})
    authorize(principal, action, resource, facts=facts)


def may_read_events(principal: Principal) -> bool:
    """Whether the principal may see what events say; for what quotes them beside a decision of its own."""
    _, _, refusal = decide(principal, ask(principal, _READ, _AUDIT, current_scope().purpose))
    return refusal is None
