"""The tabs over the pages of a dataset: a row of groups, and below it the pages of the group that is open."""

from dataclasses import dataclass
from typing import Final

from django.urls import reverse

from access.ports import grant_source
from access.services.authorize import may
from datasets.models import Dataset
from vaultsite.kernel.tenancy.principal import Principal


@dataclass(frozen=True)
class Tab:
    """A link to a page. ``current`` is what aria-current says: "page", "true" on the page's group, else nothing."""

    title: str
    url: str
    current: str


@dataclass(frozen=True)
class Tabs:
    """The groups, each leading to its first page, and the pages of the open group when it has more than one."""

    groups: list[Tab]
    pages: list[Tab]


#: By group: title, name of the admin path (its one argument is the dataset's id), action a reader must be allowed.
GROUPS: Final = (
    ("Overview", (("Overview", "datasets_dataset_page", "dataset.read"),)),
    (
        "Records",
        (
            ("Records", "datasets_records", "record.read"),
            ("Query", "datasets_query", "record.read"),
            ("Schema", "datasets_schemas", "dataset.read"),
        ),
    ),
    (
        "Privacy",
        (
            ("Findings", "datasets_findings", "record.read"),
            ("Anonymization", "datasets_anonymization", "record.read"),
            ("Quarantine", "datasets_quarantine", "detection.read"),
            ("Erasures", "datasets_erasures", "erasure.read"),
            ("Canaries", "datasets_canaries", "canary.manage"),
        ),
    ),
    (
        "History",
        (
            ("Branches", "datasets_branches", "version.read"),
            ("Compare", "datasets_compare", "record.read"),
            ("Merges", "datasets_merges", "version.read"),
            ("Drafts", "datasets_drafts", "version.read"),
            ("Lineage", "datasets_lineage", "version.read"),
        ),
    ),
    (
        "Releases",
        (
            ("Exports", "datasets_exports", "export.read"),
            ("Analytics tables", "datasets_guaranteed", "analytics.export"),
            ("Statistics", "datasets_statistics", "statistics.query"),
            ("Release rules", "datasets_release_rules", "release.rules.read"),
        ),
    ),
    ("Access", (("Access", "datasets_access", "access.own"),)),
    ("Storage", (("Storage", "datasets_storage", "storage.read"),)),
)
#: The page that a grant on the one dataset opens as well.
_BY_GRANT: Final = "datasets_records"


def tabs_for(principal: Principal, dataset: Dataset, current: str) -> Tabs:
    """The tabs this principal may open, on the page whose path is named ``current``."""
    tabs = Tabs([], [])
    for title, pages in GROUPS:
        allowed = [
            Tab(page, reverse(f"admin:{name}", args=[dataset.pk]), "page" if name == current else "")
            for page, name, action in pages
            if may(principal, action) or (name == _BY_GRANT and _is_granted(principal, dataset))
        ]
        if not allowed:
            continue
        is_open = any(name == current for _, name, _ in pages)
        is_alone = len(allowed) == 1
        state = ("page" if is_alone else "true") if is_open else ""
        tabs.groups.append(Tab(allowed[0].title if is_alone else title, allowed[0].url, state))
        if is_open and not is_alone:
            tabs.pages.extend(allowed)
    return tabs


def _is_granted(principal: Principal, dataset: Dataset) -> bool:
    """Whether somebody whose roles read no records was given to read those of ``dataset``, for whatever purpose."""
    granted = grant_source().rows_granted(principal, "record.read", None)
    return Dataset.objects.filter(granted, pk=dataset.pk).exists()
