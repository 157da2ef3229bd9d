"""Regions: where the operator says that data lies, and in which zone it may be processed.

Without a declaration the vault has one store and no say about where it stands. Once regions are declared, each has a
store of its own, one of them is the default (its store is the one that VAULT_STORAGE_* names), and this process serves
those whose zone is among VAULT_ZONES.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured

from vaultsite.kernel.errors import RegionNotServed

#: The alias in STORAGES of the default region, and of a vault without regions.
DEFAULT_STORE: Final = "vault"
_NAME: Final = re.compile(r"[a-z][a-z0-9-]{0,31}", re.ASCII)
_COUNTRY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_MEMBERS: Final = frozenset({"default", "zone", "countries", "storage", "replica", "database"})
_STORAGE_MEMBERS: Final = frozenset({"backend", "options"})
_REPLICA_MEMBERS: Final = frozenset({"region", "storage"})


@dataclass(frozen=True)
class Replica:
    """A second store of a region's objects; ``region`` says where that one stands."""

    region: str
    store: str


@dataclass(frozen=True)
class Region:
    """One declared region. ``store`` is an alias in STORAGES, ``countries`` are those (ISO 3166) that it covers."""

    name: str
    store: str
    zone: str
    countries: frozenset[str]
    is_default: bool
    replica: Replica | None = None
    #: Whether sealed records may wait in rows of the database, which stands in the default region.
    takes_rows: bool = True


def parse_regions(told: Mapping[str, Any]) -> dict[str, Region]:
    """The declaration, checked. Raises ImproperlyConfigured naming the member that does not fit."""
    regions = {name: _parse(name, members) for name, members in told.items()}
    if regions and sum(region.is_default for region in regions.values()) != 1:
        raise _wrong("exactly one region is the default: its store is that of VAULT_STORAGE_BACKEND")
    for region in regions.values():
        if region.replica is not None and region.replica.region != region.name:
            raise _wrong(f"the replica of {region.name} would stand in {region.replica.region[:40]!r}")
    _refuse_shared(told)
    return regions


def storages_of(told: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """What STORAGES gets for a checked declaration: a store for each region but the default, and for each replica."""
    found = {}
    for name, members in told.items():
        if "storage" in members:
            found[_store_of(name)] = _storage(members["storage"])
        if "replica" in members:
            found[_replica_of(name)] = _storage(members["replica"]["storage"])
    return found


def declared_regions() -> Mapping[str, Region]:
    """By name; empty for a vault without regions."""
    regions: Mapping[str, Region] = settings.VAULT["REGIONS"]
    return regions


def default_region() -> Region | None:
    """Where a dataset lies that names no region; None for a vault without regions."""
    return next((region for region in declared_regions().values() if region.is_default), None)


def region_of(name: str) -> Region | None:
    """The region a dataset of this region lies in, whether or not it is served here; None without regions.

    Raises RegionNotServed when no declared region has the name.
    """
    if not declared_regions():
        return None
    region = declared_regions().get(name) if name else default_region()
    if region is None:
        raise RegionNotServed("The region of this data is not declared to the vault")
    return region


def served_region(name: str) -> Region | None:
    """As ``region_of``, for a process that may process what lies there. Raises RegionNotServed."""
    region = region_of(name)
    if region is not None and not is_served(region):
        raise RegionNotServed
    return region


def is_served(region: Region) -> bool:
    """Whether the region's zone is one of this process; without VAULT_ZONES all are."""
    zones: Iterable[str] = settings.VAULT["ZONES"]
    return not zones or region.zone in zones


def served_stores() -> list[str]:
    """The aliases of the stores that this process may touch, of regions that it serves."""
    regions = declared_regions().values()
    return [region.store for region in regions if is_served(region)] if regions else [DEFAULT_STORE]


def require_served(stores: Iterable[str]) -> None:
    """Raises RegionNotServed when one of these aliases is of a region that this process does not serve."""
    if not set(stores) <= set(served_stores()):
        raise RegionNotServed


def _parse(name: str, members: Any) -> Region:
    if not _NAME.fullmatch(name):
        raise _wrong(f"{name[:40]!r} is no name: small letters, digits and hyphens")
    if not isinstance(members, Mapping) or (strange := sorted(set(members) - _MEMBERS)):
        what = ", ".join(strange) if isinstance(members, Mapping) else "it is no table"
        raise _wrong(f"{name} has unknown members: {what}")
    is_default = members.get("default", False)
    if not isinstance(is_default, bool):
        raise _wrong(f"{name}.default is true or false")
    takes_rows = members.get("database", is_default)
    if not isinstance(takes_rows, bool):
        raise _wrong(f"{name}.database is true or false")
    if is_default == ("storage" in members):
        raise _wrong(f"{name}: every region but the default has a storage of its own")
    if "storage" in members:
        _storage(members["storage"], of=name)
    return Region(
        name=name,
        store=DEFAULT_STORE if is_default else _store_of(name),
        zone=_zone(name, members.get("zone", name)),
        countries=_countries(name, members.get("countries", [])),
        is_default=is_default,
        replica=_replica(name, members["replica"]) if "replica" in members else None,
        takes_rows=takes_rows,
    )


def _refuse_shared(told: Mapping[str, Any]) -> None:
    """Two aliases of one place would be no two stores."""
    stores = [repr(sorted(store.items(), key=str)) for store in storages_of(told).values()]
    if len(set(stores)) != len(stores):
        raise _wrong("two of the storages are one")


def _zone(name: str, zone: Any) -> str:
    if not isinstance(zone, str) or not _NAME.fullmatch(zone):
        raise _wrong(f"{name}.zone is small letters, digits and hyphens")
    return zone


def _countries(name: str, countries: Any) -> frozenset[str]:
    is_list = isinstance(countries, list) and all(isinstance(one, str) for one in countries)
    if not is_list or not all(_COUNTRY.fullmatch(one) for one in countries):
        raise _wrong(f"{name}.countries are pairs of capitals of ISO 3166")
    return frozenset(countries)


def _replica(name: str, members: Any) -> Replica:
    if not isinstance(members, Mapping) or set(members) != _REPLICA_MEMBERS:
        raise _wrong(f"{name}.replica has a region and a storage")
    _storage(members["storage"], of=f"{name}.replica")
    return Replica(region=str(members["region"]), store=_replica_of(name))


def _storage(members: Any, *, of: str = "") -> dict[str, Any]:
    if not isinstance(members, Mapping) or "backend" not in members or set(members) - _STORAGE_MEMBERS:
        raise _wrong(f"{of}.storage has a backend and options")
    return {"BACKEND": str(members["backend"]), "OPTIONS": dict(members.get("options", {}))}


def _store_of(name: str) -> str:
    return f"{DEFAULT_STORE}-{name}"


def _replica_of(name: str) -> str:
    return f"replica-{name}"


def _wrong(what: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"VAULT_REGIONS: {what}")
