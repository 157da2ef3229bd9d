"""Why a table cannot be given a guarantee; no message holds a value of the table."""

from vaultsite.kernel.errors import VaultError


class InvalidHierarchy(VaultError):
    """The labels of a hierarchy contradict each other, do not end in one label for all, or are too many."""

    code, slug, status = "VAULT_ANON_6050", "invalid-hierarchy", 400
    title = "The hierarchy cannot be used"


class ValueOutsideHierarchy(VaultError):
    """``column`` holds a value its hierarchy has no line for; which one is not said."""

    code, slug, status = "VAULT_ANON_6051", "value-outside-hierarchy", 422
    title = "A column holds values that its hierarchy does not know"


class GuaranteeUnreachable(VaultError):
    """Even with everything generalized and as many rows dropped as allowed, the table does not meet the guarantee."""

    code, slug, status = "VAULT_ANON_6052", "guarantee-unreachable", 422
    title = "This table cannot be released under the guarantee"


class InvalidGuarantee(VaultError):
    code, slug, status = "VAULT_ANON_6053", "invalid-guarantee", 400
    title = "The guarantee is not a possible one"


class GuaranteeBroken(VaultError):
    """The check of the finished rows, which shares no code with the search, contradicts it. Nothing is released."""

    code, slug, status = "VAULT_ANON_6054", "guarantee-broken", 500
    title = "The finished rows do not meet the guarantee"


class LatticeTooLarge(VaultError):
    code, slug, status = "VAULT_ANON_6055", "lattice-too-large", 422
    title = "There are too many combinations of levels for one scheme for the whole table"
