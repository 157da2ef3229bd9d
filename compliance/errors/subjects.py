"""Errors of searches for a person and of their erasure: VAULT_COMP_8080 to 8109."""

from vaultsite.kernel.errors import VaultError


class SubjectSearchNotFound(VaultError):
    """No such search, or none of this organization: the two are not told apart."""

    code, slug, status = "VAULT_COMP_8080", "subject-search-not-found", 404
    title = "No such search for a person"
    outcome = "denied"


class SubjectMatchNotFound(VaultError):
    """The search has no such match."""

    code, slug, status = "VAULT_COMP_8081", "subject-match-not-found", 404
    title = "The search has no such match"
    outcome = "denied"


class SubjectErasureNotFound(VaultError):
    """No such erasure of a person, or none of this organization: the two are not told apart."""

    code, slug, status = "VAULT_COMP_8082", "subject-erasure-not-found", 404
    title = "No such erasure of a person"
    outcome = "denied"


class SubjectSearchUnfinished(VaultError):
    """What a search finds is decided on once it has ended: before, nothing is whole."""

    code, slug, status = "VAULT_COMP_8083", "subject-search-unfinished", 409
    title = "The search has not ended yet"


class MatchesUndecided(VaultError):
    """Somebody has to accept or reject every match that no identifier proves (``undecided``: how many wait)."""

    code, slug, status = "VAULT_COMP_8084", "matches-undecided", 409
    title = "Matches wait for somebody to decide on them"


class NothingToErase(VaultError):
    """The search has no accepted match."""

    code, slug, status = "VAULT_COMP_8085", "nothing-to-erase", 409
    title = "No match was accepted: there is nothing to erase"


class SubjectErasureExists(VaultError):
    """The matches of this search are being erased, or were (``erasure`` names it): search anew."""

    code, slug, status = "VAULT_COMP_8086", "subject-erasure-exists", 409
    title = "The matches of this search were erased already"


class ReceiptNotReady(VaultError):
    """The erasure has not ended; its receipt is signed when it has."""

    code, slug, status = "VAULT_COMP_8087", "receipt-not-ready", 409
    title = "The erasure has no receipt yet"


class RecipientTaskNotFound(VaultError):
    """The erasure has no such task."""

    code, slug, status = "VAULT_COMP_8088", "recipient-task-not-found", 404
    title = "The erasure has no such task"
    outcome = "denied"


class RecipientTaskSettled(VaultError):
    """Somebody said already that the recipient was told."""

    code, slug, status = "VAULT_COMP_8089", "recipient-task-settled", 409
    title = "The task was settled already"


class IdentifiersForgotten(VaultError):
    """The identifiers that a search was made with are kept for its case alone: search anew."""

    code, slug, status = "VAULT_COMP_8090", "identifiers-forgotten", 409
    title = "The identifiers of this search were forgotten"


class SubjectSearchTruncated(VaultError):
    """The search found too much and ended early, so nobody could say that all was erased: narrow the identifiers."""

    code, slug, status = "VAULT_COMP_8091", "subject-search-truncated", 409
    title = "The search ended before it had read everything"


class ErasureIncomplete(VaultError):
    """That is no ground to keep anything: ask for the erasure of the person again.

    ``codes``: of the errors that it failed with.
    """

    code, slug, status = "VAULT_COMP_8093", "subject-erasure-incomplete", 409
    title = "An erasure in a dataset failed"


class ReturnNotFound(VaultError):
    """No record of an erased person that came back has this id."""

    code, slug, status = "VAULT_COMP_8094", "subject-return-not-found", 404
    title = "There is no such return"
    outcome = "denied"


class ReturnSettled(VaultError):
    """``state``: somebody said already why it stays, or it was erased."""

    code, slug, status = "VAULT_COMP_8095", "subject-return-settled", 409
    title = "The return was settled already"


class ReturnGone(VaultError):
    """No version of the dataset has the record with the identifier any more: say so, and dismiss it."""

    code, slug, status = "VAULT_COMP_8096", "subject-return-gone", 409
    title = "What came back is not there any more"


class ReturnNotRead(VaultError):
    """The record was looked at in some of the versions of its dataset and the identifier is in none of those; another
    version still has it. Search for the person by what you know of them.
    """

    code, slug, status = "VAULT_COMP_8099", "subject-return-not-read", 409
    title = "What came back lies in a version that was not looked at"


class ReturnNotSearched(VaultError):
    """The person has to be searched for from the return before they are erased again."""

    code, slug, status = "VAULT_COMP_8097", "subject-return-not-searched", 409
    title = "Nobody has searched for the person since they came back"


class ReturnUnderSearch(VaultError):
    """``search``: it has not ended yet."""

    code, slug, status = "VAULT_COMP_8098", "subject-return-under-search", 409
    title = "The person is being searched for already"


class SearchOfRequest(VaultError):
    """The search belongs to a request of a data subject (``request``): the person is erased from there."""

    code, slug, status = "VAULT_COMP_8092", "search-of-a-request", 409
    title = "This search belongs to a request"
