"""What can go wrong between finding personal data and hiding it; every one of these means: release nothing."""

from vaultsite.kernel.errors import VaultError


class DetectionFailed(VaultError):
    """A detector could not finish. The record counts as unscanned, never as free of personal data."""

    code, slug, status = "VAULT_ANON_6001", "detection-failed", 503
    title = "The scan for personal data did not finish"
    retry_after = 5


class FindingMismatch(VaultError):
    """A finding points to a place the record does not have: these findings belong to other content."""

    code, slug, status = "VAULT_ANON_6002", "finding-mismatch", 500
    title = "The stored findings do not fit the record"


class UnknownOperator(VaultError):
    code, slug, status = "VAULT_ANON_6003", "unknown-operator", 400
    title = "No such anonymization operator"


class MalformedFindings(VaultError):
    code, slug, status = "VAULT_ANON_6004", "malformed-findings", 500
    title = "The stored findings cannot be read"


class OperatorKeyMissing(VaultError):
    """A keyed operator was asked for without a key; an unkeyed hash of personal data can be guessed back."""

    code, slug, status = "VAULT_ANON_6005", "operator-key-missing", 500
    title = "The operator needs a key"


class PersonalDataInName(VaultError):
    """Names, descriptions and reasons of policies, lists and tokens are shown in the clear, so they hold none."""

    code, slug, status = "VAULT_ANON_6006", "personal-data-in-name", 400
    title = "A name or description contains personal data"


class ObligationUnmet(VaultError):
    """What the decision obliges to is not known here, or cannot be done: nothing may be released."""

    code, slug, status = "VAULT_ANON_6007", "obligation-unmet", 403
    title = "An obligation of the decision cannot be met"
    outcome = "denied"


class NotReversible(VaultError):
    """Not made by this vault, made under a key that is gone, or changed since: the three are not told apart."""

    code, slug, status = "VAULT_ANON_6008", "not-reversible", 422
    title = "This cannot be turned back"
