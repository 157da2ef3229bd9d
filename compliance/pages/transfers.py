"""The log of transfers in the browser, and where data may lie and be processed."""

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict

from access.pages.page import render_page
from compliance.models import TransferOutcome
from compliance.transfers.selectors import TransferFilter, list_transfers, with_names
from vaultsite.kernel.errors import InvalidCursor, InvalidInput
from vaultsite.kernel.regions import declared_regions
from vaultsite.kernel.tenancy.ports import resolve_principal

PAGE_SIZE: Final = 50
_COUNTRY_LETTERS: Final = 2


def transfers_page(request: HttpRequest) -> HttpResponse:
    """Transfers, the newest first."""
    principal = resolve_principal(request)
    wanted = _wanted(request.GET)
    found = list_transfers(principal, wanted=wanted, limit=PAGE_SIZE + 1, after=_id(request.GET, "after"))
    shown = found[:PAGE_SIZE]
    kept = {name: value for name, value in request.GET.items() if name != "after" and value}
    context = {
        "title": "Transfers",
        "rows": with_names(principal, shown),
        "regions": [(region, ", ".join(sorted(region.countries))) for region in declared_regions().values()],
        "outcomes": TransferOutcome.choices,
        "outcome": wanted.outcome,
        "country": wanted.country,
        "is_filtered": bool(kept),
        "next_query": urlencode(kept | {"after": str(shown[-1].pk)}) if len(found) > PAGE_SIZE else "",
    }
    return render_page(request, "vault/transfers.html", context)


def _wanted(given: QueryDict) -> TransferFilter:
    outcome, country = given.get("outcome", ""), given.get("country", "").strip().upper()
    if outcome and outcome not in TransferOutcome.values:
        raise InvalidInput
    return TransferFilter(outcome, country[:_COUNTRY_LETTERS], _id(given, "dataset"), _id(given, "party"))


def _id(given: QueryDict, name: str) -> UUID | None:
    try:
        return UUID(str(given[name])) if given.get(name) else None
    except ValueError as exc:
        raise InvalidCursor from exc


PATHS: Final = (("transfers/", transfers_page, "transfers"),)
