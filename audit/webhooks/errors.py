"""Errors of webhooks: VAULT_AUDIT_7060 to 7079."""

from vaultsite.kernel.errors import FieldProblem, VaultError


class WebhookNotFound(VaultError):
    code, slug, status = "VAULT_AUDIT_7060", "webhook-not-found", 404
    title = "There is no such webhook"
    outcome = "denied"


class DeliveryNotFound(VaultError):
    code, slug, status = "VAULT_AUDIT_7061", "webhook-delivery-not-found", 404
    title = "There is no such delivery"
    outcome = "denied"


class WebhookNameTaken(VaultError):
    code, slug, status = "VAULT_AUDIT_7062", "webhook-name-taken", 409
    title = "Another webhook has this name"


class WebhookAddressRefused(VaultError):
    """Webhooks go to public https addresses, and to the private ones that the installation allows."""

    code, slug, status = "VAULT_AUDIT_7063", "webhook-address-refused", 400
    title = "The vault may not call this address"

    def __init__(self, detail: str = "") -> None:
        super().__init__(detail, errors=[FieldProblem("/url", detail or "Not an address that the vault may call")])


class TooManyWebhooks(VaultError):
    """Every event is compared with every webhook of its tenant."""

    code, slug, status = "VAULT_AUDIT_7064", "too-many-webhooks", 409
    title = "There are as many webhooks as there may be"


class SecretRotatedAlready(VaultError):
    """Messages are signed with two secrets at most: the one before the last would stop working too soon."""

    code, slug, status = "VAULT_AUDIT_7065", "webhook-secret-rotated-already", 409
    title = "The secret before this one is still valid"
