"""Errors of event subscriptions: VAULT_AUDIT_7050 to 7059."""

from vaultsite.kernel.errors import FieldProblem, VaultError


class InvalidFilter(VaultError):
    """``position`` counts characters from 0; nothing of the filter is repeated."""

    code, slug, status = "VAULT_AUDIT_7050", "invalid-event-filter", 400
    title = "The filter of events cannot be read"

    def __init__(self, detail: str, *, position: int = 0) -> None:
        problem = FieldProblem(field="/filter", detail=f"At character {position}: {detail}")
        super().__init__(detail, position=position, errors=[problem])


class UnknownSubscription(VaultError):
    """There is none of that id in the tenant."""

    code, slug, status = "VAULT_AUDIT_7051", "unknown-subscription", 404
    title = "There is no such event subscription"
    outcome = "denied"


class SubscriptionNameTaken(VaultError):
    code, slug, status = "VAULT_AUDIT_7052", "subscription-name-taken", 409
    title = "Another event subscription has this name"


class TooManySubscriptions(VaultError):
    """Every event is compared with every active subscription of its tenant."""

    code, slug, status = "VAULT_AUDIT_7053", "too-many-subscriptions", 409
    title = "There are as many event subscriptions as there may be"
