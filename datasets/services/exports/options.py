"""What somebody asks of an export."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from datasets.models import Export, ExportCompression, ExportFormat
from datasets.query import Filter, parse_filter
from datasets.services.exports.selection import Sample, Split


@dataclass(frozen=True)
class ExportOptions:
    """``fields`` picks members of data (none: all). ``envelope`` writes {id, data, metadata} instead of data."""

    format: ExportFormat = ExportFormat.JSONL
    compression: ExportCompression = ExportCompression.NONE
    fields: tuple[str, ...] = ()
    filter: Filter = field(default_factory=Filter)
    split: Split | None = None
    sample: Sample | None = None
    envelope: bool = False
    byte_order_mark: bool = False

    def as_json(self) -> dict[str, Any]:
        """What may be stored in the clear: of the filter its shape alone."""
        return {
            "fields": list(self.fields),
            "filter": self.filter.shape if self.filter.node else "",
            "split": self.split.as_json() if self.split else None,
            "sample": self.sample.as_json() if self.sample else None,
            "envelope": self.envelope,
            "byte_order_mark": self.byte_order_mark,
        }

    @classmethod
    def of(cls, export: Export, content: Mapping[str, Any] | None) -> Self:
        """The options of a stored export; ``content`` is its filter as JSON, opened."""
        stored = export.options
        return cls(
            format=ExportFormat(export.format),
            compression=ExportCompression(export.compression),
            fields=tuple(stored["fields"]),
            filter=parse_filter(content),
            split=Split.of(stored["split"]),
            sample=Sample.of(stored["sample"]),
            envelope=stored["envelope"],
            byte_order_mark=stored["byte_order_mark"],
        )

    @property
    def needs_survey(self) -> bool:
        """Whether a first pass over the rows must come before the first can be written."""
        by_size = self.sample is not None and self.sample.size > 0
        return by_size or self.needs_columns

    @property
    def needs_columns(self) -> bool:
        is_known = self.format == ExportFormat.CSV and (bool(self.fields) or self.envelope)
        return self.format != ExportFormat.JSONL and not is_known
