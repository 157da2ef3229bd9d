"""The removal of a package's file: due once it was taken back, done when the bytes are gone from its store."""

import logging
from typing import Final

from django.db.models.functions import Now

from compliance.models import RequestPackage
from compliance.requests.package_parts import remove_file
from vaultsite.kernel.errors import RegionNotServed, StorageUnavailable
from vaultsite.kernel.regions import served_stores

_BATCH: Final = 200
logger = logging.getLogger("vault.packages")


def remove_now(package: RequestPackage) -> bool:
    """Delete the file, and say so in the row; False while its store is away or is not served here.

    Works as vault_system: it runs when the scope that took the package back has ended.
    """
    try:
        remove_file(package)
    except (StorageUnavailable, RegionNotServed) as away:
        logger.warning("the file of package %s is not removed yet: %s", package.pk, away.code)
        return False
    rows = RequestPackage.objects.using("system").filter(pk=package.pk, removed_at=None)
    return bool(rows.update(removed_at=Now()))


def remove_due() -> int:
    """As vault_system, over all tenants: try again to remove the files that are due; returns how many went.

    Each store by itself: one that is away keeps nothing of the others.
    """
    return sum(_remove_of(alias) for alias in ("", *served_stores()))


def _remove_of(store: str) -> int:
    rows = RequestPackage.objects.using("system").filter(store=store, removal_due_at__lt=Now(), removed_at=None)
    gone = 0
    for package in rows.order_by("removal_due_at")[:_BATCH]:
        if not remove_now(package):
            break
        gone += 1
    return gone
