"""What a dataset is, in one digest: every version of it and the root of its record tree."""

import hashlib
from collections.abc import Iterator
from itertools import groupby

from datasets.models import Version


def dataset_digests(alias: str) -> dict[str, str]:
    """``tenant/dataset`` -> SHA-256 over its versions' ids and roots in order, of what ``alias`` sees now."""
    rows = Version.objects.using(alias).order_by("tenant_id", "dataset_id", "sequence")
    told = rows.values_list("tenant_id", "dataset_id", "id", "root").iterator()
    grouped = groupby(told, key=lambda row: (row[0], row[1]))
    return {
        f"{tenant}/{dataset}": _digest((row[2].bytes, bytes(row[3])) for row in group)
        for (tenant, dataset), group in grouped
    }


def _digest(versions: Iterator[tuple[bytes, bytes]]) -> str:
    digest = hashlib.sha256()
    for version_id, root in versions:
        digest.update(version_id + root)
    return digest.hexdigest()
