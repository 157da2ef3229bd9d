"""Errors of decisions and of the policies behind them."""

from vaultsite.kernel.errors import VaultError


class ObligationNotEnforced(VaultError):
    """A decision asks for something that nothing at this surface does: it is a denial."""

    code, slug, status, outcome = "VAULT_AUTHZ_2200", "obligation-not-enforced", 403, "denied"
    title = "The decision asks for something that cannot be done here"


class InvalidAnnotation(VaultError):
    """An annotation names an obligation that nothing enforces, or says of it what it cannot be."""

    code, slug, status = "VAULT_AUTHZ_2201", "invalid-annotation", 400
    title = "The annotation is no obligation that something enforces"


class InvalidPolicyText(VaultError):
    """``errors`` say what is wrong with the policy and where."""

    code, slug, status = "VAULT_AUTHZ_2202", "invalid-access-policy", 400
    title = "The access policy cannot be used"


class AccessPolicyNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2203", "access-policy-not-found", 404
    title = "There is no such access policy"


class PolicyStateConflict(VaultError):
    """A version is drafted, then active, then retired: never back, and only one is active."""

    code, slug, status = "VAULT_AUTHZ_2204", "access-policy-state", 409
    title = "The version is not in a state that allows this"


class PolicyEngineUnavailable(VaultError):
    """The remote policy engine did not answer in time, or with nothing that can be used: nothing is allowed."""

    code, slug, status, outcome = "VAULT_AUTHZ_2205", "policy-engine-unavailable", 503, "denied"
    title = "The policy engine gives no answer; nothing is allowed without one"
    retry_after = 5


class DecisionNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2206", "decision-not-found", 404
    title = "There is no such decision, or it does not say what it was made on"


class ReplayNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2207", "replay-not-found", 404
    title = "There is no such replay"


class SubjectNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2208", "subject-not-found", 404
    title = "There is no such person, service or dataset to ask about"


class EvaluationNotFound(VaultError):
    code, slug, status = "VAULT_AUTHZ_2270", "evaluation-not-found", 404
    title = "There is no such evaluation of yours"
