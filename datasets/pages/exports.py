"""Exports in the browser: the list, the wizard, one export with its progress and files, its passport."""

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from access.selectors import known_purposes
from access.services.authorize import may
from datasets.api.exports import ExportInput, address_url
from datasets.models import Dataset, Export, ExportCompression, ExportFormat
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.ports import transfer_rule
from datasets.selectors import get_dataset, list_versions
from datasets.services.exports.download import make_address, open_passport
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.preview import preview_rows
from datasets.services.exports.request import (
    create_export,
    get_export,
    list_exports,
    require_permission,
    withdraw_export,
)
from datasets.services.exports.selection import SPLITS
from datasets.services.read import open_release
from vaultsite.kernel.api.problem import as_vault_error
from vaultsite.kernel.errors import InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import current_scope

_LISTED: Final = 50
_VERSIONS: Final = 100
_TAB: Final = "datasets_exports"
_MEMBERS: Final = (
    "version", "purpose", "recipient", "format", "compression", "fields", "filter", "envelope", "byte_order_mark",
    "train", "validation", "test", "salt", "rate", "size", "seed",
)  # fmt: skip


def exports_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The reader's own exports of a dataset."""
    principal = resolve_principal(request)
    exports = list_exports(principal, dataset_id=dataset_id, limit=_LISTED)
    dataset = get_dataset(principal, dataset_id, action="export.read")
    context = {
        "title": f"Exports of {dataset.name}",
        "exports": exports,
        "days": settings.EXPORT_DAYS,
        "may_read": may(principal, "record.read"),
    }
    return render_page(request, "vault/exports.html", context, dataset=dataset, tab=_TAB)


def export_wizard(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """GET shows the questions; POST reviews the answers, shows them again to change, or makes the export."""
    step = request.POST.get("do", "") if request.method == "POST" else "change"
    if step == "change":
        return _questions(request, open_dataset(request, dataset_id, action="export.create"))
    made: list[HttpResponse] = []
    steps = {"review": _review, "create": _create}
    if step not in steps:
        raise InvalidInput
    refusal = refusal_of(lambda: made.append(steps[step](request, dataset_id)))
    if refusal is None:
        return made[0]
    return _questions(request, get_dataset(resolve_principal(request), dataset_id, action="export.create"), refusal)


def _questions(request: HttpRequest, dataset: Dataset, refusal: VaultError | None = None) -> HttpResponse:
    given = {name: request.POST.get(name, "") for name in _MEMBERS}
    context: dict[str, Any] = {
        "title": f"Export {dataset.name}",
        "versions": list_versions(dataset, after=None, limit=_VERSIONS),
        "purposes": known_purposes(),
        "recipients": [(str(one.id), one.name, one.country) for one in transfer_rule().recipients(dataset.region)],
        "formats": ExportFormat.choices,
        "compressions": ExportCompression.choices,
        "splits": [(name, given[name]) for name in SPLITS],
        "given": given | {"purpose": given["purpose"] or current_scope().purpose or ""},
        "refusal": refusal,
    }
    page = render_page(request, "vault/export_wizard.html", context, dataset=dataset, tab=_TAB)
    page.status_code = refusal.status if refusal else 200
    return page


def _review(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """What the reader will get, decided for the purpose that was picked."""
    principal = resolve_principal(request)
    version, purpose, _, options = _answers(request.POST)
    require_permission(principal, dataset_id)
    release = open_release(principal, dataset_id=dataset_id, version=version, purpose=purpose)
    context = {
        "title": f"Export {release.dataset.name}",
        "release": release,
        "shown_as": release.shown_as,
        "options": options,
        "format": options.format.label,
        "compression": options.compression.label,
        "rows": preview_rows(release, options),
        "days": settings.EXPORT_DAYS,
        "kept": [(name, request.POST.get(name, "")) for name in _MEMBERS],
    }
    return render_page(request, "vault/export_review.html", context, dataset=release.dataset, tab=_TAB)


def _create(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    version, purpose, recipient, options = _answers(request.POST)
    export = create_export(
        resolve_principal(request),
        dataset_id=dataset_id,
        version=version,
        options=options,
        purpose=purpose,
        recipient=recipient,
    )
    return HttpResponseRedirect(reverse("admin:datasets_export", args=[export.pk]))


def _answers(given: QueryDict) -> tuple[str, str | None, UUID | None, ExportOptions]:
    """Version, purpose, recipient and options of a filled form. Raises InvalidInput, InvalidFilter."""
    shares = {name: given[name] for name in SPLITS if given.get(name)}
    chosen = {name: given[name] for name in ("rate", "size") if given.get(name)}
    content: dict[str, Any] = {
        "version": given.get("version") or "main",
        "purpose": given.get("purpose", ""),
        "recipient": given.get("recipient") or None,
        "format": given.get("format") or "jsonl",
        "compression": given.get("compression", ""),
        "fields": [name for name in map(str.strip, given.get("fields", "").split(",")) if name],
        "filter": given.get("filter", "").strip() or None,
        "envelope": given.get("envelope") == "on",
        "byte_order_mark": given.get("byte_order_mark") == "on",
        "split": shares | {"salt": given.get("salt", "")} if shares else None,
        "sample": chosen | {"seed": given.get("seed", "")} if chosen else None,
    }
    body = ExportInput(data=content)
    if not body.is_valid():
        raise as_vault_error(ValidationError(body.errors))
    said = body.validated_data
    return said["version"], said["purpose"] or None, said["recipient"], body.options()


def export_page(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """One export: how far it is, its files, why it has none. A form posted here downloads a file or removes all."""
    principal = resolve_principal(request)
    if request.method != "POST":
        return _export(request, get_export(principal, export_id))
    do = request.POST.get("do", "")
    if do == "withdraw":
        withdraw_export(principal, export_id)
        return HttpResponseRedirect(reverse("admin:datasets_export", args=[export_id]))
    if do != "download":
        raise InvalidInput
    return HttpResponseRedirect(address_url(make_address(principal, export_id, name=request.POST.get("file", ""))))


def _export(request: HttpRequest, export: Export) -> HttpResponse:
    context = {
        "title": f"Export of {export.dataset.name}",
        "export": export,
        "shown_as": {"": "raw", "mask": "masked", "redact": "redacted"}.get(export.operator, export.operator),
        "problems": (export.error or {}).get("errors", []),
        "recipient": transfer_rule().name_of(export.recipient) if export.recipient else "",
    }
    return render_page(request, "vault/export.html", context, dataset=export.dataset, tab=_TAB)


def passport_page(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """What the passport says, and how to check it."""
    export, passport = open_passport(resolve_principal(request), export_id)
    context = {
        "title": f"Data passport of {export.dataset.name}",
        "export": export,
        "passport": passport,
        "findings": sorted(passport["scan"]["findings"].items(), key=lambda item: (-item[1], item[0])),
        "names": " ".join(file["name"] for file in passport["files"]),
    }
    return render_page(request, "vault/export_passport.html", context, dataset=export.dataset, tab=_TAB)
