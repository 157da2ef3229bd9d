"""Branches and tags of a dataset: the picture of its history, and the forms that change what points where."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.selectors import people_named
from access.services.authorize import may
from datasets.models import Dataset
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.selectors import get_dataset
from datasets.services.branches import create_branch, delete_branch, list_branches, protect_branch
from datasets.services.graph import draw_history
from datasets.services.rollback import roll_back
from datasets.services.tags import create_tag, delete_tag, list_tags
from vaultsite.kernel.errors import InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_SHOWN: Final = 200
Change = Callable[[Principal, UUID, QueryDict], object]


def branches_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The history with its branches and tags; a form posted here changes one of them."""
    principal = resolve_principal(request)
    if request.method != "POST":
        return _page(request, open_dataset(request, dataset_id, action="version.read"))
    change = _CHANGES.get(request.POST.get("do", ""))
    if change is None:
        raise InvalidInput
    refusal = refusal_of(partial(change, principal, dataset_id, request.POST))
    if refusal is None:
        return HttpResponseRedirect(reverse("admin:datasets_branches", args=[dataset_id]))
    return _page(request, get_dataset(principal, dataset_id, action="version.read"), refusal)


def _page(request: HttpRequest, dataset: Dataset, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    graph = draw_history(dataset)
    people = people_named(principal, [dot.version.author for dot in graph.dots])
    context: dict[str, Any] = {
        "title": f"Branches of {dataset.name}",
        "graph": graph,
        "branches": list_branches(dataset, limit=_SHOWN),
        "version_tags": list_tags(dataset, limit=_SHOWN),
        "rows": [(dot, people[dot.version.author]) for dot in graph.dots],
        "people": people,
        "refusal": refusal,
        "given": request.POST,
        "may_write": may(principal, "branch.write"),
        "may_protect": may(principal, "branch.protect"),
        "may_read_records": may(principal, "record.read"),
    }
    page = render_page(request, "vault/branches.html", context, dataset=dataset, tab="datasets_branches")
    page.status_code = refusal.status if refusal else 200
    return page


def _create_branch(principal: Principal, dataset_id: UUID, given: QueryDict) -> object:
    source = given.get("version", "") or "main"
    return create_branch(principal, dataset_id=dataset_id, name=given.get("name", ""), source=source)


def _delete_branch(principal: Principal, dataset_id: UUID, given: QueryDict) -> None:
    delete_branch(principal, dataset_id=dataset_id, name=given.get("name", ""))


def _protect_branch(principal: Principal, dataset_id: UUID, given: QueryDict) -> object:
    is_protected = given.get("is_protected") == "1"
    return protect_branch(principal, dataset_id=dataset_id, name=given.get("name", ""), is_protected=is_protected)


def _roll_back(principal: Principal, dataset_id: UUID, given: QueryDict) -> object:
    return roll_back(
        principal,
        dataset_id=dataset_id,
        branch_name=given.get("name", ""),
        version=given.get("version", ""),
        message=given.get("message", "")[:1000],
        expected=given.get("expected", ""),
    )


def _create_tag(principal: Principal, dataset_id: UUID, given: QueryDict) -> object:
    return create_tag(
        principal,
        dataset_id=dataset_id,
        name=given.get("name", ""),
        version=given.get("version", "") or "main",
        message=given.get("message", "")[:1000],
    )


def _delete_tag(principal: Principal, dataset_id: UUID, given: QueryDict) -> None:
    delete_tag(principal, dataset_id=dataset_id, name=given.get("name", ""))


_CHANGES: Final[Mapping[str, Change]] = MappingProxyType(
    {
        "create-branch": _create_branch,
        "delete-branch": _delete_branch,
        "protect-branch": _protect_branch,
        "roll-back": _roll_back,
        "create-tag": _create_tag,
        "delete-tag": _delete_tag,
    }
)
