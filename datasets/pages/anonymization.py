"""The screen that shows records as they are beside what an anonymization policy would make of them."""

from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse

from access.services.authorize import may
from anonymization.policies.presets import PRESETS
from anonymization.services.policies import policy_choices
from datasets.pages.compare import needs_purpose, purpose_page
from datasets.pages.page import empty_page, open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.selectors import get_dataset
from datasets.services.anonymization_preview import Preview, Tried, preview_policy
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import current_scope

_RECORDS: Final = 5
_TAB: Final = "datasets_anonymization"


@dataclass(frozen=True)
class Sides:
    """One record on both sides, as JSON text."""

    id: str
    findings: int
    before: str
    after: str


def anonymization_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The form; with a policy chosen, the first records side by side. What is shown raw takes a purpose."""
    principal = resolve_principal(request)
    chosen = request.GET.get("policy", "")[:80]
    if not chosen:
        open_dataset(request, dataset_id)
        return _page(request, dataset_id)
    if needs_purpose(request):
        return purpose_page(request, open_dataset(request, dataset_id))
    nothing = empty_page(request, dataset_id, title="Anonymization of", tab=_TAB)
    if nothing is not None:
        return nothing
    name, _, number = chosen.partition("@")
    tried = Tried(name, int(number) if number.isdecimal() and len(number) < 10 else None)  # noqa: PLR2004 - its column
    version = request.GET.get("version", "")[:64] or "main"
    found: list[Preview] = []

    def look() -> None:
        found.append(preview_policy(principal, dataset_id=dataset_id, version=version, tried=tried, limit=_RECORDS))

    refusal = refusal_of(look)
    return _page(request, dataset_id, found[0] if found else None, refusal)


def _page(
    request: HttpRequest, dataset_id: UUID, preview: Preview | None = None, refusal: VaultError | None = None
) -> HttpResponse:
    principal = resolve_principal(request)
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    context: dict[str, Any] = {
        "title": f"Anonymization of {dataset.name}",
        "chosen": preview.policy if preview and preview.policy else request.GET.get("policy", ""),
        "version": request.GET.get("version", "") or "main",
        "policies": policy_choices() if may(principal, "anonymization.read") else [],
        "presets": [(f"preset:{name}", preset.title) for name, preset in PRESETS.items()],
        "preview": preview,
        "sides": [_sides(one.id, one.findings, one.before, one.after) for one in preview.records] if preview else [],
        "refusal": refusal,
        "purpose": current_scope().purpose,
    }
    page = render_page(request, "vault/anonymization.html", context, dataset=dataset, tab=_TAB)
    page.status_code = refusal.status if refusal else 200
    return page


def _sides(record_id: str, findings: int, before: dict[str, Any], after: dict[str, Any]) -> Sides:
    return Sides(record_id, findings, _pretty(before["data"]), _pretty(after["data"]))


def _pretty(content: Any) -> str:
    return orjson.dumps(content, option=orjson.OPT_INDENT_2).decode()
