"""Rescans of a dataset, and what of it is in quarantine: versions, and records that could not be scanned."""

from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.selectors import people_named
from access.services.authorize import may
from datasets.models import Dataset, RecordState
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.selectors import get_dataset
from datasets.services.quarantine_review import discard_quarantined, list_quarantined, restore_quarantined
from datasets.services.rescan.start import list_rescans, start_rescan
from datasets.services.version_quarantine import list_quarantines, quarantine_version, release_version
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_RESCANS: Final = 10
_VERSIONS: Final = 50
_RECORDS: Final = 100
_LONGEST_REASON: Final = 1000


def quarantine_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """What waits for review; forms posted here start a rescan, place and release versions, restore and discard."""
    if request.method != "POST":
        return _shown(request, open_dataset(request, dataset_id, action="detection.read"))
    principal = resolve_principal(request)
    deed = _DEEDS.get(request.POST.get("do", ""))
    if deed is None:
        raise InvalidInput
    refusal = refusal_of(partial(deed, principal, dataset_id, request.POST))
    if refusal is None:
        return HttpResponseRedirect(reverse("admin:datasets_quarantine", args=[dataset_id]))
    return _shown(request, get_dataset(principal, dataset_id, action="detection.read"), refusal)


def _shown(request: HttpRequest, dataset: Dataset, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    rescans = list_rescans(dataset, limit=_RESCANS)
    versions = list_quarantines(dataset, limit=_VERSIONS)
    waiting = list_quarantined(dataset, state=RecordState.PENDING, limit=_RECORDS)
    decided = [row for row in list_quarantined(dataset, limit=_RECORDS) if row.state != RecordState.PENDING]
    acted = [
        *(row.requested_by for row in rescans),
        *(who for row in versions for who in (row.placed_by, row.released_by)),
        *(row.decided_by for row in decided),
    ]
    context = {
        "title": f"Quarantine of {dataset.name}",
        "rescans": rescans,
        "drift": _drift(rescans[0].drift) if rescans else [],
        "held": [row for row in versions if row.released_at is None],
        "released": [row for row in versions if row.released_at is not None],
        "records": waiting,
        "decided": decided,
        "people": people_named(principal, acted),
        "given": request.POST if refusal and request.POST["do"] == "place" else {},
        "may_rescan": may(principal, "rescan.manage"),
        "may_review": may(principal, "quarantine.review"),
        "may_write": may(principal, "record.write"),
        "refusal": refusal,
    }
    answer = render_page(request, "vault/quarantine.html", context, dataset=dataset, tab="datasets_quarantine")
    if refusal is not None:
        answer.status_code = refusal.status
    return answer


def _drift(counts: Mapping[str, list[int]]) -> list[dict[str, Any]]:
    """Rows for a chart of bars: width in hundredths of the longest."""
    longest = max((max(pair) for pair in counts.values()), default=0) or 1
    return [
        {"type": name, "gained": gained, "lost": lost, "more": 100 * gained // longest, "less": 100 * lost // longest}
        for name, (gained, lost) in sorted(counts.items(), key=lambda item: -sum(item[1]))
    ]


def _rescan(principal: Principal, dataset_id: UUID, _: Mapping[str, str]) -> None:
    start_rescan(principal, dataset_id=dataset_id)


def _place(principal: Principal, dataset_id: UUID, given: Mapping[str, str]) -> None:
    quarantine_version(principal, dataset_id=dataset_id, version=given.get("version", ""), reason=_reason(given))


def _release(principal: Principal, dataset_id: UUID, given: Mapping[str, str]) -> None:
    release_version(principal, dataset_id=dataset_id, version=given.get("version", ""), reason=_reason(given))


def _restore(principal: Principal, _: UUID, given: Mapping[str, str]) -> None:
    restore_quarantined(principal, _record(given))


def _discard(principal: Principal, _: UUID, given: Mapping[str, str]) -> None:
    discard_quarantined(principal, _record(given), reason=_reason(given))


def _reason(given: Mapping[str, str]) -> str:
    reason = given.get("reason", "").strip()
    if not 0 < len(reason) <= _LONGEST_REASON:
        raise InvalidInput(errors=[FieldProblem("reason", f"1 to {_LONGEST_REASON:,} characters")])
    return reason


def _record(given: Mapping[str, str]) -> UUID:
    try:
        return UUID(given.get("record", ""))
    except ValueError:
        raise InvalidInput from None


_DEEDS: Final[Mapping[str, Callable[[Principal, UUID, Mapping[str, str]], None]]] = MappingProxyType(
    {"rescan": _rescan, "place": _place, "release": _release, "restore": _restore, "discard": _discard}
)
