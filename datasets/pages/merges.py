"""Merges and merge requests of a dataset: ask, review, resolve."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.selectors import people_named
from access.services.authorize import authorize, may
from datasets.models import Dataset, Merge, MergeRequest, MergeStrategy, Resolution, Verdict
from datasets.pages.compare import (
    change_page,
    comparison_context,
    needs_purpose,
    purpose_page,
    version_names,
)
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.selectors import get_dataset, resource_of
from datasets.services.diff import open_comparison
from datasets.services.merges.conflicts import ShownConflict, open_conflicts, resolve_conflict
from datasets.services.merges.lookup import (
    count_conflicts,
    get_merge,
    get_merge_request,
    list_conflicts,
    list_merge_requests,
    list_merges,
)
from datasets.services.merges.requests import (
    Standing,
    authors_of,
    close_request,
    merge_request,
    open_merge_request,
    review_request,
    standing_of,
)
from datasets.services.merges.start import Wish, abandon_merge, continue_merge, start_merge
from datasets.shown_record import ShownRecord, show_record
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.jobs import enqueue
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_SHOWN: Final = 50
_CONFLICTS_SHOWN: Final = 10
_TAB: Final = "datasets_merges"
#: What a form gives, by name of what it does; the answer is where to go then.
Change = Callable[[Principal, UUID, QueryDict], str]


def merges_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Requests and merges of a dataset; a form posted here opens one."""
    principal = resolve_principal(request)
    if request.method != "POST":
        return _merges(request, open_dataset(request, dataset_id, action="version.read"))
    refusal, leads_to = _changed(request, dataset_id, _ON_DATASET)
    if refusal is None:
        return HttpResponseRedirect(leads_to)
    return _merges(request, get_dataset(principal, dataset_id, action="version.read"), refusal)


def _changed(request: HttpRequest, identifier: UUID, changes: Mapping[str, Change]) -> tuple[VaultError | None, str]:
    """Do what the form says: why not, and where to go."""
    change = changes.get(request.POST.get("do", ""))
    if change is None:
        raise InvalidInput
    led: list[str] = []
    principal = resolve_principal(request)
    refusal = refusal_of(lambda: led.append(change(principal, identifier, request.POST)))
    return refusal, led[0] if led else ""


