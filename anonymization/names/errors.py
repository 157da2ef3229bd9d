"""What can go wrong with a finder of names; every one of these means that nothing was scanned."""

from vaultsite.kernel.errors import VaultError


class NameModelMissing(VaultError):
    """A configured model or the package that runs it is not here. The vault never downloads either."""

    code, slug, status = "VAULT_ANON_6140", "name-model-missing", 500
    title = "The configured model for names is not installed"


class NameModelMalformed(VaultError):
    """The bytes at the configured place are not a model this version can read."""

    code, slug, status = "VAULT_ANON_6141", "name-model-malformed", 500
    title = "The model for names cannot be read"
