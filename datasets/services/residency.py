"""Where the objects of a dataset lie: in the store of its region, and in no other."""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Final
from uuid import UUID

from datasets.errors import DatasetNotFound
from datasets.errors.residency import OutsideRegion, RegionFixed, SeveralRegions, UnknownRegion
from datasets.models import Dataset
from vaultsite.kernel.blobs import BlobStore
from vaultsite.kernel.regions import DEFAULT_STORE, declared_regions, default_region, served_region

#: Datasets whose region this process remembers.
_REMEMBERED: Final = 10_000


def region_for(wanted: str) -> str:
    """The region that a new dataset gets for what was asked for: the default one where nothing was.

    Without declared regions it is a remark that nothing depends on. Raises UnknownRegion.
    """
    if not declared_regions():
        return wanted
    if not wanted:
        default = default_region()
        return default.name if default else ""
    if wanted not in declared_regions():
        raise UnknownRegion(regions=sorted(declared_regions()))
    return wanted


def region_change(dataset: Dataset, wanted: str | None) -> str | None:
    """What is to be written as the region of a dataset that exists; None leaves it as it is.

    A declared region stays, and saying nothing of it changes nothing. Raises RegionFixed.
    """
    if not declared_regions():
        return wanted
    if wanted and wanted != dataset.region:
        raise RegionFixed
    return None


@dataclass(frozen=True)
class Home:
    """Where a dataset lies: the alias of its store, and whether sealed records of it may wait in rows as well."""

    store: str = DEFAULT_STORE
    takes_rows: bool = True


def home_of(dataset_id: UUID) -> Home:
    """In the open scope. Raises DatasetNotFound, RegionNotServed."""
    region = served_region(_region(dataset_id)) if declared_regions() else None
    return Home() if region is None else Home(region.store, region.takes_rows)


def common_store(dataset_ids: Iterable[UUID]) -> str:
    """The alias of the one store where all these datasets lie, in the open scope; the default one for none of them.

    Raises SeveralRegions, DatasetNotFound, RegionNotServed.
    """
    stores = {home_of(one).store for one in dataset_ids}
    if len(stores) > 1:
        raise SeveralRegions
    return stores.pop() if stores else DEFAULT_STORE


@lru_cache(maxsize=_REMEMBERED)
def _region(dataset_id: UUID) -> str:
    """Remembered: it never changes. Ids are random, so no tenant can ask for another's."""
    region = Dataset.objects.filter(pk=dataset_id).values_list("region", flat=True).first()
    if region is None:
        raise DatasetNotFound
    return region


def require_store(named: str, blobs: BlobStore) -> None:
    """Raises OutsideRegion unless the store that a row names is the one that the dataset's objects are read from."""
    if named != blobs.alias:
        raise OutsideRegion
