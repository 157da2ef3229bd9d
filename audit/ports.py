"""What the audit needs from apps above: filled at start-up by the app that knows."""

from collections.abc import Callable
from datetime import date
from uuid import UUID

#: Given an organization and the first day of a month, why its events of that month stay beyond their retention (empty:
#: nothing keeps them); asked as the owner, in no scope.
AuditKeeper = Callable[[UUID, date], str]

_keeper: AuditKeeper | None = None


def register_audit_keeper(keeper: AuditKeeper) -> None:
    """Called once at start-up."""
    global _keeper  # noqa: PLW0603 - one port, filled once
    _keeper = keeper


def why_audit_kept(tenant_id: UUID, month: date) -> str:
    """Why events of a tenant stay beyond the vault's retention; empty: they go. Without who knows nothing goes."""
    if _keeper is None:
        msg = "no AuditKeeper is registered"
        raise RuntimeError(msg)
    return _keeper(tenant_id, month)
