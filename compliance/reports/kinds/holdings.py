"""Reports on what personal data is held where, and on who was given health or card data."""

from collections.abc import Callable, Iterator
from typing import Final
from uuid import UUID

from compliance.reports.events import COLUMNS, PAGE_COLUMNS, event_rows
from compliance.reports.kind import Ask, Measure, ReportKind, Row
from compliance.reports.kinds.access import ACCESSES, REFUSED
from datasets.services.inventory import Holding, every_holding
from vaultsite.kernel.events.event import EventType

#: Types of findings that make a dataset one of health data, and one of card data.
HEALTH: Final = frozenset({"HEALTH", "MEDICAL_RECORD_NUMBER", "HEALTH_INSURANCE_NUMBER", "UK_NHS", "US_MBI"})
CARDS: Final = frozenset({"CREDIT_CARD"})
DISCLOSURES: Final = (EventType.EXPORTED, EventType.EXPORTED_ANALYTICS, EventType.ACCESS_COMPLETED)
_COLUMNS: Final = (
    *("dataset_id", "dataset", "classification", "region", "personal_data", "findings", "fields", "records"),
    *("owner", "purposes", "last_read", "retention_days", "legal_hold"),
)
_TYPES_NOTE: Final = "A dataset counts by what was found in the newest version of its main branch."


def _holdings(ask: Ask) -> list[Holding]:
    """Of datasets that the asker may see, in one scope."""
    with ask.scope():
        found = list(every_holding(ask.asker))
    return [one for one in found if not ask.datasets or one.dataset.pk in ask.datasets]


def _inventory(ask: Ask) -> Iterator[Row]:
    return map(_holding, _holdings(ask))


def _cards(ask: Ask) -> Iterator[Row]:
    return (_holding(one) for one in _holdings(ask) if one.entity_type in CARDS)


def _holding(one: Holding) -> Row:
    dataset = one.dataset
    return (
        *(str(dataset.pk), dataset.name, dataset.classification, dataset.region, one.entity_type, one.findings),
        *(" ".join(one.fields), one.records, one.owner, " ".join(one.purposes), one.last_read_at),
        *(dataset.retention_days, "yes" if dataset.legal_hold else "no"),
    )


def _of_health(types: tuple[EventType, ...]) -> Callable[[Ask], Iterator[Row]]:
    def rows(ask: Ask) -> Iterator[Row]:
        return event_rows(ask, types, datasets=_with_health(ask))

    return rows


def _with_health(ask: Ask) -> frozenset[UUID]:
    return frozenset(one.dataset.pk for one in _holdings(ask) if one.entity_type in HEALTH)


KINDS: Final = (
    ReportKind(
        code="data_inventory",
        title="Inventory of personal data",
        about=(
            "Which kinds of personal data were found in which dataset, how often, in which fields, and for "
            "which purposes it was read."
        ),
        maps_to=("GDPR Art. 30", "SOC 2 CC6.1", "HIPAA 164.308(a)(1)(ii)(A)"),
        columns=_COLUMNS,
        rows=_inventory,
        breakdowns=("personal_data", "classification", "dataset", "region"),
        measures=(Measure("Under legal hold", "legal_hold", frozenset({"yes"})),),
        notes=(_TYPES_NOTE,),
        scopes=("datasets",),
        page_columns=_COLUMNS[1:],
    ),
    ReportKind(
        code="pci_pan",
        title="Card numbers",
        about=(
            "Datasets in which card numbers were found. They are stored sealed alone, and shown at most with "
            "the first six and last four digits unless a role reads raw."
        ),
        maps_to=("PCI DSS 3.2", "PCI DSS 3.4", "PCI DSS 3.5"),
        columns=_COLUMNS,
        rows=_cards,
        breakdowns=("dataset", "classification"),
        notes=(_TYPES_NOTE, "Verification values, PINs and tracks are refused when records are taken in."),
        scopes=("datasets",),
        page_columns=_COLUMNS[1:],
    ),
    ReportKind(
        code="hipaa_phi",
        title="Access to health data",
        about=(
            "Every decision on datasets in which health data was found: who, when, for which purpose, and how it ended."
        ),
        maps_to=("HIPAA 164.312(b)", "HIPAA 164.308(a)(1)(ii)(D)"),
        columns=COLUMNS,
        rows=_of_health(ACCESSES),
        breakdowns=("actor", "dataset", "purpose", "outcome"),
        measures=(Measure("Refused", "outcome", REFUSED, "status=denied"),),
        time="time",
        query="type=data.access.*",
        notes=(_TYPES_NOTE,),
        needs=("audit.read",),
        page_columns=PAGE_COLUMNS,
    ),
    ReportKind(
        code="hipaa_disclosures",
        title="Disclosures of health data",
        about=(
            "What left the vault of datasets in which health data was found: exports, downloads and streams "
            "that ended, with how much went out."
        ),
        maps_to=("HIPAA 164.528",),
        columns=COLUMNS,
        rows=_of_health(DISCLOSURES),
        breakdowns=("event_type", "actor", "dataset", "purpose"),
        time="time",
        query="type=" + ",".join(DISCLOSURES),
        notes=(_TYPES_NOTE, "Where records went after the vault had released them is not in the audit."),
        needs=("audit.read",),
        page_columns=PAGE_COLUMNS,
    ),
)
