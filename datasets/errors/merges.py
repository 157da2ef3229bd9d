"""Merges and merge requests: 4361 to 4379."""

from vaultsite.kernel.errors import VaultError


class MergeNotFound(VaultError):
    """No such merge, or none of a dataset the principal may know of."""

    code, slug, status = "VAULT_DATA_4361", "merge-not-found", 404
    title = "No such merge"
    outcome = "denied"


class MergeRequestNotFound(VaultError):
    """No such merge request, or none of a dataset the principal may know of."""

    code, slug, status = "VAULT_DATA_4362", "merge-request-not-found", 404
    title = "No such merge request"
    outcome = "denied"


class MergeConflictNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4363", "merge-conflict-not-found", 404
    title = "The merge has no such conflict"


class ConflictsLeft(VaultError):
    """Both sides changed the same members; ``conflicts`` says how many records nobody has decided on."""

    code, slug, status = "VAULT_DATA_4364", "conflicts-left", 409
    title = "The merge has conflicts that are not resolved"


class MergeTargetMoved(VaultError):
    """The target was moved by others again and again, or once although the request named the head it expects."""

    code, slug, status = "VAULT_DATA_4365", "merge-target-moved", 409
    title = "The target branch moved during the merge"


class MergeNotWaiting(VaultError):
    code, slug, status = "VAULT_DATA_4366", "merge-not-waiting", 409
    title = "The merge does not wait for resolutions"


class TooManyConflicts(VaultError):
    code, slug, status = "VAULT_DATA_4367", "too-many-conflicts", 409
    title = "The merge has more conflicts than anybody could resolve by hand"


class OwnWork(VaultError):
    """Who wrote any of what is to be merged, or asked for it, cannot approve it."""

    code, slug, status = "VAULT_DATA_4368", "own-work", 403
    title = "Nobody reviews their own work"
    outcome = "denied"


class NotApproved(VaultError):
    """Nobody has approved the source as it is now, or somebody asks for changes to it."""

    code, slug, status = "VAULT_DATA_4369", "not-approved", 409
    title = "The merge request is not approved as its source stands"


class MergeRequestEnded(VaultError):
    code, slug, status = "VAULT_DATA_4370", "merge-request-ended", 409
    title = "The merge request is merged or closed"


class NothingToMerge(VaultError):
    """Source and target are one branch, or the source has no version."""

    code, slug, status = "VAULT_DATA_4371", "nothing-to-merge", 400
    title = "There is nothing to merge"
