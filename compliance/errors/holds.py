"""Errors of legal holds: VAULT_COMP_8020 to 8029."""

from vaultsite.kernel.errors import VaultError


class HoldNotFound(VaultError):
    """There is none of this id that the principal may see."""

    code, slug, status = "VAULT_COMP_8020", "legal-hold-not-found", 404
    title = "No such legal hold"
    outcome = "denied"


class HoldStateConflict(VaultError):
    """A hold is confirmed once, and released once somebody has asked for that."""

    code, slug, status = "VAULT_COMP_8021", "legal-hold-state", 409
    title = "The legal hold is not in a state for this"


class CustodianOfHold(VaultError):
    """Whom a hold is about neither asks for its end nor agrees to it."""

    code, slug, status = "VAULT_COMP_8022", "legal-hold-custodian", 403
    title = "The custodian has no say in the end of a legal hold"
    outcome = "denied"


class HoldNoticeNotFound(VaultError):
    """There is no notice of this id to this person, or of this hold."""

    code, slug, status = "VAULT_COMP_8023", "legal-hold-notice-not-found", 404
    title = "No such notice of a legal hold"
    outcome = "denied"


class HoldNoticeConflict(VaultError):
    """A person is told of a hold once, and has said once that they will keep what it names."""

    code, slug, status = "VAULT_COMP_8024", "legal-hold-notice-state", 409
    title = "The notice of the legal hold is not in a state for this"
