"""Two regions with a store each, in folders of their own."""

from pathlib import Path
from typing import Any

from vaultsite.kernel.regions import parse_regions, storages_of

ATOMIC = "vaultsite.kernel.blobs.filesystem.AtomicFileSystemStorage"


def declare_regions(settings: Any, folder: Path, *, with_countries: bool = True, **more: Any) -> dict[str, Path]:
    """``eu`` (the default, for Germany and France) and ``us``; gives the folder of each.

    Without countries nothing that leaves is a transfer, and exports name no recipient.
    """
    store = {"backend": ATOMIC, "options": {"location": str(folder / "us")}}
    told = {
        "eu": {"default": True, "countries": ["DE", "FR"] if with_countries else []},
        "us": {"countries": ["US"] if with_countries else [], "database": True, "storage": store},
        **more,
    }
    settings.VAULT = {**settings.VAULT, "REGIONS": parse_regions(told), "ZONES": frozenset()}
    home = {"BACKEND": ATOMIC, "OPTIONS": {"location": str(folder / "eu")}}
    settings.STORAGES = {**settings.STORAGES, "vault": home, **storages_of(told)}
    return {"eu": folder / "eu", "us": folder / "us"}


def serve_only(settings: Any, *zones: str) -> None:
    """This process serves these zones."""
    settings.VAULT = {**settings.VAULT, "ZONES": frozenset(zones)}


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
