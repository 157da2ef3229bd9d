"""The canaries of a dataset in the browser."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.selectors import people_named
from datasets.pages.page import render_page
from datasets.pages.refusal import refusal_of
from datasets.selectors import get_dataset
from datasets.services.canaries import (
    MAX_CANARIES,
    allow_canary_reader,
    list_canaries,
    list_canary_readers,
    place_canaries,
    remove_canary,
    remove_canary_reader,
)
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


def canaries_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Which records are canaries and who may read them; forms posted here place and remove them."""
    principal = resolve_principal(request)
    if request.method != "POST":
        return _shown(request, principal, dataset_id)
    deed = _DEEDS.get(request.POST.get("do", ""))
    if deed is None:
        raise InvalidInput
    refusal = refusal_of(lambda: deed(principal, dataset_id, request.POST))
    if refusal is None:
        return HttpResponseRedirect(reverse("admin:datasets_canaries", args=[dataset_id]))
    return _shown(request, principal, dataset_id, refusal)


def _shown(
    request: HttpRequest, principal: Principal, dataset_id: UUID, refusal: VaultError | None = None
) -> HttpResponse:
    canaries = list_canaries(principal, dataset_id=dataset_id)
    readers = list_canary_readers(principal, dataset_id=dataset_id)
    dataset = get_dataset(principal, dataset_id, action="canary.manage")
    who = [
        *(row.placed_by for row in canaries),
        *(each for row in readers for each in (row.principal_id, row.added_by)),
    ]
    context = {
        "title": f"Canaries of {dataset.name}",
        "canaries": canaries,
        "readers": readers,
        "people": people_named(principal, who),
        "most": MAX_CANARIES,
        "given": request.POST if refusal else {},
        "refusal": refusal,
    }
    answer = render_page(request, "vault/canaries.html", context, dataset=dataset, tab="datasets_canaries")
    if refusal is not None:
        answer.status_code = refusal.status
    return answer


def _place(principal: Principal, dataset_id: UUID, given: QueryDict) -> None:
    place_canaries(principal, dataset_id=dataset_id, record_ids=given.get("record_ids", "").split())


def _remove(principal: Principal, dataset_id: UUID, given: QueryDict) -> None:
    remove_canary(principal, dataset_id=dataset_id, canary_id=_uuid(given, "canary"))


def _allow(principal: Principal, dataset_id: UUID, given: QueryDict) -> None:
    allow_canary_reader(principal, dataset_id=dataset_id, reader_id=_uuid(given, "reader"))


def _watch(principal: Principal, dataset_id: UUID, given: QueryDict) -> None:
    remove_canary_reader(principal, dataset_id=dataset_id, reader_id=_uuid(given, "reader"))


def _uuid(given: QueryDict, name: str) -> UUID:
    try:
        return UUID(given.get(name, ""))
    except ValueError:
        raise InvalidInput(errors=[FieldProblem(name, "an id")]) from None


_DEEDS: Final[Mapping[str, Callable[[Principal, UUID, QueryDict], None]]] = MappingProxyType(
    {"place": _place, "remove": _remove, "allow": _allow, "watch": _watch}
)
