"""Consent in the browser: by purpose, by person, and what withdrawals leave to be done."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse

from access.models import LawfulBasis, SpecialCondition
from access.pages.page import open_page, refusal_of, render_page
from access.ports import dataset_directory
from access.selectors import may
from compliance.consents.find import ShownConsent, consents_of
from compliance.consents.people import Identifier
from compliance.consents.purposes import KnownPurpose, Terms, change_purpose, find_purpose, known_purposes
from compliance.consents.tasks import MAX_GROUND, decide_task, exports_to_recall, list_tasks
from compliance.consents.withdraw import withdraw_consent
from compliance.models import WithdrawalEffect
from datasets.services.ingest.subjects import INDEXED
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_TASKS: Final = 50
_TEXTS: Final = ("description", "lawful_basis", "special_condition", "on_withdrawal", "subjects", "time_limit", "note")


def consents_page(request: HttpRequest) -> HttpResponse:
    """The state of consents by purpose; posted, one person is looked up, or a withdrawal is settled."""
    principal = resolve_principal(request)
    refusal, found = None, list[ShownConsent]()
    asked = request.POST.get("do", "")
    if request.method == "POST" and asked == "search":
        refusal = refusal_of(lambda: found.extend(consents_of(principal, identifiers=[_identifier(request.POST)])))
    elif request.method == "POST":
        refusal = refusal_of(lambda: _act(principal, asked, request.POST))
        if refusal is None:
            messages.success(request, "Done. It counts from the next request on.")
            return HttpResponseRedirect(reverse("admin:consents"))
    else:
        open_page(request, "consent.read", ResourceRef("consent"))
    recalls = exports_to_recall(principal)
    tasks = list_tasks(principal, after=None, limit=_TASKS, is_open=True)
    named = [one.dataset_id for one in recalls] + [each.dataset_id for one in tasks for each in one.found]
    names = {key: known.name for key, known in dataset_directory().describe(named).items()} if named else {}
    context: dict[str, Any] = {
        "title": "Consent",
        "purposes": [_bars(one) for one in known_purposes()],
        "tasks": [(one, [(each, names.get(each.dataset_id)) for each in one.found]) for one in tasks],
        "recalls": [(one, names.get(one.dataset_id)) for one in recalls],
        "types": sorted(INDEXED),
        "searched": asked == "search" and refusal is None,
        "found": found,
        "may_manage": may(principal, "consent.manage"),
        "max_ground": MAX_GROUND,
    }
    return render_page(request, "vault/consents.html", context, refusal=refusal)


def purpose_page(request: HttpRequest, code: str) -> HttpResponse:
    """One purpose and what makes it lawful; posted, it is said anew."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: change_purpose(principal, code=code, terms=_terms(request.POST)))
        if refusal is None:
            messages.success(request, "Saved. Decisions follow from the next request on.")
            return HttpResponseRedirect(reverse("admin:purpose", args=[code]))
    context = {
        "title": f"Purpose {code}",
        "purpose": _bars(find_purpose(principal, code)),
        "bases": LawfulBasis.choices,
        "conditions": SpecialCondition.choices,
        "effects": WithdrawalEffect.choices,
        "may_manage": may(principal, "purpose.manage"),
    }
    return render_page(request, "vault/consent_purpose.html", context, refusal=refusal)


def _bars(one: KnownPurpose) -> dict[str, Any]:
    total = one.live + one.lapsed + one.withdrawn
    shares = [round(100 * count / total) if total else 0 for count in (one.live, one.lapsed, one.withdrawn)]
    basis = dict(LawfulBasis.choices).get(one.terms.lawful_basis, "")
    counts = zip(("given", "expired", "withdrawn"), (one.live, one.lapsed, one.withdrawn), shares, strict=True)
    return {"purpose": one, "basis": basis, "total": total, "bars": list(counts)}


def _identifier(given: QueryDict) -> Identifier:
    return Identifier(str(given.get("type", ""))[:64], str(given.get("value", ""))[:400])


def _terms(given: QueryDict) -> Terms:
    return Terms(is_active=given.get("is_active") == "on", **{name: str(given.get(name, "")) for name in _TEXTS})


def _act(principal: Principal, asked: str, given: QueryDict) -> object:
    """Raises InvalidInput for what no form of the page sends."""
    try:
        chosen = UUID(str(given.get("id", "")))
    except ValueError:
        raise InvalidInput from None
    if asked == "withdraw":
        return withdraw_consent(principal, consent_id=chosen, channel="officer")
    if asked == "decide":
        outcome, ground = str(given.get("outcome", "")), str(given.get("ground", ""))
        return decide_task(principal, task_id=chosen, outcome=outcome, ground=ground)
    raise InvalidInput


PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("compliance/consents/", consents_page, "consents"),
    ("compliance/purposes/<str:code>/", purpose_page, "purpose"),
)
