"""What a passport says, as frozen facts, and the document made of them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from datasets.tree.reader import InclusionProof

FORMAT: Final = "llm-data-vault/passport/v1"


@dataclass(frozen=True)
class ExportedFile:
    """One file: what its bytes are, and what its rows give."""

    name: str
    split: str
    format: str
    compression: str
    bytes: int
    sha256: str
    rows: int
    rows_root: str


@dataclass(frozen=True)
class Source:
    """The version the rows were read from. ``ancestors`` are (label, version id), nearest first."""

    dataset_id: str
    version: str
    version_id: str
    root: str
    record_count: int
    ancestors: Sequence[tuple[str, str]]


@dataclass(frozen=True)
class RowProof:
    """That a row of a raw export is a record of the source: its place in the export, its nonce, the way to the root."""

    file: str
    row: int
    id: str
    form: str
    metadata: str
    nonce: bytes
    proof: InclusionProof

    def as_json(self) -> dict[str, Any]:
        steps = [
            {"index": step.index, "size": step.size, "count": step.count, "path": [part.hex() for part in step.path]}
            for step in self.proof.steps
        ]
        return {
            "file": self.file,
            "row": self.row,
            "id": self.id,
            "form": self.form,
            "metadata": self.metadata,
            "nonce": self.nonce.hex(),
            "steps": steps,
        }


@dataclass(frozen=True)
class Statement:
    """Everything a passport states. ``proofs`` is None where the rule allows none: in all but raw exports."""

    export_id: str
    created_at: datetime
    source: Source
    files: Sequence[ExportedFile]
    rows_salt: bytes
    decision: Mapping[str, Any]
    selection: Mapping[str, Any]
    scan: Mapping[str, Any]
    proofs: Sequence[RowProof] | None = None
    notes: Sequence[str] = field(default_factory=tuple)

    def as_json(self) -> dict[str, Any]:
        """The document without signer and signature."""
        return {
            "format": FORMAT,
            "export": self.export_id,
            "created_at": self.created_at.isoformat(),
            "source": {
                "dataset": self.source.dataset_id,
                "version": self.source.version,
                "version_id": self.source.version_id,
                "root": self.source.root,
                "records": self.source.record_count,
                "ancestors": [{"version": label, "version_id": digest} for label, digest in self.source.ancestors],
            },
            "files": [vars(file) for file in self.files],
            "rows_salt": self.rows_salt.hex(),
            "decision": dict(self.decision),
            "selection": dict(self.selection),
            "scan": dict(self.scan),
            "proofs": None if self.proofs is None else [proof.as_json() for proof in self.proofs],
            "notes": list(self.notes),
        }
