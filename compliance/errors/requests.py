"""Errors of requests of data subjects: VAULT_COMP_8050 to 8079."""

from vaultsite.kernel.errors import VaultError


class SubjectRequestNotFound(VaultError):
    """There is none of this id that the principal may see."""

    code, slug, status = "VAULT_COMP_8050", "subject-request-not-found", 404
    title = "There is no such request of a data subject"
    outcome = "denied"


class WrongRequestState(VaultError):
    """The request is not where this can be done; ``state`` is where it is, ``needed`` where it can be done."""

    code, slug, status = "VAULT_COMP_8051", "wrong-request-state", 409
    title = "The request is in another state"


class ExtensionRefused(VaultError):
    """``reason``: ``law`` gives no more time, it was ``extended`` already, or the first term is over (``late``)."""

    code, slug, status = "VAULT_COMP_8052", "extension-refused", 409
    title = "The time to answer cannot be extended"


class NotPortable(VaultError):
    """Data are portable where they are held by consent or for a contract (GDPR, article 20(1)(a))."""

    code, slug, status = "VAULT_COMP_8053", "not-portable", 409
    title = "Portability needs consent or a contract as the legal basis"


class LinkRefused(VaultError):
    """The link is none of ours, was used, or its time is over: which of them, nobody is told."""

    code, slug, status = "VAULT_COMP_8054", "subject-link-refused", 404
    title = "This link does not hold any more"
    outcome = "denied"


class NoMailAddress(VaultError):
    """The subject's contact is no e-mail address, or the vault sends no mail."""

    code, slug, status = "VAULT_COMP_8055", "no-mail-address", 409
    title = "Nothing can be mailed to this subject"


class PackageNotFound(VaultError):
    """No package of the request was asked for yet."""

    code, slug, status = "VAULT_COMP_8056", "request-package-not-found", 404
    title = "The request has no package"
    outcome = "denied"


class PackageNotReady(VaultError):
    """The package is still being written, or its writing failed; ``status_of_package`` says which."""

    code, slug, status = "VAULT_COMP_8057", "request-package-not-ready", 409
    title = "The package has no file"


class PackageExpired(VaultError):
    """The file was removed, because its time was over or another took its place; or records of it were erased, or
    put into quarantine, since it was written: ask for it once more.
    """

    code, slug, status = "VAULT_COMP_8058", "request-package-expired", 410
    title = "The file of this package is gone"


class PackageOutdated(VaultError):
    """Records of a dataset were erased after the package was asked for: ask for it once more."""

    code, slug, status = "VAULT_COMP_8059", "request-package-outdated", 409
    title = "Records were erased since the package was asked for"


class RecordsNotShown(VaultError):
    """A subject is given their data as they are: who asks for the package must be shown the records raw."""

    code, slug, status = "VAULT_COMP_8060", "records-not-shown-raw", 403
    title = "You are not shown these records as they are"
    outcome = "denied"


class NoMatches(VaultError):
    """No records were entered as the subject's: there is nothing to collect or to change."""

    code, slug, status = "VAULT_COMP_8061", "no-matches", 409
    title = "No records were found to be the subject's yet"


class CorrectionNotFound(VaultError):
    """There is no such correction of this request."""

    code, slug, status = "VAULT_COMP_8062", "correction-not-found", 404
    title = "There is no such correction"
    outcome = "denied"


class CorrectionApplied(VaultError):
    """A correction becomes one version, once."""

    code, slug, status = "VAULT_COMP_8063", "correction-applied", 409
    title = "The correction was applied already"


class NotOfThisType(VaultError):
    """The request asks for something else: a package answers access and portability, a correction rectification."""

    code, slug, status = "VAULT_COMP_8064", "not-of-this-type", 409
    title = "The request asks for something else"


class FormClosed(VaultError):
    """There is no such organization, or it takes no requests by a form: which of the two, nobody is told."""

    code, slug, status = "VAULT_COMP_8065", "request-form-closed", 404
    title = "There is no form here"
    outcome = "denied"


class PackageTooLarge(VaultError):
    """A package holds so many ``bytes`` of records at most; enter fewer, and answer in parts."""

    code, slug, status = "VAULT_COMP_8066", "request-package-too-large", 413
    title = "The records are too many for one package"


class RequestSearchNotFound(VaultError):
    """No search for the subject was started from the request."""

    code, slug, status = "VAULT_COMP_8067", "request-search-not-found", 404
    title = "The request has no search"
    outcome = "denied"


class RequestErasureNotFound(VaultError):
    """No erasure of the subject was started from the request."""

    code, slug, status = "VAULT_COMP_8068", "request-erasure-not-found", 404
    title = "The request has no erasure"
    outcome = "denied"


class SearchUnderWay(VaultError):
    """One search of a request runs at a time; ``search`` names it."""

    code, slug, status = "VAULT_COMP_8069", "search-under-way", 409
    title = "The search of this request has not ended yet"


class RequestNotErased(VaultError):
    """Whatever any search of the request found, or somebody entered, is erased with a receipt, kept, or rejected.

    ``reason``: ``not_searched``, ``not_erased``, or the status of an erasure that has not succeeded.
    """

    code, slug, status = "VAULT_COMP_8070", "request-not-erased", 409
    title = "The subject has not been erased yet"


class GroundNeeded(VaultError):
    """Something of the subject is kept: an answer names the ground of law. ``kept``: how many records and places."""

    code, slug, status = "VAULT_COMP_8071", "ground-needed", 409
    title = "What is kept needs a ground of law"


class NotRestricted(VaultError):
    """A request for restriction, or an objection, is answered once the subject's records are left out of reads."""

    code, slug, status = "VAULT_COMP_8072", "request-not-restricted", 409
    title = "The use of the subject's records is not restricted"
