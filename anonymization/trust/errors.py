"""Errors of the rules that tell which detections count: 6100 to 6119."""

from vaultsite.kernel.errors import VaultError


class InvalidRule(VaultError):
    """A list entry, field rule or threshold that cannot be used; each error names the member."""

    code, slug, status = "VAULT_ANON_6100", "invalid-detection-rule", 400
    title = "The detection rule cannot be used"


class RuleNotFound(VaultError):
    code, slug, status = "VAULT_ANON_6101", "detection-rule-not-found", 404
    title = "No such detection rule"


class RuleExists(VaultError):
    """The same value, pattern, field or entity type has a rule already, for the same data."""

    code, slug, status = "VAULT_ANON_6102", "detection-rule-exists", 409
    title = "There is such a detection rule already"


class TooManyRules(VaultError):
    """More rules would make every read slower than it may be."""

    code, slug, status = "VAULT_ANON_6103", "too-many-detection-rules", 409
    title = "The organization has as many detection rules as it may have"


class FeedbackNotFound(VaultError):
    code, slug, status = "VAULT_ANON_6104", "feedback-not-found", 404
    title = "No such feedback"


class FeedbackSettled(VaultError):
    """Somebody has decided on it already."""

    code, slug, status = "VAULT_ANON_6105", "feedback-settled", 409
    title = "The feedback is settled already"


class TestCaseNotFound(VaultError):
    __test__ = False  # pytest collects classes of this name

    code, slug, status = "VAULT_ANON_6106", "test-case-not-found", 404
    title = "No such test case"


class OwnFeedback(VaultError):
    """Who gave feedback may drop it, but makes no rule or test case of it."""

    code, slug, status = "VAULT_ANON_6107", "own-feedback", 403
    title = "Somebody else settles the feedback"
    outcome = "denied"
