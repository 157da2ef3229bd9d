"""What people decided on the conflicts of one merge, kept sealed."""

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final
from uuid import UUID

from datasets.models import Merge, MergeConflict, Resolution
from datasets.services.keys import DatasetKeys
from datasets.services.merges.collisions import Resolved
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

_KIND: Final = "merge-resolution"
_SECRET_BYTES: Final = 32


class Resolutions:
    """The resolved conflicts of a merge; records given by hand are opened one by one, when they are asked for."""

    def __init__(self, merge: Merge, keys: DatasetKeys) -> None:
        """Inside a scope."""
        rows = MergeConflict.objects.filter(merge=merge).exclude(resolution=Resolution.NONE)
        self._keys = keys
        self._merge = merge
        self._rows: Mapping[str, MergeConflict] = {row.record_id: row for row in rows.defer("record", "secret")}

    def of(self, record_id: str) -> Resolved | None:
        """In no scope: a record given by hand is read in one of its own."""
        row = self._rows.get(record_id)
        if row is None:
            return None
        record = self._record(row) if row.resolution == Resolution.RECORD else None
        return Resolved(bytes(row.sides), row.resolution, record)

    def _record(self, row: MergeConflict) -> bytes | None:
        with tenant_scope(self._keys.tenant_id, Principal.system(self._keys.tenant_id)):
            current = MergeConflict.objects.filter(pk=row.pk).first()
        return open_resolution(self._keys, current) if current is not None else None


def resolvers_of(merge: Merge) -> set[str]:
    """Inside a scope: the ids of all who decided on a conflict."""
    rows = MergeConflict.objects.filter(merge=merge, resolved_by__isnull=False).exclude(resolution=Resolution.NONE)
    return {str(by) for by in rows.values_list("resolved_by", flat=True).distinct()}


def seal_resolution(keys: DatasetKeys, conflict: MergeConflict, canonical: bytes) -> None:
    """Put the canonical record that shall stand in the merge on the row, which the caller saves."""
    conflict.secret = secrets.token_bytes(_SECRET_BYTES)
    conflict.record = keys.seal_row(_KIND, conflict.pk.bytes, conflict.secret, canonical)


def open_resolution(keys: DatasetKeys, conflict: MergeConflict) -> bytes | None:
    """The canonical record given by hand, if one was. Raises IntegrityFailure."""
    if conflict.record is None or conflict.secret is None:
        return None
    return keys.open(_KIND, conflict.pk.bytes, bytes(conflict.secret), bytes(conflict.record))


def forget_resolutions(dataset_id: UUID, record_ids: Sequence[str], *, until: datetime | None = None) -> int:
    """Inside a scope: drop what people put in by hand for these records, which are erased. Returns how many.

    With ``until`` only what they had put in by then.
    """
    rows = MergeConflict.objects.filter(merge__dataset_id=dataset_id, record_id__in=record_ids, record__isnull=False)
    if until is not None:
        rows = rows.filter(resolved_at__lte=until)
    return rows.update(record=None, secret=None, resolution=Resolution.NONE)
