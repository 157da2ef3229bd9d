"""Errors of retention: VAULT_COMP_8000 to 8019."""

from vaultsite.kernel.errors import VaultError


class RetentionPolicyNotFound(VaultError):
    """There is none of this id that the principal may see, or it has ended."""

    code, slug, status = "VAULT_COMP_8000", "retention-policy-not-found", 404
    title = "There is no such retention policy"
    outcome = "denied"


class RetentionRunNotFound(VaultError):
    code, slug, status = "VAULT_COMP_8001", "retention-run-not-found", 404
    title = "There is no such retention run"
    outcome = "denied"


class RetentionPolicyNameTaken(VaultError):
    code, slug, status = "VAULT_COMP_8002", "retention-policy-name-taken", 409
    title = "Another retention policy has this name"


class TooManyRetentionPolicies(VaultError):
    """Every dataset is judged by every policy in force: ``limit`` says how many there may be."""

    code, slug, status = "VAULT_COMP_8003", "too-many-retention-policies", 409
    title = "There are too many retention policies in force"


class RetentionStoreNotFound(VaultError):
    """There is no store of this name, or no term is set over it that could be ended."""

    code, slug, status = "VAULT_COMP_8005", "retention-store-not-found", 404
    title = "There is no such store, or no term over it"
    outcome = "denied"


class ClockNotSuspected(VaultError):
    code, slug, status = "VAULT_COMP_8004", "clock-not-suspected", 409
    title = "Nothing is wrong with the time: no run waits for somebody to confirm it"
