"""Two versions side by side: what changed, word by word, as this reader may see it."""

from dataclasses import dataclass
from itertools import islice
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from access.selectors import known_purposes
from access.services.authorize import may
from datasets.models import Branch, Dataset, Version, VersionTag
from datasets.pages.page import empty_page, open_dataset, render_page
from datasets.services.diff import KINDS, Comparison, count_changes, open_comparison, shown_changes
from datasets.shown_change import ChangeCard, change_card
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import current_scope

PAGE_SIZE: Final = 10
_NAMES_SHOWN: Final = 200


@dataclass(frozen=True)
class CountBar:
    """How many records changed in one way, and how long its bar is in percent."""

    kind: str
    count: int
    share: int


@dataclass(frozen=True)
class ChangePage:
    """A page of changed records, and the id after which the next one begins."""

    cards: tuple[ChangeCard, ...]
    next_after: str | None


def compare_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Choose two versions and see what changed; first the purpose, then the data."""
    principal = resolve_principal(request)
    if needs_purpose(request):
        return purpose_page(request, open_dataset(request, dataset_id, action="dataset.read"))
    nothing = empty_page(request, dataset_id, title="Compare versions of", tab="datasets_compare")
    if nothing is not None:
        return nothing
    given = {name: request.GET.get(name, "")[:128] for name in ("from", "to", "kind", "after")}
    kinds = (given["kind"],) if given["kind"] in KINDS else KINDS
    comparison = open_comparison(principal, dataset_id=dataset_id, before=given["from"], after=given["to"] or "main")
    dataset = comparison.release.dataset
    context = comparison_context(comparison) | {
        "title": f"Compare versions of {dataset.name}",
        "page": change_page(comparison, after=given["after"] or None, kinds=kinds),
        "names": version_names(dataset),
        "kinds": KINDS,
        "kind": given["kind"],
        "after": given["after"],
    }
    return render_page(request, "vault/compare.html", context, dataset=dataset, tab="datasets_compare")


def comparison_context(comparison: Comparison) -> dict[str, Any]:
    """The versions, how they are shown, and the counts as bars."""
    release = comparison.release
    counts = count_changes(comparison)
    longest = max(1, *counts.values())
    return {
        "before": comparison.before,
        "version": comparison.after,
        "shown_as": release.shown_as,
        "purpose": release.decision.purpose,
        "bars": [CountBar(kind, count, round(100 * count / longest)) for kind, count in counts.items()],
        "total": sum(counts.values()),
    }


def change_page(comparison: Comparison, *, after: str | None, kinds: tuple[str, ...] = KINDS) -> ChangePage:
    """The next changed records after an id."""
    found = list(islice(shown_changes(comparison, after_id=after, kinds=kinds), PAGE_SIZE + 1))
    cards = [change_card(change) for change in found[:PAGE_SIZE]]
    comparison.release.note_leaving(card.id for card in cards)
    return ChangePage(tuple(cards), cards[-1].id if len(found) > PAGE_SIZE else None)


def version_names(dataset: Dataset) -> list[str]:
    """Branches, tags, and the newest versions by label: what a field that asks for a version offers."""
    branches = Branch.objects.filter(dataset=dataset).order_by("name").values_list("name", flat=True)
    tags = VersionTag.objects.filter(dataset=dataset).order_by("name").values_list("name", flat=True)
    labels = Version.objects.filter(dataset=dataset).order_by("-sequence").values_list("label", flat=True)
    return [*branches[:_NAMES_SHOWN], *tags[:_NAMES_SHOWN], *labels[:_NAMES_SHOWN]]


def needs_purpose(request: HttpRequest) -> bool:
    """Whether this reader has to say first what the records are for."""
    return current_scope().purpose is None and may(resolve_principal(request), "record.read")


def purpose_page(request: HttpRequest, dataset: Dataset) -> HttpResponse:
    """Ask for the purpose; the answer leads back to the page asked for."""
    principal = resolve_principal(request)
    context = {
        "title": f"Why do you read {dataset.name}?",
        "purposes": known_purposes() if may(principal, "purpose.read") else [],
        "kept": [(name, value) for name, value in request.GET.items() if name != "purpose"],
    }
    return render_page(request, "vault/purpose.html", context, dataset=dataset)
