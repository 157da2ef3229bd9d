"""What a backup consists of: the sealed list that is written last, and without which there is no backup."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any, Final

import orjson

from compliance.errors.backup import BackupDamaged

FORMAT: Final = 1


@dataclass(frozen=True)
class FileFacts:
    """A file of the backup: bytes before sealing, and their SHA-256."""

    size: int
    sha256: str


@dataclass(frozen=True)
class ObjectFacts:
    """An object of the blob store; ``tenant`` is empty for one that no table of objects names."""

    name: str
    size: int
    sha256: str
    tenant: str = ""


@dataclass(frozen=True)
class Manifest:
    """``snapshot_at``: the moment whose state a restore brings back. ``missing``: objects that the store had lost.

    ``datasets`` maps ``tenant/dataset`` to the digest of its versions and roots (compliance.backup.contents);
    ``journal`` is how many entries the replay journal had, so that a shortened one is noticed;
    ``elsewhere`` is how many objects of each tenant were refused, because they lie in other regions.
    """

    id: str
    snapshot_at: datetime
    finished_at: datetime
    database: FileFacts
    keys: FileFacts | None
    objects: tuple[ObjectFacts, ...]
    missing: tuple[str, ...]
    datasets: Mapping[str, str]
    tenants: tuple[str, ...]
    journal: int
    new_objects: int
    new_bytes: int
    elsewhere: Mapping[str, int] = field(default_factory=dict)
    format: int = field(default=FORMAT)

    def encode(self) -> bytes:
        return orjson.dumps(asdict(self), option=orjson.OPT_SORT_KEYS)


def decode_manifest(encoded: bytes) -> Manifest:
    """Raises BackupDamaged for what no release of ours has written."""
    try:
        told: dict[str, Any] = orjson.loads(encoded)
        if told["format"] != FORMAT:
            raise BackupDamaged("the backup has a format that this release does not know")
        return Manifest(
            **told
            | {
                "snapshot_at": datetime.fromisoformat(told["snapshot_at"]),
                "finished_at": datetime.fromisoformat(told["finished_at"]),
                "database": FileFacts(**told["database"]),
                "keys": FileFacts(**told["keys"]) if told["keys"] else None,
                "objects": tuple(ObjectFacts(**one) for one in told["objects"]),
                "missing": tuple(told["missing"]),
                "tenants": tuple(told["tenants"]),
            }
        )
    except (ValueError, TypeError, KeyError):
        raise BackupDamaged("the manifest cannot be read") from None
