"""Screens of a dataset's life: archive and restore, the deleted ones, and what the organization may keep."""

from functools import partial
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.services.authorize import may
from datasets.models import Dataset
from datasets.pages.page import render_page
from datasets.pages.refusal import refusal_of
from datasets.services import lifecycle, quotas
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_UNITS: Final = (("bytes", "Sealed bytes"), ("datasets", "Datasets"), ("records", "Records"))
_LONGEST: Final = 18


def change_state(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Archive a dataset or restore it, then its page again."""
    changes = {"archive": lifecycle.archive_dataset, "restore": lifecycle.restore_dataset}
    change = changes.get(request.POST.get("do", ""))
    if change is None:
        raise InvalidInput
    change(resolve_principal(request), dataset_id=dataset_id)
    return HttpResponseRedirect(reverse("admin:datasets_dataset_page", args=[dataset_id]))


def deleted_page(request: HttpRequest) -> HttpResponse:
    """The deleted datasets; a form posted here restores one, or purges it at once."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(partial(_end_or_undo, principal, request.POST))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:datasets_deleted"))
        found = list(Dataset.objects.deleted_to(principal).order_by("delete_after", "pk"))
    else:
        found = lifecycle.list_deleted(principal)
    context: dict[str, Any] = {
        "title": "Deleted datasets",
        "datasets": found,
        "days": settings.DELETE_UNDO_DAYS,
        "refusal": refusal,
    }
    return _answer(request, "vault/deleted.html", context, refusal)


def _end_or_undo(principal: Principal, given: QueryDict) -> None:
    dataset_id = _uuid(given.get("dataset", ""))
    if given.get("do") == "restore":
        lifecycle.restore_dataset(principal, dataset_id=dataset_id)
    elif given.get("do") == "purge":
        named = Dataset.objects.deleted_to(principal).filter(pk=dataset_id, name=given.get("name", "")).exists()
        if not named and Dataset.objects.deleted_to(principal).filter(pk=dataset_id).exists():
            raise InvalidInput("Type the dataset's name to purge it", errors=[FieldProblem("name", "another name")])
        lifecycle.purge_dataset(principal, dataset_id=dataset_id)
    else:
        raise InvalidInput


def quotas_page(request: HttpRequest) -> HttpResponse:
    """Limits and usage as bars; a form posted here sets the limits."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: quotas.set_quotas(principal, limits=_limits(request.POST)))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:datasets_quotas"))
        measures = quotas.measure()
    else:
        measures = quotas.read_quotas(principal)
    titles = dict(_UNITS)
    context: dict[str, Any] = {
        "title": "Quotas",
        "measures": [(titles[measure.kind], measure) for measure in measures],
        "may_manage": may(principal, "quota.manage"),
        "refusal": refusal,
    }
    return _answer(request, "vault/quotas.html", context, refusal)


def _limits(given: QueryDict) -> dict[str, int | None]:
    """The numbers typed; empty: no limit. Raises InvalidInput."""
    typed = {kind: given.get(kind, "").strip() for kind, _ in _UNITS}
    wrong = [
        FieldProblem(kind, f"{title}: a whole number, or nothing for no limit")
        for kind, title in _UNITS
        if typed[kind] and not (typed[kind].isascii() and typed[kind].isdigit() and len(typed[kind]) <= _LONGEST)
    ]
    if wrong:
        raise InvalidInput(errors=wrong)
    return {kind: int(text) if text else None for kind, text in typed.items()}


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput from None


def _answer(request: HttpRequest, template: str, context: dict[str, Any], refusal: VaultError | None) -> HttpResponse:
    page = render_page(request, template, context)
    page.status_code = refusal.status if refusal else 200
    return page
