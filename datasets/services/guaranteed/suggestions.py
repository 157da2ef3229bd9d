"""Which columns of a version may be quasi-identifiers, as the asker may see its records."""

from typing import Any, Final
from uuid import UUID

import orjson

from anonymization.guarantees.suggest import Suggestion, suggest
from anonymization.guarantees.table import encode
from datasets.services.read import Release, open_release, read_records
from vaultsite.kernel.tenancy.principal import Principal

SAMPLE: Final = 20_000
COLUMNS: Final = 60


def open_suggestions(principal: Principal, *, dataset_id: UUID, version: str, purpose: str | None) -> Release:
    """Decide on looking at records, in the open scope. Raises as open_release."""
    return open_release(principal, dataset_id=dataset_id, version=version, purpose=purpose)


def suggest_columns(release: Release, *, limit: int = SAMPLE) -> tuple[Suggestion, int]:
    """Look at the first ``limit`` records, at members of data that hold single values; needs no open scope.

    On the asker's view: what is hidden from it tells nothing here either. Returns how many records were looked at.
    """
    rows: list[dict[str, Any]] = []
    names: dict[str, None] = {}
    for record in read_records(release, limit=limit):
        row = {name: value for name, value in record.data.items() if not isinstance(value, dict | list)}
        for name in row:
            if len(names) < COLUMNS:
                names[name] = None
        rows.append(row)
    columns = {name: encode([orjson.dumps(row.get(name)) for row in rows])[0] for name in names}
    return suggest(columns), len(rows)
