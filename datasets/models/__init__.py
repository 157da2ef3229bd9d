"""Tables of datasets, versions, the record tree and ingests."""

from datasets.models.blob import Blob, BlobKind, BlobState
from datasets.models.canary import Canary, CanaryReader
from datasets.models.chunk import Chunk, FindingsBlob, ObjectKind, SubjectIndexEntry
from datasets.models.consent import ConsentLink
from datasets.models.dataset import Classification, Dataset, DatasetTag
from datasets.models.draft import Draft, DraftStatus, Publication, StagedKind, StagedRecord
from datasets.models.erasure import ErasedRecord, Erasure
from datasets.models.export import Export, ExportCompression, ExportFormat
from datasets.models.family import FamilyMember
from datasets.models.guaranteed_export import ExportSchedule, GuaranteedExport
from datasets.models.hold import HeldRecord, HoldKind, HoldMark
from datasets.models.ingest import IdMode, Ingest, IngestFormat, IngestMode, OnError, RecordShape
from datasets.models.key_rotation import KeyRotation, RotationReason
from datasets.models.lifecycle import Purge, Quota
from datasets.models.lineage import DatasetUse, EdgeKind, LineageEdge, LineageNode, NodeType
from datasets.models.masking import Masking
from datasets.models.merge import (
    ConflictKind,
    Merge,
    MergeConflict,
    MergeOutcome,
    MergeRequest,
    MergeReview,
    MergeStrategy,
    RequestState,
    Resolution,
    Verdict,
)
from datasets.models.object_permission import DatasetGroupPermission, DatasetUserPermission
from datasets.models.quarantine import QuarantineCause, QuarantinedRecord, RecordState, VersionQuarantine
from datasets.models.release_rules import ReleaseRules
from datasets.models.rescan import Rescan, VersionProfile
from datasets.models.restriction import ProcessingRestriction, RestrictedKey, RestrictedRecord
from datasets.models.schema import Compatibility, RecordSchema
from datasets.models.suppression import IdentifierReturn, ReturnState, SuppressedIdentifier
from datasets.models.upkeep import GarbageCollection, Scrub
from datasets.models.version import Branch, Version, VersionKind, VersionTag

__all__ = [
    "Blob",
    "BlobKind",
    "BlobState",
    "Branch",
    "Canary",
    "CanaryReader",
    "Chunk",
    "Classification",
    "Compatibility",
    "ConflictKind",
    "ConsentLink",
    "Dataset",
    "DatasetGroupPermission",
    "DatasetTag",
    "DatasetUse",
    "DatasetUserPermission",
    "Draft",
    "DraftStatus",
    "EdgeKind",
    "ErasedRecord",
    "Erasure",
    "Export",
    "ExportCompression",
    "ExportFormat",
    "ExportSchedule",
    "FamilyMember",
    "FindingsBlob",
    "GarbageCollection",
    "GuaranteedExport",
    "HeldRecord",
    "HoldKind",
    "HoldMark",
    "IdMode",
    "IdentifierReturn",
    "Ingest",
    "IngestFormat",
    "IngestMode",
    "KeyRotation",
    "LineageEdge",
    "LineageNode",
    "Masking",
    "Merge",
    "MergeConflict",
    "MergeOutcome",
    "MergeRequest",
    "MergeReview",
    "MergeStrategy",
    "NodeType",
    "ObjectKind",
    "OnError",
    "ProcessingRestriction",
    "Publication",
    "Purge",
    "QuarantineCause",
    "QuarantinedRecord",
    "Quota",
    "RecordSchema",
    "RecordShape",
    "RecordState",
    "ReleaseRules",
    "RequestState",
    "Rescan",
    "Resolution",
    "RestrictedKey",
    "RestrictedRecord",
    "ReturnState",
    "RotationReason",
    "Scrub",
    "StagedKind",
    "StagedRecord",
    "SubjectIndexEntry",
    "SuppressedIdentifier",
    "Verdict",
    "Version",
    "VersionKind",
    "VersionProfile",
    "VersionQuarantine",
    "VersionTag",
]
