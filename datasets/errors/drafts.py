"""Drafts and their publication: 4341 to 4359."""

from collections.abc import Sequence
from typing import Final

from vaultsite.kernel.errors import VaultError

#: At most so many ids are named in one problem.
_NAMED: Final = 1000


class VersionSealed(VaultError):
    """What was published never changes; a change is a new draft."""

    code, slug, status = "VAULT_DATA_4341", "version-sealed", 409
    title = "A published version cannot be changed"


class DraftBusy(VaultError):
    code, slug, status = "VAULT_DATA_4342", "draft-busy", 409
    title = "The draft is being published"
    retry_after = 1


class EmptyDraft(VaultError):
    code, slug, status = "VAULT_DATA_4343", "empty-draft", 409
    title = "The draft changes nothing"


class RebaseConflict(VaultError):
    """``ids`` names the records (the first thousand of ``conflicts``) that the branch has changed in another way."""

    code, slug, status = "VAULT_DATA_4344", "rebase-conflict", 409
    title = "Records of the draft were changed on the branch too"

    def __init__(self, ids: Sequence[str]) -> None:
        super().__init__(conflicts=len(ids), ids=list(ids[:_NAMED]))


class PatchRefused(VaultError):
    """Some of the records cannot be stored, so none was; ``results`` and ``deleted`` have those that failed."""

    code, slug, status = "VAULT_DATA_4345", "patch-refused", 400
    title = "Some of the records cannot be stored"


class WrongRecordCount(VaultError):
    code, slug, status = "VAULT_DATA_4346", "wrong-record-count", 400
    title = "A request brings 1 to 10,000 records"


class MalformedChanges(VaultError):
    """The body as a whole is not a list of records; what is wrong with one record is told in its result."""

    code, slug, status = "VAULT_DATA_4347", "malformed-changes", 400
    title = "The body is not a list of records"


class PublicationNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4348", "publication-not-found", 404
    title = "No such publication"
    outcome = "denied"