def _merges(request: HttpRequest, dataset: Dataset, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    standings = [standing_of(row) for row in list_merge_requests(dataset, limit=_SHOWN)]
    merges = list_merges(dataset, limit=_SHOWN)
    acted = [*(standing.request.author for standing in standings), *(merge.requested_by for merge in merges)]
    context = {
        "title": f"Merges of {dataset.name}",
        "standings": standings,
        "merges": merges,
        "people": people_named(principal, acted),
        "strategies": MergeStrategy.choices,
        "names": version_names(dataset),
        "may_merge": may(principal, "merge.write"),
        "refusal": refusal,
        "given": request.POST,
    }
    return _with_status(render_page(request, "vault/merges.html", context, dataset=dataset, tab=_TAB), refusal)


def _with_status(page: HttpResponse, refusal: VaultError | None) -> HttpResponse:
    page.status_code = refusal.status if refusal else 200
    return page


def request_page(request: HttpRequest, request_id: UUID) -> HttpResponse:
    """One merge request: what it would bring, what reviewers think, and the buttons for both."""
    principal = resolve_principal(request)
    if request.method == "POST":
        refusal, leads_to = _changed(request, request_id, _ON_REQUEST)
        if refusal is None:
            return HttpResponseRedirect(leads_to)
        return _request(request, get_merge_request(principal, request_id, action="version.read"), refusal)
    found = get_merge_request(principal, request_id, action="version.read")
    if needs_purpose(request):
        authorize(principal, "version.read", resource_of(found.dataset))
        return purpose_page(request, found.dataset)
    return _request(request, found)


def _request(request: HttpRequest, found: MergeRequest, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    standing = standing_of(found)
    is_own = principal.id in authors_of(standing)
    context: dict[str, Any] = {
        "title": found.title,
        "standing": standing,
        "asked": found,
        "people": people_named(principal, [found.author, *(review.reviewer for review, _ in standing.reviews)]),
        "verdicts": Verdict.choices,
        "may_review": may(principal, "merge.review") and standing.is_open and not is_own,
        "is_own": is_own,
        "may_merge": may(principal, "merge.write") and standing.is_open,
        "merges": list(found.merges.order_by("-id")[:_CONFLICTS_SHOWN]),
        "after": request.GET.get("after", "")[:128],
        "refusal": refusal,
        "given": request.POST,
    }
    if refusal is None:
        context |= _brought(request, standing)
    return _with_status(
        render_page(request, "vault/merge_request.html", context, dataset=found.dataset, tab=_TAB), refusal
    )


def _brought(request: HttpRequest, standing: Standing) -> dict[str, Any]:
    """What the source has changed since it left the target, on the reader's view; nothing to who reads no records."""
    principal, dataset = resolve_principal(request), standing.request.dataset
    if standing.source is None or not may(principal, "record.read"):
        authorize(principal, "version.read", resource_of(dataset))
        return {}
    before = str(standing.base.pk) if standing.base else ""
    comparison = open_comparison(principal, dataset_id=dataset.pk, before=before, after=str(standing.source.pk))
    after = request.GET.get("after", "")[:128] or None
    return comparison_context(comparison) | {"page": change_page(comparison, after=after)}


def merge_page(request: HttpRequest, merge_id: UUID) -> HttpResponse:
    """One merge: how it stands, and its conflicts side by side, to be resolved here."""
    principal = resolve_principal(request)
    refusal: VaultError | None = None
    if request.method == "POST":
        refusal, leads_to = _changed(request, merge_id, _ON_MERGE)
        if refusal is None:
            return HttpResponseRedirect(leads_to)
    merge = get_merge(principal, merge_id, action="version.read")
    if refusal is None and merge.is_waiting and needs_purpose(request):
        authorize(principal, "version.read", resource_of(merge.dataset))
        return purpose_page(request, merge.dataset)
    return _merge(request, merge, refusal)


def _merge(request: HttpRequest, merge: Merge, refusal: VaultError | None) -> HttpResponse:
    principal = resolve_principal(request)
    total, left = count_conflicts(merge)
    context: dict[str, Any] = {
        "title": f"Merge of {merge.source_name} into {merge.target}",
        "merge": merge,
        "total": total,
        "left": left,
        "is_running": not merge.is_final,
        "may_merge": may(principal, "merge.write"),
        "people": people_named(principal, [merge.requested_by]),
        "refusal": refusal,
        "given": request.POST,
    }
    if refusal is None and merge.is_waiting and may(principal, "record.read"):
        context |= _conflicts(request, merge)
    elif refusal is None:
        authorize(principal, "version.read", resource_of(merge.dataset))
    page = render_page(request, "vault/merge.html", context, dataset=merge.dataset, tab=_TAB)
    return _with_status(page, refusal)


def _conflicts(request: HttpRequest, merge: Merge) -> dict[str, Any]:
    """A page of conflicts, every side as this reader may see it."""
    reader = open_conflicts(resolve_principal(request), merge_id=merge.pk)
    rows = list_conflicts(merge, after=request.GET.get("after", "")[:128], limit=_CONFLICTS_SHOWN + 1)
    shown = rows[:_CONFLICTS_SHOWN]
    return {
        "conflicts": [_card(conflict) for conflict in reader.shown(shown)],
        "next_after": shown[-1].record_id if len(rows) > len(shown) else None,
        "is_raw": reader.release.is_raw,
    }


def _card(conflict: ShownConflict) -> dict[str, Any]:
    """What the template shows of one conflict; the editor begins with the target's record, or the source's."""
    ours = conflict.ours or conflict.theirs
    start = {"data": ours.data, "metadata": ours.metadata} if ours else {"data": {}, "metadata": {}}
    return {
        "row": conflict.row,
        "is_hidden": conflict.is_hidden,
        "pointers": [member.pointer or "the whole record" for member in conflict.members][:_SHOWN],
        "sides": [
            ("base", "Before both", _shown(conflict.base)),
            ("ours", "Target", _shown(conflict.ours)),
            ("theirs", "Source", _shown(conflict.theirs)),
        ],
        "json": orjson.dumps(start, option=orjson.OPT_INDENT_2).decode(),
    }


def _shown(record: Any) -> ShownRecord | None:
    return show_record(record, is_whole=False) if record is not None else None


def _direct(principal: Principal, dataset_id: UUID, given: QueryDict) -> str:
    strategy = given.get("strategy", "manual")
    wish = Wish(
        source=given.get("source", "")[:128],
        target=given.get("target", "")[:100],
        strategy=MergeStrategy(strategy) if strategy in MergeStrategy.values else MergeStrategy.MANUAL,
        message=given.get("message", "")[:1000],
    )
    merge = start_merge(principal, dataset_id=dataset_id, wish=wish)
    enqueue(merge)
    return reverse("admin:datasets_merge", args=[merge.pk])


def _ask(principal: Principal, dataset_id: UUID, given: QueryDict) -> str:
    title = given.get("title", "").strip()[:200]
    if not title:
        raise InvalidInput(errors=[FieldProblem("title", "A merge request needs a title")])
    opened = open_merge_request(
        principal,
        dataset_id=dataset_id,
        title=title,
        source=given.get("source", "")[:100],
        target=given.get("target", "")[:100],
        description=given.get("description", "")[:4000],
    )
    return reverse("admin:datasets_merge_request", args=[opened.pk])


def _review(principal: Principal, request_id: UUID, given: QueryDict) -> str:
    verdict = given.get("verdict", "")
    if verdict not in Verdict.values:
        raise InvalidInput(errors=[FieldProblem("verdict", "Approve, or request changes")])
    comment = given.get("comment", "")[:4000]
    review_request(principal, request_id=request_id, verdict=Verdict(verdict), comment=comment)
    return reverse("admin:datasets_merge_request", args=[request_id])


def _merge_approved(principal: Principal, request_id: UUID, _: QueryDict) -> str:
    merge = merge_request(principal, request_id=request_id)
    enqueue(merge)
    return reverse("admin:datasets_merge", args=[merge.pk])


def _close(principal: Principal, request_id: UUID, _: QueryDict) -> str:
    close_request(principal, request_id=request_id)
    return reverse("admin:datasets_merge_request", args=[request_id])


def _resolve(principal: Principal, merge_id: UUID, given: QueryDict) -> str:
    resolution = given.get("resolution", "")
    if resolution not in Resolution.values or not resolution:
        raise InvalidInput(errors=[FieldProblem("resolution", "Choose a side, or a record of your own")])
    record = _edited(given.get("record", "")) if resolution == Resolution.RECORD else {}
    try:
        conflict_id = UUID(given.get("conflict", ""))
    except ValueError:
        raise InvalidInput from None
    resolve_conflict(principal, merge_id=merge_id, conflict_id=conflict_id, resolution=Resolution(resolution), **record)
    return reverse("admin:datasets_merge", args=[merge_id])


def _edited(text: str) -> dict[str, Any]:
    """What was typed into the editor: an object with ``data`` and perhaps ``metadata``, both objects."""
    problem = InvalidInput(errors=[FieldProblem("record", 'JSON like {"data": {..}, "metadata": {..}}')])
    try:
        given = orjson.loads(text)
    except orjson.JSONDecodeError:
        raise problem from None
    if not isinstance(given, dict) or not {"data"} <= given.keys() <= {"data", "metadata"}:
        raise problem
    if not all(isinstance(value, dict) for value in given.values()):
        raise problem
    return given


def _go_on(principal: Principal, merge_id: UUID, _: QueryDict) -> str:
    enqueue(continue_merge(principal, merge_id=merge_id))
    return reverse("admin:datasets_merge", args=[merge_id])


def _abandon(principal: Principal, merge_id: UUID, _: QueryDict) -> str:
    abandon_merge(principal, merge_id=merge_id)
    return reverse("admin:datasets_merge", args=[merge_id])


_ON_DATASET: Final[Mapping[str, Change]] = MappingProxyType({"merge": _direct, "ask": _ask})
_ON_REQUEST: Final[Mapping[str, Change]] = MappingProxyType(
    {"review": _review, "merge": _merge_approved, "close": _close}
)
_ON_MERGE: Final[Mapping[str, Change]] = MappingProxyType(
    {"resolve": _resolve, "continue": _go_on, "abandon": _abandon}
)
