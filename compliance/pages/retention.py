"""Retention in the browser: what falls due when, the policies, and what runs have done."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse
from django.utils import timezone

from access.pages.page import open_page, refusal_of, render_page
from access.selectors import known_purposes
from access.services.authorize import may
from access.terms import Store
from compliance.models import RetentionAction, RetentionStart
from compliance.pages.retention_stores import STORE_PATHS, typed_number
from compliance.retention.clock import confirm_clock
from compliance.retention.fixed import fixed_periods
from compliance.retention.plan import start_run
from compliance.retention.policies import (
    MAX_DAYS,
    MAX_GRACE,
    PolicyTerms,
    change_policy,
    create_policy,
    end_policy,
    terms_of,
)
from compliance.retention.preview import CalendarMonth, Preview, due_in_month, months_ahead, preview
from compliance.retention.selectors import (
    count_open_notices,
    find_clock,
    find_policy,
    find_run,
    list_runs,
    list_steps,
    list_store_steps,
    maskings_of,
    next_notices,
    open_notices,
    policies_in_force,
)
from compliance.retention.stores import SHELVES
from datasets.models import Classification, Dataset
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_RUNS: Final = 10
_STEPS: Final = 100
_NOTICES: Final = 20
_LIST: Final = ("classifications", "purposes")
_NUMBERS: Final = ("minimum_days", "duration_days")


def retention_page(request: HttpRequest) -> HttpResponse:
    """The calendar, the policies and the last runs; posted, a run is begun or the time is confirmed."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:retention"))
    else:
        open_page(request, "retention.read", ResourceRef("retention_policy"))
    policies = policies_in_force()
    months = months_ahead(policies)
    context = {
        "title": "Retention",
        "policies": policies,
        "months": _pictured(months),
        "is_anything_due": any(month.counts for month in months),
        "announced": count_open_notices(),
        **_announced(principal),
        "fixed": fixed_periods(),
        "runs": list_runs(limit=_RUNS),
        "clock": find_clock(),
        "may_manage": may(principal, "retention.manage"),
    }
    return render_page(request, "vault/retention.html", context, refusal=refusal)


def _announced(principal: Principal) -> dict[str, Any]:
    """What acts next of what owners were told, by name where the principal may see it."""
    notices = next_notices(limit=_NOTICES)
    visible = Dataset.objects.visible_to(principal).filter(pk__in=[notice.dataset_id for notice in notices])
    return {"notices": notices, "names": dict(visible.values_list("pk", "name")), "now": timezone.now()}


def retention_due_page(request: HttpRequest) -> HttpResponse:
    """The datasets behind one bar of the calendar: what falls due in a month, or is due already."""
    principal = open_page(request, "retention.read", ResourceRef("retention_policy"))
    month = _month(request.GET.get("month", ""))
    found = due_in_month(principal, month, limit=_STEPS + 1, after=_uuid(request.GET.get("after", "")))
    shown = found[:_STEPS]
    notices = open_notices([one.dataset.pk for one in shown])
    context = {
        "title": f"Falls due in {month:%Y-%m}" if month else "Due already",
        "month": month,
        "rows": [(one, notices.get(one.dataset.pk)) for one in shown],
        "more": shown[-1].dataset.pk if len(found) > _STEPS else None,
    }
    return render_page(request, "vault/retention_due.html", context)


def _month(typed: str) -> datetime | None:
    """The month that was asked for; None: what is due already. Raises InvalidInput."""
    try:
        return datetime.strptime(typed, "%Y-%m").replace(tzinfo=UTC) if typed else None
    except ValueError:
        raise InvalidInput(errors=[FieldProblem("month", "a month, like 2030-01")]) from None


def _act(request: HttpRequest, principal: Principal) -> None:
    wanted = request.POST.get("do")
    if wanted == "run":
        start_run(principal)
        messages.success(request, "A run is under way.")
    elif wanted == "confirm":
        confirm_clock(principal)
        messages.success(request, "The time is confirmed: runs go on.")
    else:
        raise InvalidInput


def _pictured(months: list[CalendarMonth]) -> list[dict[str, Any]]:
    """Each month with its numbers, and how high they are in the picture: percent of the largest."""
    most = max(sum(month.counts.values()) for month in months) or 1
    rows = []
    for month in months:
        counts = [(one.value, one.label, month.counts.get(one.value, 0)) for one in RetentionAction]
        bars = [(action, round(100 * count / most, 1)) for action, _, count in counts if count]
        rows.append({"month": month.month, "counts": counts, "bars": bars, "total": sum(month.counts.values())})
    return rows


def retention_policy_new_page(request: HttpRequest) -> HttpResponse:
    """The form of a new policy: tried, it says what it would do; saved, it is in force."""
    principal = resolve_principal(request)
    if request.method != "POST":
        open_page(request, "retention.manage", ResourceRef("retention_policy"))

    def save(terms: PolicyTerms) -> None:
        create_policy(principal, terms=terms)
        messages.success(request, "The policy is in force.")

    return _edit(request, principal, save, {"title": "New retention policy", "given": {"grace_days": 14}})


