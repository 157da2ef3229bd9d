"""Drafts of a dataset: the open ones, and what one of them changes, with the ways to end it."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.services.authorize import may
from datasets.errors import VersionNotFound
from datasets.models import Dataset, Draft, DraftStatus, Publication
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.selectors import get_dataset
from datasets.services.commit import is_label
from datasets.services.drafts.find import count_staged, find_draft_or_none, list_changes, list_drafts
from datasets.services.drafts.open import DraftFacts, discard_draft, open_draft
from datasets.services.drafts.publish import PublishOptions, request_publication
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_DRAFTS_SHOWN: Final = 100
_CHANGES_SHOWN: Final = 100
_LONGEST_NAME: Final = 100
_LONGEST_TEXT: Final = 1000
Change = Callable[[Principal, UUID, str, QueryDict], object]


def drafts_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The open drafts; a form posted here opens another."""
    principal = resolve_principal(request)
    if request.method != "POST":
        return _list_page(request, open_dataset(request, dataset_id, action="version.read"))
    opened: list[Draft] = []
    refusal = refusal_of(lambda: opened.append(_open(principal, dataset_id, request.POST)))
    if refusal is None:
        return HttpResponseRedirect(reverse("admin:datasets_draft", args=[dataset_id, opened[0].pk]))
    return _list_page(request, get_dataset(principal, dataset_id, action="version.read"), refusal)


def _open(principal: Principal, dataset_id: UUID, given: QueryDict) -> Draft:
    label = given.get("label", "").strip()
    if label and not is_label(label):
        raise InvalidInput(errors=[FieldProblem("label", "a version label reads vX.Y.Z")])
    facts = DraftFacts(
        label=label,
        parent=given.get("parent", "").strip()[:_LONGEST_NAME],
        description=given.get("description", "").strip()[:_LONGEST_TEXT],
    )
    return open_draft(principal, dataset_id=dataset_id, facts=facts)


def _list_page(request: HttpRequest, dataset: Dataset, refusal: VaultError | None = None) -> HttpResponse:
    drafts = list_drafts(dataset, after=None, limit=_DRAFTS_SHOWN)
    counts = count_staged(dataset.pk, drafts)
    context: dict[str, Any] = {
        "title": f"Drafts of {dataset.name}",
        "rows": [(draft, counts[draft.pk]) for draft in drafts],
        "refusal": refusal,
        "given": request.POST,
        "may_write": may(resolve_principal(request), "record.write"),
    }
    page = render_page(request, "vault/drafts.html", context, dataset=dataset, tab="datasets_drafts")
    page.status_code = refusal.status if refusal else 200
    return page


def draft_page(request: HttpRequest, dataset_id: UUID, draft_id: UUID) -> HttpResponse:
    """What a draft changes; a form posted here publishes or discards it."""
    principal = resolve_principal(request)
    if request.method != "POST":
        return _draft_page(request, open_dataset(request, dataset_id, action="version.read"), draft_id)
    change = _CHANGES.get(request.POST.get("do", ""))
    if change is None:
        raise InvalidInput
    refusal = refusal_of(partial(change, principal, dataset_id, str(draft_id), request.POST))
    if refusal is not None:
        return _draft_page(request, get_dataset(principal, dataset_id, action="version.read"), draft_id, refusal)
    if request.POST["do"] == "discard":
        return HttpResponseRedirect(reverse("admin:datasets_drafts", args=[dataset_id]))
    return HttpResponseRedirect(reverse("admin:datasets_draft", args=[dataset_id, draft_id]))


def _draft_page(
    request: HttpRequest, dataset: Dataset, draft_id: UUID, refusal: VaultError | None = None
) -> HttpResponse:
    principal = resolve_principal(request)
    draft = find_draft_or_none(dataset.pk, str(draft_id))
    if draft is None:
        raise VersionNotFound
    after = request.GET.get("after", "")[:128].replace("\0", "")
    sees_ids = may(principal, "record.read") or may(principal, "record.write")
    changes = list_changes(draft, after=after, limit=_CHANGES_SHOWN + 1) if sees_ids else []
    publication = Publication.objects.filter(draft=draft).order_by("-created_at").first()
    problem = (publication.error or {}) if publication and draft.status == DraftStatus.DRAFT else {}
    is_open = draft.status == DraftStatus.DRAFT
    context: dict[str, Any] = {
        "title": f"Draft {draft.label or str(draft.pk)[-8:]}",
        "draft": draft,
        "counts": count_staged(dataset.pk, [draft])[draft.pk],
        "changes": changes[:_CHANGES_SHOWN],
        "next_after": changes[_CHANGES_SHOWN - 1][0] if len(changes) > _CHANGES_SHOWN else None,
        "after": after,
        "publication": publication,
        "problem": problem,
        "offers_rebase": bool(refusal and refusal.extra.get("rebase")) or bool(problem.get("rebase")),
        "refusal": refusal,
        "given": request.POST,
        "sees_ids": sees_ids,
        "may_write": is_open and may(principal, "record.write"),
        "may_read_records": may(principal, "record.read"),
    }
    page = render_page(request, "vault/draft.html", context, dataset=dataset, tab="datasets_drafts")
    page.status_code = refusal.status if refusal else 200
    return page


def _publish(principal: Principal, dataset_id: UUID, name: str, given: QueryDict) -> object:
    """Always by a worker: a page does not wait."""
    options = PublishOptions(message=given.get("message", "")[:_LONGEST_TEXT], rebase=given.get("do") == "rebase")
    return request_publication(principal, dataset_id=dataset_id, name=name, options=options, is_awaited=False)


def _discard(principal: Principal, dataset_id: UUID, name: str, _: QueryDict) -> None:
    discard_draft(principal, dataset_id=dataset_id, name=name)


_CHANGES: Final[Mapping[str, Change]] = MappingProxyType({"publish": _publish, "rebase": _publish, "discard": _discard})
