"""Paths of the screens below ``/admin/datasets/dataset/``: route, view, name."""

from collections.abc import Callable
from typing import Any, Final

from django.http import HttpResponse

from datasets.pages.branches import branches_page
from datasets.pages.inventory import inventory_page
from datasets.pages.lineage import lineage_page

PATHS: Final[tuple[tuple[str, Callable[..., HttpResponse], str], ...]] = (
    ("inventory/", inventory_page, "datasets_inventory"),
    ("<uuid:dataset_id>/lineage/", lineage_page, "datasets_lineage"),
    ("<uuid:dataset_id>/branches/", branches_page, "datasets_branches"),
)


def bound(admin_view: Callable[[Any], Any]) -> list[tuple[str, Any, str]]:
    """The paths with every view behind the site's sign-in, scope and error pages."""
    return [(route, admin_view(view), name) for route, view, name in PATHS]
