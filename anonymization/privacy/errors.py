"""What can go wrong when statistics and releases about people are asked for."""

from vaultsite.kernel.errors import VaultError


class BudgetExhausted(VaultError):
    """``extra`` says what is left to this recipient: ``remaining_epsilon`` and ``remaining_delta``, decimal texts."""

    code, slug, status = "VAULT_ANON_6070", "privacy-budget-exhausted", 403
    title = "The privacy budget does not allow this query"
    outcome = "denied"


class InvalidAmount(VaultError):
    """An epsilon or delta that the ledger cannot keep exactly, or that promises nothing."""

    code, slug, status = "VAULT_ANON_6071", "invalid-privacy-loss", 400
    title = "Not an epsilon or delta"


class InvalidStatistics(VaultError):
    """``errors`` names the member of the request that does not fit."""

    code, slug, status = "VAULT_ANON_6072", "invalid-statistics", 400
    title = "The statistics asked for are not valid"


class PrivacyUnavailable(VaultError):
    """The package ``opendp`` is not installed: nothing is computed without it."""

    code, slug, status = "VAULT_ANON_6073", "differential-privacy-unavailable", 503
    title = "Differential privacy is not installed here"


class TooManyRecords(VaultError):
    """Judged by what the version says of itself, before anything is spent."""

    code, slug, status = "VAULT_ANON_6074", "too-many-records-for-statistics", 422
    title = "The version has more records than statistics are computed over"


class BudgetNotFound(VaultError):
    code, slug, status = "VAULT_ANON_6075", "privacy-budget-not-found", 404
    title = "There is no such privacy budget"


class ReasonMissing(VaultError):
    code, slug, status = "VAULT_ANON_6076", "reason-missing", 400
    title = "This needs a reason"


class ReleaseWouldIsolate(VaultError):
    """Joined with releases that are out, this one would tell subjects apart.

    ``extra``: ``guarantee`` (k or l) that would break, ``required`` of it, ``subjects_at_risk`` (how many, never who)
    and ``releases`` that it was held against (how many).
    """

    code, slug, status = "VAULT_ANON_6090", "release-would-isolate", 409
    title = "Together with earlier releases this one would isolate people"
    outcome = "denied"


class ReleaseNotFound(VaultError):
    code, slug, status = "VAULT_ANON_6091", "release-not-found", 404
    title = "There is no such release"


class ReleaseWithdrawn(VaultError):
    code, slug, status = "VAULT_ANON_6092", "release-withdrawn", 409
    title = "The release was withdrawn already"


class InvalidRelease(VaultError):
    """What a release says of itself cannot hold; nothing was entered."""

    code, slug, status = "VAULT_ANON_6093", "invalid-release", 400
    title = "The release cannot be entered into the ledger"


class OwnRelease(VaultError):
    """Whoever has a copy cannot be the one who says that it is gone, nor that it is shared with nobody."""

    code, slug, status = "VAULT_ANON_6094", "own-release", 409
    title = "Somebody else than the recipient attests this"
