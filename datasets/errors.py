"""The errors of datasets: DATA 4xxx.

4001-4099 datasets, versions and jobs; 4101-4199 uploaded files and their lines; 4201-4299 the record tree.
"""

from vaultsite.kernel.errors import FieldProblem, VaultError

# Datasets, versions and jobs ------------------------------------------------------------------------------------------


class DatasetNotFound(VaultError):
    """No such dataset, or none the principal may know of: the two are not told apart."""

    code, slug, status = "VAULT_DATA_4001", "dataset-not-found", 404
    title = "No such dataset"
    outcome = "denied"


class VersionNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4002", "version-not-found", 404
    title = "No such version"


class RecordNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4003", "record-not-found", 404
    title = "No such record"


class IngestNotFound(VaultError):
    code, slug, status = "VAULT_DATA_4004", "ingest-not-found", 404
    title = "No such ingest"
    outcome = "denied"


class DatasetNameTaken(VaultError):
    code, slug, status = "VAULT_DATA_4005", "dataset-name-taken", 409
    title = "A dataset of this name exists"


class DatasetHeld(VaultError):
    code, slug, status = "VAULT_DATA_4006", "dataset-held", 409
    title = "The dataset is under legal hold"


class VersionLabelTaken(VaultError):
    code, slug, status = "VAULT_DATA_4007", "version-label-taken", 409
    title = "A version with this label exists"


class PersonalDataInText(VaultError):
    """Names, tags, descriptions and messages are shown and indexed in the clear, so they may hold no personal data."""

    code, slug, status = "VAULT_DATA_4008", "personal-data-in-text", 400
    title = "A descriptive text contains personal data"


class NoRejectReport(VaultError):
    code, slug, status = "VAULT_DATA_4009", "no-reject-report", 404
    title = "This ingest rejected no lines"


class NotScanned(VaultError):
    """No complete set of findings for a chunk: nothing of it may leave under an obligation to anonymize."""

    code, slug, status = "VAULT_DATA_4010", "not-scanned", 409
    title = "Part of this version has not been scanned"


class EmptyUpload(VaultError):
    code, slug, status = "VAULT_DATA_4011", "empty-upload", 400
    title = "The upload holds no record"


class ExistingRecordId(VaultError):
    """Append adds records; one whose id the dataset already has must come by another mode."""

    code, slug, status = "VAULT_DATA_4012", "existing-record-id", 409
    title = "A record with this id is already in the dataset"


class UnmetObligation(VaultError):
    """The policy demands something this release does not do, so nothing is released."""

    code, slug, status = "VAULT_DATA_4013", "unmet-obligation", 403
    title = "An obligation of the decision cannot be met"
    outcome = "denied"


class RefusedPaymentData(VaultError):
    """Card verification values, PINs and track data may not be stored at all (PCI DSS 3.3)."""

    code, slug, status = "VAULT_DATA_4014", "refused-payment-data", 400
    title = "The upload holds card authentication data"


# Uploaded files: what is wrong with one line --------------------------------------------------------------------------


class RefusedLine(VaultError):
    """One line of an upload that cannot become a record.

    ``reason`` is a stable word for programs (``duplicate-key``), ``line`` the number, from 1, of the physical line
    where the record starts. The detail says what rule was broken and never quotes the line.
    """

    status = 400

    def __init__(self, detail: str, *, reason: str, line: int) -> None:
        problem = FieldProblem(field="line", detail=detail, line=line)
        super().__init__(f"Line {line}: {detail}", errors=(problem,), reason=reason, line=line)
        self.rule = detail
        self.reason = reason
        self.line = line


class MalformedRecord(RefusedLine):
    code, slug = "VAULT_DATA_4101", "malformed-record"
    title = "A line is not a record of the declared format"


class RecordTooLong(RefusedLine):
    code, slug, status = "VAULT_DATA_4102", "record-too-long", 413
    title = "A record is longer than allowed"


class WrongEncoding(RefusedLine):
    code, slug = "VAULT_DATA_4103", "wrong-encoding"
    title = "The file is not UTF-8 text"


class InvalidRecordId(RefusedLine):
    code, slug = "VAULT_DATA_4104", "invalid-record-id"
    title = "A record id is missing or has a form that is not allowed"


class PersonalRecordId(RefusedLine):
    """Ids outlive the data (proofs, receipts, audit), so one that names a person is refused."""

    code, slug = "VAULT_DATA_4105", "personal-record-id"
    title = "A record id is personal data by its shape"


class DuplicateRecordId(RefusedLine):
    """Two records of one upload have the same id; ``first_line`` names the earlier one."""

    code, slug = "VAULT_DATA_4106", "duplicate-record-id"
    title = "A record id occurs twice in one upload"

    def __init__(self, *, first_line: int, line: int) -> None:
        detail = f"the record has the same id as the one of line {first_line}"
        super().__init__(detail, reason="duplicate-id", line=line)
        self.extra["first_line"] = self.first_line = first_line


# Uploaded files: what is wrong with the file as a whole ---------------------------------------------------------------


class RefusedFile(VaultError):
    """The whole upload is unusable from ``line`` on (the line being read; None before the first is known)."""

    status = 400

    def __init__(self, detail: str, *, reason: str, line: int | None = None) -> None:
        where = "" if line is None else f"Line {line}: "
        problem = FieldProblem(field="file", detail=detail, line=line)
        super().__init__(where + detail, errors=(problem,), reason=reason, line=line)
        self.rule = detail
        self.reason = reason
        self.line = line

    def at_line(self, line: int) -> "RefusedFile":
        """The same error, saying at which line the file could not be read further."""
        return type(self)(self.rule, reason=self.reason, line=line)


class UnreadableFile(RefusedFile):
    code, slug = "VAULT_DATA_4111", "unreadable-file"
    title = "The compressed file is damaged or cut off"


class DecompressionLimit(RefusedFile):
    code, slug, status = "VAULT_DATA_4112", "decompression-limit", 413
    title = "The file grows beyond what is allowed when decompressed"


class InvalidHeader(RefusedFile):
    code, slug = "VAULT_DATA_4113", "invalid-header"
    title = "The header row of the file cannot name the members of a record"


# The record tree ------------------------------------------------------------------------------------------------------


class CorruptTree(VaultError):
    """A stored object of a tree is not what its digest or format says: rot or tampering, never a user's fault."""

    code, slug, status = "VAULT_DATA_4201", "corrupt-tree", 500
    title = "A stored part of a version is damaged"


class TreeObjectMissing(VaultError):
    code, slug, status = "VAULT_DATA_4202", "tree-object-missing", 500
    title = "A stored part of a version is missing"


class InvalidProof(VaultError):
    code, slug, status = "VAULT_DATA_4203", "invalid-proof", 400
    title = "The inclusion proof does not lead from the record to the root"
