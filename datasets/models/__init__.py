"""Tables of datasets, versions, the record tree and ingests."""

from datasets.models.blob import Blob, BlobKind, BlobState
from datasets.models.chunk import Chunk, FindingsBlob, ObjectKind, SubjectIndexEntry
from datasets.models.dataset import Classification, Dataset, DatasetTag
from datasets.models.draft import Draft, DraftStatus, Publication, StagedKind, StagedRecord
from datasets.models.ingest import IdMode, Ingest, IngestFormat, IngestMode, OnError, RecordShape
from datasets.models.lineage import DatasetUse, EdgeKind, LineageEdge, LineageNode, NodeType
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
    "DatasetUse",
    "Draft",
    "DraftStatus",
    "EdgeKind",
    "FindingsBlob",
    "IdMode",
    "Ingest",
    "IngestFormat",
    "IngestMode",
    "LineageEdge",
    "LineageNode",
    "NodeType",
    "ObjectKind",
    "OnError",
    "RecordShape",
    "Publication",
    "StagedKind",
    "StagedRecord",
    "SubjectIndexEntry",
    "Version",
    "VersionKind",
    "VersionTag",
]
