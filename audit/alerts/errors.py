"""Errors of alerts: VAULT_AUDIT_7080 to 7089."""

from vaultsite.kernel.errors import VaultError


class AlertNotFound(VaultError):
    """There is none of this id that the principal may see."""

    code, slug, status = "VAULT_AUDIT_7080", "alert-not-found", 404
    title = "There is no such alert"
    outcome = "denied"


class AlertAboutYourself(VaultError):
    """Whom an alert is about settles it for nobody: not by a program of theirs either, nor for one."""

    code, slug, status = "VAULT_AUDIT_7082", "alert-about-yourself", 403
    title = "Somebody else has to look at this alert"
    outcome = "denied"


class AlertResolved(VaultError):
    """A resolved alert stays as it is; if its condition comes back, that is another one."""

    code, slug, status = "VAULT_AUDIT_7081", "alert-resolved", 409
    title = "The alert is resolved already"
