"""The rules over detections: allow-list, deny-list, field rules and thresholds, on one page."""

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from itertools import chain
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from django.utils.dateparse import parse_date

from access.selectors import people_named
from access.services.authorize import may
from anonymization.models import FieldEntry, ListEntry, ThresholdEntry
from anonymization.pages.page import open_page, refusal_of, render_page
from anonymization.services.catalogue import known_entities
from anonymization.services.trust_rules import (
    NewFieldRule,
    NewListEntry,
    NewThreshold,
    add_field_rule,
    add_list_entry,
    add_threshold,
    remove_rule,
)
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal

SHOWN: Final = 100
_KINDS: Final[Mapping[str, type[ListEntry] | type[FieldEntry] | type[ThresholdEntry]]] = {
    "list": ListEntry,
    "field": FieldEntry,
    "threshold": ThresholdEntry,
}


def rules_page(request: HttpRequest) -> HttpResponse:
    """Every rule with its reason and end; posted, one is added or taken away."""
    if request.method != "POST":
        open_page(request, "detection.read", ResourceRef("detection-rule"))
        return _page(request)
    change = _CHANGES.get(request.POST.get("do", ""))
    if change is None:
        raise InvalidInput
    refusal = refusal_of(lambda: change(request, request.POST))
    return _page(request, refusal) if refusal else HttpResponseRedirect(reverse("admin:privacy_rules"))


def _add_entry(request: HttpRequest, given: QueryDict) -> None:
    kind, content = given.get("kind", ""), given.get("content", "")
    new = NewListEntry(
        list_name="deny" if given.get("list") == "deny" else "allow",
        kind=kind,
        value=content if kind == "value" else "",
        pattern=content if kind == "regex" else "",
        field=given.get("field", "").strip(),
        entity_type=given.get("entity_type", "").strip(),
        dataset_id=_dataset(given),
        reason=given.get("reason", "")[:1000],
        expires_at=_end(given),
    )
    add_list_entry(resolve_principal(request), new=new)


def _add_field(request: HttpRequest, given: QueryDict) -> None:
    new = NewFieldRule(
        field=given.get("field", "").strip(),
        decision=given.get("decision", ""),
        entity_type=given.get("entity_type", "").strip() if given.get("decision") == "type" else "",
        dataset_id=_dataset(given),
        reason=given.get("reason", "")[:1000],
        expires_at=_end(given),
    )
    add_field_rule(resolve_principal(request), new=new)


def _add_threshold(request: HttpRequest, given: QueryDict) -> None:
    try:
        score = float(given.get("score", ""))
    except ValueError:
        raise InvalidInput(errors=[FieldProblem("/score", "a number such as 0.6")]) from None
    new = NewThreshold(
        entity_type=given.get("entity_type", "").strip(),
        score=score,
        dataset_id=_dataset(given),
        reason=given.get("reason", "")[:1000],
    )
    add_threshold(resolve_principal(request), new=new)


def _remove(request: HttpRequest, given: QueryDict) -> None:
    kind = _KINDS.get(given.get("kind", ""))
    if kind is None:
        raise InvalidInput
    try:
        rule_id = UUID(given.get("id", ""))
    except ValueError:
        raise InvalidInput from None
    remove_rule(resolve_principal(request), kind=kind, rule_id=rule_id)


_CHANGES: Final[Mapping[str, Callable[[HttpRequest, QueryDict], None]]] = {
    "entry": _add_entry,
    "field": _add_field,
    "threshold": _add_threshold,
    "remove": _remove,
}


def _dataset(given: QueryDict) -> UUID | None:
    text = given.get("dataset_id", "").strip()
    try:
        return UUID(text) if text else None
    except ValueError:
        raise InvalidInput(errors=[FieldProblem("/dataset_id", "the id of a dataset, or empty for all")]) from None


def _end(given: QueryDict) -> datetime | None:
    """The end of the day that was picked, in UTC."""
    text = given.get("expires_on", "")
    day = parse_date(text) if text else None
    if text and day is None:
        raise InvalidInput(errors=[FieldProblem("/expires_on", "a date")])
    return datetime.combine(day, time.max, UTC) if day else None


def _page(request: HttpRequest, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    allowed = ListEntry.objects.filter(list_name="allow").order_by("-id")[:SHOWN]
    denied = ListEntry.objects.filter(list_name="deny").order_by("-id")[:SHOWN]
    fields = FieldEntry.objects.order_by("-id")[:SHOWN]
    thresholds = ThresholdEntry.objects.order_by("entity_type", "dataset_id")[:SHOWN]
    acted = chain(
        (row.created_by for row in chain(allowed, denied)),
        (row.created_by for row in fields),
        (row.created_by for row in thresholds),
    )
    context: dict[str, Any] = {
        "title": "Detection rules",
        "lists": [("allow", "Allow-list", allowed), ("deny", "Deny-list", denied)],
        "fields": fields,
        "thresholds": thresholds,
        "people": people_named(principal, acted),
        "decisions": FieldEntry.DECISIONS,
        "entities": [one.entity_type for one in known_entities() if one.can_be_tuned],
        "given": request.POST if refusal else {},
        "may_change": may(principal, "detection.manage"),
        "shown": SHOWN,
    }
    return render_page(request, "vault/trust.html", context, refusal=refusal)
