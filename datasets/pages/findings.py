"""The findings of a version: by type and field, with samples, why each was found, and a place to say it is wrong."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.services.authorize import may
from anonymization.services.catalogue import known_entities
from datasets.pages.compare import needs_purpose, purpose_page, version_names
from datasets.pages.page import empty_page, open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.services.commit import read_profile
from datasets.services.findings_review import Mark, Wanted, mark_finding, review_findings
from datasets.services.read import open_release
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal

_KEPT: Final = ("version", "type", "recognizer", "score", "after")
_ROWS: Final = 200


def findings_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """First the purpose, then the findings; posted, feedback on one of them."""
    if needs_purpose(request):
        return purpose_page(request, open_dataset(request, dataset_id))
    if request.method != "POST":
        nothing = empty_page(request, dataset_id, title="Findings in", tab="datasets_findings")
        return nothing or _page(request, dataset_id)
    refusal = refusal_of(lambda: _mark(request, dataset_id))
    if refusal is not None:
        return _page(request, dataset_id, refusal)
    kept = {name: request.POST[name] for name in _KEPT if request.POST.get(name)}
    where = reverse("admin:datasets_findings", args=[dataset_id])
    return HttpResponseRedirect(f"{where}?{urlencode(kept | {'marked': '1'})}")


def _mark(request: HttpRequest, dataset_id: UUID) -> None:
    given = request.POST
    is_missed = given.get("do") == "missed"
    if is_missed and not given.get("missed", "").strip():
        raise InvalidInput(errors=[FieldProblem("/missed", "the words that were not found")])
    mark = Mark(
        record_id=given.get("record_id", "")[:128],
        pointer=given.get("pointer", "")[:2000],
        part="key" if given.get("part") == "key" else "value",
        start=_whole(given, "start"),
        end=_whole(given, "end"),
        entity_type=given.get("entity_type", "")[:64],
        missed=given.get("missed", "")[:1000] if is_missed else "",
        comment=given.get("comment", "")[:1000],
    )
    version = given.get("version", "")[:64] or "main"
    mark_finding(resolve_principal(request), dataset_id=dataset_id, version=version, mark=mark)


def _whole(given: QueryDict, name: str) -> int:
    text = given.get(name, "0")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else 0  # noqa: PLR2004


def _page(request: HttpRequest, dataset_id: UUID, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    given = request.POST if request.method == "POST" else request.GET
    release = open_release(principal, dataset_id=dataset_id, version=given.get("version", "")[:64] or "main")
    wanted = _wanted(given)
    profile = sorted(read_profile(release.version).items(), key=lambda item: -item[1])
    context: dict[str, Any] = {
        "title": f"Findings in {release.dataset.name}",
        "version": release.version,
        "purpose": release.decision.purpose,
        "names": version_names(release.dataset),
        "profile": [(field, kind, count) for (field, kind), count in profile[:_ROWS]],
        "review": review_findings(release, wanted) if release.is_raw else None,
        "wanted": wanted,
        "entities": [one.entity_type for one in known_entities()],
        "kept": {name: given.get(name, "") for name in _KEPT},
        "may_review": may(principal, "finding.review"),
        "is_marked": request.GET.get("marked") == "1",
        "refusal": refusal,
    }
    page = render_page(request, "vault/findings.html", context, dataset=release.dataset, tab="datasets_findings")
    page.status_code = refusal.status if refusal else 200
    return page


def _wanted(given: QueryDict) -> Wanted:
    try:
        least = min(1.0, max(0.0, float(given.get("score") or 0)))
    except ValueError:
        least = 0.0
    kind = given.get("type", "")[:64]
    return Wanted(kind, given.get("recognizer", "")[:128], least, given.get("after", "")[:128] or None)
