"""Branches and tags: 4301 to 4319."""

from vaultsite.kernel.errors import VaultError


class BranchNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4301", "branch-not-found", 404
    title = "No such branch"


class BranchProtected(VaultError):
    """A protected branch moves only by merges that somebody else has reviewed, and stays."""

    code, slug, status = "VAULT_DATA_4302", "branch-protected", 409
    title = "The branch is protected"


class RefNameTaken(VaultError):
    """Branches and tags of a dataset share one set of names, so that a name never means two versions."""

    code, slug, status = "VAULT_DATA_4303", "ref-name-taken", 409
    title = "A branch or tag of this name exists"


class InvalidRefName(VaultError):
    code, slug, status = "VAULT_DATA_4304", "invalid-ref-name", 400
    title = "A branch or tag cannot be called that"


class TagNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4305", "tag-not-found", 404
    title = "No such tag"


class BranchMoved(VaultError):
    """The branch does not point where the request expects; ``head`` says by label where it does (null: nowhere)."""

    code, slug, status = "VAULT_DATA_4306", "branch-moved", 409
    title = "The branch points at another version"


class DefaultBranchKept(VaultError):
    code, slug, status = "VAULT_DATA_4307", "default-branch-kept", 409
    title = "The default branch cannot be deleted"


class VersionNotOnBranch(VaultError):
    """A branch is rolled back to a version it comes from, no other."""

    code, slug, status = "VAULT_DATA_4308", "version-not-on-branch", 409
    title = "The branch does not come from this version"
