"""Errors of access requests, leases, emergencies and reviews."""

from vaultsite.kernel.errors import VaultError


class AccessRequestNotFound(VaultError):
    code, slug, status, outcome = "VAULT_AUTHZ_2230", "access-request-not-found", 404, "denied"
    title = "There is no such access request"


class LeaseNotFound(VaultError):
    code, slug, status, outcome = "VAULT_AUTHZ_2231", "lease-not-found", 404, "denied"
    title = "There is no such lease"


class RequestClosed(VaultError):
    """Approved, refused, withdrawn, or nobody decided in time."""

    code, slug, status = "VAULT_AUTHZ_2232", "request-closed", 409
    title = "The request waits for no decision any more"


class AlreadyDecided(VaultError):
    code, slug, status = "VAULT_AUTHZ_2233", "already-decided", 409
    title = "You have decided on this already"


class QuotaExhausted(VaultError):
    """The lease has released every record it was given for."""

    code, slug, status, outcome = "VAULT_AUTHZ_2234", "quota-exhausted", 403, "denied"
    title = "The lease releases no more records"


class LeaseEnded(VaultError):
    """A lease that was read under has expired, was revoked or is suspended."""

    code, slug, status, outcome = "VAULT_AUTHZ_2235", "lease-ended", 403, "denied"
    title = "The lease no longer holds"


class LeaseOver(VaultError):
    code, slug, status = "VAULT_AUTHZ_2236", "lease-over", 409
    title = "The lease is over"


class EmergencyNotFound(VaultError):
    code, slug, status, outcome = "VAULT_AUTHZ_2237", "emergency-not-found", 404, "denied"
    title = "There is no such call for emergency access"


class EmergencyClosed(VaultError):
    """Confirmed, refused, lapsed, or reviewed already."""

    code, slug, status = "VAULT_AUTHZ_2238", "emergency-closed", 409
    title = "This call waits for that no longer"


class ReviewNotFound(VaultError):
    code, slug, status, outcome = "VAULT_AUTHZ_2239", "review-not-found", 404, "denied"
    title = "There is no such access review"


class ReviewClosed(VaultError):
    code, slug, status = "VAULT_AUTHZ_2240", "review-closed", 409
    title = "The review is closed"


class NotReviewer(VaultError):
    code, slug, status, outcome = "VAULT_AUTHZ_2241", "not-reviewer", 403, "denied"
    title = "Others were asked to review this"


class ObjectPermissionNotFound(VaultError):
    code, slug, status, outcome = "VAULT_AUTHZ_2242", "object-permission-not-found", 404, "denied"
    title = "There is no such permission"


class PersonRequired(VaultError):
    """What takes two people is not confirmed by a program, which somebody runs."""

    code, slug, status, outcome = "VAULT_AUTHZ_2243", "person-required", 403, "denied"
    title = "Only a person may decide this"


class ReviewUnfinished(VaultError):
    """``open`` grants are not decided on, and the deadline is not over."""

    code, slug, status = "VAULT_AUTHZ_2244", "review-unfinished", 409
    title = "Some grants are not decided on yet"
