"""The report on erasures of records: asked for, done, and what proves it."""

from collections.abc import Iterator
from typing import Final

from compliance.reports.events import Names
from compliance.reports.kind import Ask, Measure, ReportKind, Row
from compliance.reports.pages import in_pages
from datasets.models import Erasure

_COLUMNS: Final = (
    *("erasure_id", "asked_at", "dataset_id", "dataset", "asked_by_id", "asked_by", "state", "ended_at"),
    *("records_named", "records_found", "chunks_rewritten", "versions", "has_receipt", "error"),
)


def _erasures(ask: Ask) -> Iterator[Row]:
    found = Erasure.objects.filter(created_at__gte=ask.since, created_at__lt=ask.until)
    if ask.datasets:
        found = found.filter(dataset_id__in=ask.datasets)
    if ask.users:
        found = found.filter(requested_by__in=ask.users)
    names = Names()

    def shown(page: list[Erasure]) -> list[Row]:
        names.learn({one.requested_by for one in page}, {one.dataset_id for one in page})
        return [_shown(one, names) for one in page]

    return in_pages(ask, lambda: found, shown)


def _shown(one: Erasure, names: Names) -> Row:
    return (
        *(str(one.pk), one.created_at, str(one.dataset_id), names.dataset(one.dataset_id), str(one.requested_by)),
        *(names.actor(one.requested_by), one.status, one.finished_at, one.id_count, one.record_count),
        *(one.chunk_count, one.version_count, "yes" if one.receipt else "no", one.error_code),
    )


KINDS: Final = (
    ReportKind(
        code="gdpr_erasure",
        title="Erasures",
        about="Every erasure of records asked for in the period, how it ended, and whether its receipt was sealed.",
        maps_to=("GDPR Art. 17",),
        columns=_COLUMNS,
        rows=_erasures,
        breakdowns=("state", "dataset", "asked_by"),
        measures=(
            Measure("Done", "state", frozenset({"succeeded"}), "type=data.erased"),
            Measure("Failed", "state", frozenset({"failed"}), "type=data.erased&status=failure"),
            Measure("With a receipt", "has_receipt", frozenset({"yes"})),
        ),
        time="asked_at",
        query="type=data.erased",
        page_columns=(
            *("asked_at", "dataset", "asked_by", "state", "ended_at", "records_named", "records_found"),
            *("chunks_rewritten", "versions", "has_receipt", "error"),
        ),
    ),
)
