"""Tables of datasets, versions, the record tree and ingests."""

from datasets.models.blob import Blob, BlobKind, BlobState
from datasets.models.chunk import Chunk, FindingsBlob, ObjectKind, SubjectIndexEntry
from datasets.models.dataset import Classification, Dataset, DatasetTag
from datasets.models.ingest import Ingest, IngestFormat, IngestMode, OnError
from datasets.models.version import Branch, Version, VersionKind, VersionTag

__all__ = [
    "Blob",
    "BlobKind",
    "BlobState",
    "Branch",
    "Chunk",
    "Classification",
    "Dataset",
    "DatasetTag",
    "FindingsBlob",
    "Ingest",
    "IngestFormat",
    "IngestMode",
    "ObjectKind",
    "OnError",
    "SubjectIndexEntry",
    "Version",
    "VersionKind",
    "VersionTag",
]
