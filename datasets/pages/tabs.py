"""The tabs over the pages of a dataset."""

from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from access.services.authorize import may
from datasets.models import Dataset
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class Tab:
    title: str
    url: str
    is_open: bool


@dataclass(frozen=True)
class Tabs:
    """The tabs in a row, and the rare ones, of which only the open one is in the row."""

    row: list[Tab]
    more: list[Tab]


#: Title, name of the admin path (its one argument is the dataset's id), action a reader must be allowed.
TABS: Final = (
    ("Overview", "datasets_dataset_page", "dataset.read"),
    ("Records", "datasets_records", "record.read"),
    ("Findings", "datasets_findings", "record.read"),
    ("Anonymization", "datasets_anonymization", "record.read"),
    ("Quarantine", "datasets_quarantine", "detection.read"),
    ("Query", "datasets_query", "record.read"),
    ("Statistics", "datasets_statistics", "statistics.query"),
    ("Branches", "datasets_branches", "version.read"),
    ("Compare", "datasets_compare", "record.read"),
    ("Merges", "datasets_merges", "version.read"),
    ("Drafts", "datasets_drafts", "version.read"),
    ("Schema", "datasets_schemas", "dataset.read"),
    ("Lineage", "datasets_lineage", "version.read"),
    ("Access", "datasets_access", "access.own"),
    ("Exports", "datasets_exports", "export.read"),
    ("Analytics", "datasets_guaranteed", "analytics.export"),
    ("Storage", "datasets_storage", "storage.read"),
    ("Erasures", "datasets_erasures", "erasure.read"),
)
RARE: Final = frozenset({"datasets_storage", "datasets_erasures"})


def tabs_for(principal: Principal, dataset: Dataset, current: str) -> Tabs:
    """The tabs this principal may open."""
    tabs = Tabs([], [])
    for title, name, action in TABS:
        if may(principal, action):
            place = tabs.more if name in RARE and name != current else tabs.row
            place.append(Tab(title, reverse(f"admin:{name}", args=[dataset.pk]), name == current))
    return tabs