def retention_policy_page(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """One policy; who manages retention can try and save another wording, or end it."""
    principal = open_page(request, "retention.read", ResourceRef("retention_policy", str(policy_id)))
    policy = find_policy(policy_id)
    if request.method == "POST" and request.POST.get("do") == "end":
        end_policy(principal, policy_id=policy_id)
        messages.success(request, "The policy has ended.")
        return HttpResponseRedirect(reverse("admin:retention"))

    def save(terms: PolicyTerms) -> None:
        change_policy(principal, policy_id=policy_id, changes=vars(terms))
        messages.success(request, "The policy is changed: what it announced is announced anew.")

    context = {"title": policy.name, "policy": policy, "given": vars(terms_of(policy))}
    return _edit(request, principal, save, context, instead_of=policy_id)


def _edit(
    request: HttpRequest,
    principal: Principal,
    save: Callable[[PolicyTerms], None],
    context: dict[str, Any],
    *,
    instead_of: UUID | None = None,
) -> HttpResponse:
    refusal, found = None, None
    if request.method == "POST":
        context["given"] = _typed(request.POST)
        refusal, found = _tried(request, principal, save, instead_of)
        if refusal is None and found is None:
            return HttpResponseRedirect(reverse("admin:retention"))
    elif instead_of is not None:
        found = preview(principal, terms=PolicyTerms(**context["given"]), instead_of=instead_of)
    context |= {
        "preview": found,
        "starts": RetentionStart.choices,
        "actions": RetentionAction.choices,
        "classifications": Classification.choices,
        "purposes": known_purposes(),
        "max_days": MAX_DAYS,
        "max_grace": MAX_GRACE,
        "may_manage": may(principal, "retention.manage"),
    }
    return render_page(request, "vault/retention_policy.html", context, refusal=refusal)


def _tried(
    request: HttpRequest, principal: Principal, save: Callable[[PolicyTerms], None], instead_of: UUID | None
) -> tuple[VaultError | None, Preview | None]:
    """What the posted form was refused for, and what it would do where it only asked; neither: it is saved."""
    shown: list[Preview] = []

    def change() -> None:
        terms, wanted = _terms(request.POST), request.POST.get("do")
        if wanted == "preview":
            shown.append(
                preview(principal, terms=terms, instead_of=instead_of, days=typed_number(request.POST, "days") or 0)
            )
        elif wanted == "save":
            save(terms)
        else:
            raise InvalidInput

    refusal = refusal_of(change)
    return refusal, shown[0] if shown else None


def _typed(given: QueryDict) -> dict[str, Any]:
    """What was typed, to be shown again."""
    return given.dict() | {name: given.getlist(name) for name in _LIST} | {"tags": given.get("tags", "").split(",")}


def _terms(given: QueryDict) -> PolicyTerms:
    """Raises InvalidInput for what is no number."""
    tags = tuple(tag.strip() for tag in given.get("tags", "").split(",") if tag.strip())
    said: dict[str, Any] = {name: given.get(name, "").strip() for name in ("name", "legal_basis", "event", "action")}
    said |= {name: typed_number(given, name) for name in _NUMBERS}
    said |= {name: tuple(given.getlist(name)) for name in _LIST}
    return PolicyTerms(
        starts=given.get("starts", ""), tags=tags, grace_days=typed_number(given, "grace_days") or 0, **said
    )


def retention_run_page(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """The report of one run: what it did about each dataset."""
    principal = open_page(request, "retention.read", ResourceRef("retention_run", str(run_id)))
    run = find_run(run_id)
    after = _uuid(request.GET.get("after", ""))
    steps = list_steps(run, limit=_STEPS + 1, after=after)
    visible = Dataset.objects.visible_to(principal).filter(pk__in=[step.dataset_id for step in steps])
    maskings = maskings_of(steps)
    context = {
        "title": "Retention run",
        "run": run,
        "counts": [(name.replace(":", ": ").replace("_", "-"), count) for name, count in sorted(run.counts.items())],
        "steps": [(step, maskings.get(step.masking) if step.masking else None) for step in steps[:_STEPS]],
        "names": dict(visible.values_list("pk", "name")),
        "stores": [(SHELVES[Store(one.store)].title, one) for one in list_store_steps(run)],
        "more": steps[_STEPS - 1].pk if len(steps) > _STEPS else None,
    }
    return render_page(request, "vault/retention_run.html", context)


def _uuid(typed: str) -> UUID | None:
    try:
        return UUID(typed) if typed else None
    except ValueError:
        raise InvalidInput from None


PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("retention/", retention_page, "retention"),
    ("retention/policies/new/", retention_policy_new_page, "retention_policy_new"),
    ("retention/policies/<uuid:policy_id>/", retention_policy_page, "retention_policy"),
    ("retention/due/", retention_due_page, "retention_due"),
    *STORE_PATHS,
    ("retention/runs/<uuid:run_id>/", retention_run_page, "retention_run"),
)
