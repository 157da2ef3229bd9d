"""The errors of datasets, DATA 4xxx; each module names the codes it may use."""

from datasets.errors.datasets import (
    DatasetHeld,
    DatasetNameTaken,
    DatasetNotFound,
    EmptyUpload,
    ExistingRecordId,
    IngestNotFound,
    NoRejectReport,
    NotScanned,
    PersonalDataInText,
    RecordNotFound,
    RefusedPaymentData,
    UnmetObligation,
    VersionLabelTaken,
    VersionNotFound,
)
from datasets.errors.files import (
    DecompressionLimit,
    InvalidHeader,
    RefusedFile,
    UnreadableFile,
)
from datasets.errors.lines import (
    DuplicateRecordId,
    InvalidRecordId,
    MalformedRecord,
    PersonalRecordId,
    RecordTooLong,
    RefusedLine,
    WrongEncoding,
)
from datasets.errors.tree import (
    CorruptTree,
    InvalidProof,
    TreeObjectMissing,
)

__all__ = [
    "CorruptTree",
    "DatasetHeld",
    "DatasetNameTaken",
    "DatasetNotFound",
    "DecompressionLimit",
    "DuplicateRecordId",
    "EmptyUpload",
    "ExistingRecordId",
    "IngestNotFound",
    "InvalidHeader",
    "InvalidProof",
    "InvalidRecordId",
    "MalformedRecord",
    "NoRejectReport",
    "NotScanned",
    "PersonalDataInText",
    "PersonalRecordId",
    "RecordNotFound",
    "RecordTooLong",
    "RefusedFile",
    "RefusedLine",
    "RefusedPaymentData",
    "TreeObjectMissing",
    "UnmetObligation",
    "UnreadableFile",
    "VersionLabelTaken",
    "VersionNotFound",
    "WrongEncoding",
]
