"""Consent in the browser: purposes with what makes them lawful, and who has agreed to them."""

from typing import Any, Final
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from access.models import LawfulBasis, SpecialCondition
from access.pages.page import open_page, refusal_of, render_page
from access.selectors import may, people_named
from compliance.consents.figures import Week, datasets_of, open_tasks, weeks_of_consent
from compliance.consents.find import list_consents
from compliance.consents.purposes import (
    KnownPurpose,
    change_purpose,
    create_purpose,
    find_purpose,
    list_purposes,
)
from compliance.consents.tasks import exports_to_recall, list_tasks
from compliance.models import WithdrawalEffect
from compliance.pages.consent_forms import CHANNELS, read_after, read_terms
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal

PAGE_SIZE: Final = 50
#: Tasks that a purpose's page shows; all of them have a page of their own.
_TASKS: Final = 10
#: The height of the chart, in units of its view box.
_HEIGHT: Final = 60
_WIDTH: Final = 10
_BASES: Final = dict(LawfulBasis.choices)


def consent_home_page(request: HttpRequest) -> HttpResponse:
    """Purposes, how many agreed to each, and how consent came and went."""
    principal = open_page(request, "consent.read", ResourceRef("consent"))
    purposes = list_purposes(principal)
    context = {
        "title": "Consent and purposes",
        "purposes": [(one, _basis(one)) for one in purposes],
        "given": sum(one.live for one in purposes),
        "lapsed": sum(one.lapsed for one in purposes),
        "withdrawn": sum(one.withdrawn for one in purposes),
        "open_tasks": open_tasks(),
        "recalls": exports_to_recall(principal),
        "chart": chart_of(weeks_of_consent(principal)),
        "may_manage_purposes": may(principal, "purpose.manage"),
        "may_manage": may(principal, "consent.manage"),
    }
    return render_page(request, "vault/consent.html", context)


def _basis(purpose: KnownPurpose) -> str:
    return str(_BASES.get(purpose.terms.lawful_basis, ""))


def chart_of(weeks: list[Week]) -> dict[str, Any]:
    """Two bars a week, givings upward and withdrawals downward, on one scale; None of it where nothing happened."""
    most = max((max(week.given, week.withdrawn) for week in weeks), default=0)
    scale = _HEIGHT / most if most else 0
    return {
        "is_empty": most == 0,
        "most": most,
        "width": _WIDTH * len(weeks),
        "middle": _HEIGHT,
        "height": 2 * _HEIGHT,
        "weeks": weeks,
        "bars": [_bar(number, week, scale) for number, week in enumerate(weeks)],
    }


def _bar(number: int, week: Week, scale: float) -> dict[str, Any]:
    up, down = (max(2, round(count * scale)) if count else 0 for count in (week.given, week.withdrawn))
    return {"week": week, "x": number * _WIDTH + 1, "width": _WIDTH - 2, "y": _HEIGHT - up, "up": up, "down": down}


def consent_purpose_page(request: HttpRequest, code: str) -> HttpResponse:
    """One purpose: its terms, its datasets, its consents and what withdrawals of them left to be done."""
    principal = resolve_principal(request)
    purpose = find_purpose(principal, code)
    found = list_consents(principal, after=read_after(request.GET), limit=PAGE_SIZE + 1, purpose=purpose.code)
    shown = found[:PAGE_SIZE]
    tasks = list_tasks(principal, after=None, limit=_TASKS, purpose=purpose.code)
    context = {
        "title": f"Purpose {purpose.code}",
        "purpose": purpose,
        "basis": _basis(purpose),
        "condition": dict(SpecialCondition.choices).get(purpose.terms.special_condition, ""),
        "effect": dict(WithdrawalEffect.choices).get(purpose.terms.on_withdrawal, ""),
        "datasets": datasets_of(principal, purpose=purpose.code),
        "rows": shown,
        "names": people_named(principal, [one.decided_by for one in tasks] + [one.recorded_by for one in shown]),
        "next_query": urlencode({"after": shown[-1].id}) if len(found) > PAGE_SIZE else "",
        "is_first": "after" not in request.GET,
        "tasks": tasks,
        "channels": CHANNELS,
        "chart": chart_of(weeks_of_consent(principal, purpose=purpose.code)),
        "may_manage_purposes": may(principal, "purpose.manage"),
        "may_manage": may(principal, "consent.manage"),
    }
    return render_page(request, "vault/consent_purpose.html", context)


def consent_new_purpose_page(request: HttpRequest) -> HttpResponse:
    """A form for a new purpose; posted, it is there."""
    principal = resolve_principal(request)
    refusal, code = None, request.POST.get("code", "").strip()
    if request.method == "POST":
        refusal = refusal_of(lambda: create_purpose(principal, code=code, terms=read_terms(request.POST)))
        if refusal is None:
            messages.success(request, "The purpose can be stated from now on.")
            return HttpResponseRedirect(reverse("admin:consent_purpose", args=[code]))
    else:
        open_page(request, "purpose.manage", ResourceRef("purpose"))
    given = read_terms(request.POST) if request.method == "POST" else None
    context = {"title": "New purpose", "code": code, "terms": given, **_choices()}
    return render_page(request, "vault/consent_purpose_form.html", context, refusal=refusal)


def consent_edit_purpose_page(request: HttpRequest, code: str) -> HttpResponse:
    """The same form filled in; posted, decisions ask for consent, or cease to, from the next one on."""
    principal = resolve_principal(request)
    purpose = find_purpose(principal, code)
    refusal, terms = None, purpose.terms
    if request.method == "POST":
        terms = read_terms(request.POST)
        refusal = refusal_of(lambda: change_purpose(principal, code=code, terms=terms))
        if refusal is None:
            messages.success(request, "Saved. It counts from the next request on.")
            return HttpResponseRedirect(reverse("admin:consent_purpose", args=[code]))
    else:
        open_page(request, "purpose.manage", ResourceRef("purpose", purpose.code))
    context = {"title": f"Purpose {purpose.code}", "purpose": purpose, "terms": terms, **_choices()}
    return render_page(request, "vault/consent_purpose_form.html", context, refusal=refusal)


def _choices() -> dict[str, Any]:
    return {
        "bases": LawfulBasis.choices,
        "conditions": SpecialCondition.choices,
        "effects": WithdrawalEffect.choices,
    }


PATHS: Final = (
    ("consent/", consent_home_page, "consent"),
    ("consent/new-purpose/", consent_new_purpose_page, "consent_new_purpose"),
    ("consent/purposes/<str:code>/", consent_purpose_page, "consent_purpose"),
    ("consent/purposes/<str:code>/edit/", consent_edit_purpose_page, "consent_edit_purpose"),
)
