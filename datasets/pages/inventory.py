"""The inventory of personal data over all datasets, on screen and as a file."""

from collections import Counter
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from access.selectors import people_named
from datasets.api.search import csv_answer
from datasets.pages.page import render_page
from datasets.services.inventory import every_holding, list_holdings
from datasets.services.overview import shares
from vaultsite.kernel.tenancy.ports import resolve_principal

#: Datasets of one page.
_PAGE = 100


def inventory_page(request: HttpRequest) -> HttpResponse:
    """Personal data by type and dataset: owner, purposes, region, last access."""
    principal = resolve_principal(request)
    wanted = request.GET.get("type", "")[:64]
    if request.GET.get("format") == "csv":
        return csv_answer(every_holding(principal, entity_type=wanted))
    after = _uuid(request.GET.get("after", ""))
    found, next_after = list_holdings(principal, after=after, limit=_PAGE, entity_type=wanted)
    by_type: Counter[str] = Counter()
    for one in found:
        if one.entity_type:
            by_type[one.entity_type] += one.findings
    context = {
        "title": "Inventory of personal data",
        "holdings": found,
        "people": people_named(principal, [one.dataset.created_by for one in found]),
        "by_type": shares(by_type),
        "type": wanted,
        "next_after": next_after,
    }
    return render_page(request, "vault/inventory.html", context)


def _uuid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
