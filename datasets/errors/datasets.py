"""Datasets, versions and jobs: 4001 to 4099."""

from vaultsite.kernel.errors import VaultError


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
