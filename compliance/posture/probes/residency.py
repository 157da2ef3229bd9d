"""Residency: objects lie where their dataset's region says, are read from nowhere else, and leave only under cover."""

from typing import Final
from uuid import UUID, uuid4

from django.core.files.storage import InMemoryStorage
from django.db.models import OuterRef, Subquery

from compliance.models import Party, RefusedBecause, Safeguard
from compliance.posture.borders import bordered_region, crossings
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import sandbox
from compliance.transfers.rule import Way
from datasets.errors.residency import OutsideRegion
from datasets.models import Blob, Dataset
from datasets.services.places import Place, sealed_at
from vaultsite.kernel.blobs import BlobStore, new_blob_name
from vaultsite.kernel.errors import BlobMissing, RegionNotServed
from vaultsite.kernel.regions import DEFAULT_STORE, Region, region_of

#: A read from elsewhere, and two ways that are judged; an export of each kind where a region has borders.
_ATTEMPTS: Final = 3
_CROSSINGS: Final = 3
_ELSEWHERE: Final = "elsewhere"
_HOME: Final = Region("home", DEFAULT_STORE, "home", frozenset({"DE"}), is_default=True)


def probe(tenant_id: UUID) -> Outcome:
    with sandbox(tenant_id):
        region = Dataset.objects.filter(pk=OuterRef("dataset_id")).values("region")
        lying = Blob.objects.annotate(region=Subquery(region)).exclude(region=None)
        places = list(lying.order_by().values_list("region", "store").distinct())
        is_judged = _is_covered(Safeguard.CLAUSES) and not _is_covered(Safeguard.NONE)
        bordered = bordered_region()
        crossed = crossings(tenant_id, bordered) if bordered else []
    strays = [(name or "none", store) for name, store in places if _strays(name, store)]
    breaches = [f"objects of region {name} lie in the store {store}" for name, store in strays]
    if _is_read(_ELSEWHERE):
        breaches.append("an object was read from a store that is not its dataset's")
    if not is_judged:
        breaches.append("a transfer was judged without its safeguard")
    attempts = _ATTEMPTS + (_CROSSINGS if bordered else 0)
    return judged(breaches + crossed, stores=len({store for _, store in places}), attempts=attempts)


def _strays(name: str, store: str) -> bool:
    try:
        region = region_of(name)
    except RegionNotServed:
        return True
    return store != (region.store if region else DEFAULT_STORE)


def _is_read(store: str) -> bool:
    """Whether the bytes are looked for at all, in a store that holds none."""
    place = Place(
        pk=uuid4(),
        digest=bytes(32),
        kind="chunk",
        blob_id=uuid4(),
        name=new_blob_name("probe"),
        store=store,
        offset=0,
        length=1,
        sidecar_offset=1,
        sidecar_length=1,
        key_id=uuid4(),
        secret=bytes(32),
        is_damaged=False,
    )
    try:
        sealed_at(BlobStore(InMemoryStorage()), place)
    except OutsideRegion:
        return False
    except BlobMissing:
        return True
    return True


def _is_covered(safeguard: Safeguard) -> bool:
    way = Way(_HOME, Party(country="US", safeguard=safeguard))
    return way.lack() == RefusedBecause.NOTHING
