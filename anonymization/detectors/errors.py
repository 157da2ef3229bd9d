"""What can be wrong with a detector that a user configures."""

from vaultsite.kernel.errors import VaultError


class PatternRefused(VaultError):
    """A custom pattern is not one that the linear-time engine runs."""

    code, slug, status = "VAULT_ANON_6120", "pattern-refused", 400
    title = "The pattern cannot be used"


class RecognizerRefused(VaultError):
    """What is configured as a recognizer is none, or cannot be loaded."""

    code, slug, status = "VAULT_ANON_6121", "recognizer-refused", 500
    title = "The recognizer cannot be used"
