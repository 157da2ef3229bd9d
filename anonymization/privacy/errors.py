"""What can go wrong when statistics and releases about people are asked for."""

from vaultsite.kernel.errors import VaultError


class BudgetExhausted(VaultError):
    """``extra`` says what is left to this recipient: ``remaining_epsilon`` and ``remaining_delta``, decimal texts."""

    code, slug, status = "VAULT_ANON_6070", "privacy-budget-exhausted", 403
    title = "The privacy budget does not allow this query"
    outcome = "denied"


class ReleaseWouldIsolate(VaultError):
    """Joined with releases that are out, this one would tell subjects apart.

    ``extra``: ``guarantee`` (k or l) that would break, ``required`` of it, ``subjects_at_risk`` (how many, never who)
    and ``releases`` that it was held against (how many).
    """

    code, slug, status = "VAULT_ANON_6090", "release-would-isolate", 409
    title = "Together with earlier releases this one would isolate people"
    outcome = "denied"
