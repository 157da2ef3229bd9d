"""What the vault holds: datasets by classification, records, and kinds of personal data; never values."""

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from django.db.models import Count
from django.urls import reverse

from datasets.models import Dataset
from datasets.models.dataset import Classification
from datasets.services.overview import Overview, Share, summarize
from vaultsite.kernel.tenancy.principal import Principal

#: Kinds of personal data that are shown.
KINDS: Final = 8


@dataclass(frozen=True)
class Slice:
    """One classification; ``percent`` of all datasets that the reader may know of."""

    code: str
    name: str
    count: int
    percent: int
    url: str


@dataclass(frozen=True)
class Holdings:
    """``kinds`` are the KINDS kinds of personal data found most; ``others`` says how many more there are."""

    overview: Overview
    slices: list[Slice]
    kinds: list[Share]
    others: int


def holdings(principal: Principal) -> Holdings | None:
    """Counts over what the principal may know of; None for who may list no datasets."""
    overview = summarize(principal)
    if overview is None:
        return None
    rows = Dataset.objects.visible_to(principal).order_by().values_list("classification")
    counts = dict(rows.annotate(count=Count("pk")))
    total = sum(counts.values()) or 1
    slices = [
        Slice(code, str(name), counts[code], round(100 * counts[code] / total), _list_of(code))
        for code, name in Classification.choices
        if counts.get(code)
    ]
    return Holdings(overview, slices, overview.by_type[:KINDS], len(overview.by_type[KINDS:]))


def _list_of(classification: str) -> str:
    return f"{reverse('admin:datasets_dataset_changelist')}?{urlencode({'classification': classification})}"
