"""The first rows of an export that is not asked for yet."""

from typing import Final

from datasets.services.exports.options import ExportOptions
from datasets.services.exports.rows import Row, RowMaker
from datasets.services.ingest.commit import new_seed
from datasets.services.read import Release

#: Records looked at for rows to show.
_LOOKED_AT: Final = 1_000
#: Characters shown of one row.
_SHOWN: Final = 1_500


def preview_rows(release: Release, options: ExportOptions, *, count: int = 3) -> list[str]:
    """JSON lines of the first rows, cut to a length; fresh ids are not those of the export. Raises NotScanned."""
    sample = options.sample
    limit = sample.limit() if sample is not None and not sample.size else None
    found: list[str] = []
    for number, row in enumerate(RowMaker(release, options, new_seed(), limit=limit).rows(None)):
        if isinstance(row, Row):
            release.note_leaving((row.source_id,))
            text = row.line.decode()
            found.append(text if len(text) <= _SHOWN else f"{text[:_SHOWN]} ..")
        if len(found) >= count or number >= _LOOKED_AT:
            break
    return found
