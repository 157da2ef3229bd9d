"""What the audit needs from apps above: filled at start-up by the app that knows."""

from collections.abc import Callable
from uuid import UUID

#: Given an organization, whether something keeps its events beyond their retention; asked as the owner, in no scope.
AuditKeeper = Callable[[UUID], bool]

_keeper: AuditKeeper | None = None


def register_audit_keeper(keeper: AuditKeeper) -> None:
    """Called once at start-up."""
    global _keeper  # noqa: PLW0603 - one port, filled once
    _keeper = keeper


def is_audit_kept(tenant_id: UUID) -> bool:
    """Whether events of an organization stay whatever their age. Nothing is dropped without who knows."""
    if _keeper is None:
        msg = "no AuditKeeper is registered"
        raise RuntimeError(msg)
    return _keeper(tenant_id)
