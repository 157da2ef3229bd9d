"""What every screen of a dataset shares: the decision, the tabs, the frame."""

from typing import Any
from uuid import UUID

from django.contrib import admin
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from access.services.authorize import authorize, may
from datasets.models import Dataset, Version
from datasets.pages.tabs import tabs_for
from datasets.selectors import get_dataset, resource_of
from vaultsite.kernel.tenancy.ports import resolve_principal


def open_dataset(request: HttpRequest, dataset_id: UUID, *, action: str = "dataset.read") -> Dataset:
    """The dataset of a page, decided on for ``action``. Raises DatasetNotFound, AccessDenied."""
    principal = resolve_principal(request)
    dataset = get_dataset(principal, dataset_id, action=action)
    authorize(principal, action, resource_of(dataset))
    return dataset


def empty_page(request: HttpRequest, dataset_id: UUID, *, title: str, tab: str) -> HttpResponse | None:
    """The page of a dataset that has no version yet, decided on as reading its records is; None for any other.

    Raises DatasetNotFound, AccessDenied, PurposeRequired.
    """
    principal = resolve_principal(request)
    dataset = get_dataset(principal, dataset_id, action="record.read")
    if Version.objects.filter(dataset=dataset).exists():
        return None
    authorize(principal, "record.read", resource_of(dataset))
    context = {"title": f"{title} {dataset.name}", "may_write": may(principal, "record.write")}
    return render_page(request, "vault/nothing_yet.html", context, dataset=dataset, tab=tab)


def render_page(
    request: HttpRequest, template: str, context: dict[str, Any], *, dataset: Dataset | None = None, tab: str = ""
) -> HttpResponse:
    """A page in the admin's frame; with ``dataset`` under its tabs, ``tab`` (a path name) being the open one."""
    frame = admin.site.each_context(request)
    if dataset is not None:
        frame |= {"dataset": dataset, "dataset_tabs": tabs_for(resolve_principal(request), dataset, tab)}
    return TemplateResponse(request, template, frame | context)
