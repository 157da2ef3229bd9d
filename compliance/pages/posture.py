"""Posture in the browser: frameworks, their controls, the probes behind them, and evidence for the rest."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.urls import reverse

from access.pages.page import refusal_of, render_page
from access.selectors import people_named
from access.services.authorize import may
from compliance.api.posture import as_download
from compliance.models.posture import ProbeRun
from compliance.posture.catalog import PROBES
from compliance.posture.controls import framework_of, frameworks
from compliance.posture.evidence import (
    ATTEST,
    LONGEST,
    MEDIA_TYPES,
    MOST_BYTES,
    Attestation,
    attest_control,
    open_document,
    withdraw_evidence,
)
from compliance.posture.read import (
    Day,
    read_control,
    read_result,
    read_status,
    results_of_probes,
    results_of_run,
    trend,
)
from compliance.posture.run import RUN, get_probe_run, start_probes
from compliance.posture.signing import as_text
from compliance.posture.standing import ControlStanding, ControlState, Latest, count_states
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.jobs import FINAL
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

#: Runs shown at home.
RUNS: Final = 10
#: State -> what it is called, in the order of bars and lists: what is red comes first.
LABELS: Final[Mapping[str, str]] = MappingProxyType(
    {
        ControlState.FAILED.value: "failed",
        ControlState.NOT_PROVEN.value: "not proven",
        ControlState.PROVEN.value: "proven",
        ControlState.OUTSIDE.value: "outside, not attested",
        ControlState.ATTESTED.value: "outside, attested",
    }
)
_ORDER: Final = {state: place for place, state in enumerate(LABELS)}


@dataclass(frozen=True)
class Share:
    """One piece of a bar: how many controls are in a state, and how much of all that is."""

    state: str
    label: str
    count: int
    percent: float


def shares_of(counts: Mapping[str, int]) -> list[Share]:
    total = sum(counts.values()) or 1
    return [
        Share(state, label, counts.get(state, 0), round(100 * counts.get(state, 0) / total, 2))
        for state, label in LABELS.items()
    ]


@dataclass(frozen=True)
class Row:
    """A control in a list, with its state in words."""

    standing: ControlStanding
    label: str


def _rows(controls: Sequence[ControlStanding]) -> list[Row]:
    """Failed first, else in the order of the framework."""
    ordered = sorted(controls, key=lambda one: _ORDER[one.state.value])
    return [Row(one, LABELS[one.state.value]) for one in ordered]


def home_page(request: HttpRequest) -> HttpResponse:
    """Every framework at a glance; posted, all probes are run."""
    principal = resolve_principal(request)
    refusal, begun = None, list[ProbeRun]()
    if request.method == "POST":
        refusal = refusal_of(lambda: begun.append(start_probes(principal)))
        if refusal is None:
            messages.success(request, "The probes have been queued.")
            return HttpResponseRedirect(reverse("admin:compliance_probe_run", args=[begun[0].pk]))
    now = read_status(principal)
    runs = list(ProbeRun.objects.order_by("-id")[:RUNS])
    counts = count_states(now)
    context = {
        "title": "Posture",
        "counts": counts,
        "probed": counts["proven"] + counts["failed"] + counts["not_proven"],
        "cards": [
            {"framework": frameworks()[name], "shares": shares_of(count_states(now, name)), "total": len(controls)}
            for name, controls in now.by_framework().items()
        ],
        "red": [row for row in _rows(list(now.controls.values())) if row.standing.state == ControlState.FAILED],
        "days": _days(trend()),
        "runs": runs,
        "names": people_named(principal, [run.requested_by for run in runs]),
        "may_run": may(principal, RUN),
        "is_running": any(not run.is_final for run in runs),
    }
    return render_page(request, "vault/posture.html", context, refusal=refusal)


def _days(days: Sequence[Day]) -> list[dict[str, Any]]:
    """The newest first; of controls that are probed, as the others do not move."""
    probed = ("proven", "failed", "not_proven")
    found = []
    for one in reversed(days):
        counts = {state: one.total(state) for state in probed}
        found.append({"day": one.day, "shares": shares_of(counts), "counts": counts, "total": sum(counts.values())})
    return found


def framework_page(request: HttpRequest, framework: str) -> HttpResponse:
    """One framework: its controls, what is red first."""
    principal = resolve_principal(request)
    now = read_status(principal, framework=framework)
    found = framework_of(framework)
    context = {
        "title": found.title,
        "framework": found,
        "shares": shares_of(count_states(now, framework)),
        "rows": _rows(now.by_framework()[framework]),
        "at": now.at,
    }
    return render_page(request, "vault/posture_framework.html", context)


def control_page(request: HttpRequest, control: str) -> HttpResponse:
    """One control: what is tried, what came of it, and evidence; posted, it is attested or evidence is withdrawn."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(request, principal, control))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:compliance_control", args=[control]))
    found = read_control(principal, control_id=control)
    one = found.standing.control
    context = {
        "title": f"{frameworks()[one.framework].title} {one.number}",
        "control": one,
        "framework": frameworks()[one.framework],
        "standing": found.standing,
        "label": LABELS[found.standing.state.value],
        "probes": [(PROBES[name], latest, _facts(latest)) for name, latest in found.latest.items()],
        "history": _history(one.probes),
        "evidence": found.evidence,
        "names": people_named(principal, [each.attested_by for each in found.evidence]),
        "may_attest": may(principal, ATTEST) and not one.is_probed,
        "media_types": MEDIA_TYPES,
        "most_bytes": MOST_BYTES,
        "longest_days": LONGEST.days,
        "today": found.at.at.date(),
    }
    return render_page(request, "vault/posture_control.html", context, refusal=refusal)


def _act(request: HttpRequest, principal: Principal, control: str) -> None:
    given = request.POST
    if given.get("do") == "attest":
        file = request.FILES.get("document")
        if file is None:
            raise InvalidInput(errors=[FieldProblem("/document", "Choose a file")])
        attestation = Attestation(
            title=given.get("title", "").strip(),
            statement=given.get("statement", "").strip(),
            media_type=str(file.content_type),
            expires_on=_day(given.get("expires_on", "")),
        )
        attest_control(principal, control_id=control, attestation=attestation, document=file.read(MOST_BYTES + 1))
        messages.success(request, "The evidence is attached.")
    elif given.get("do") == "withdraw":
        withdraw_evidence(principal, evidence_id=_id(given.get("evidence", "")))
        messages.success(request, "The evidence is withdrawn, and its document is gone.")
    else:
        raise InvalidInput


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise InvalidInput(errors=[FieldProblem("/expires_on", "A day as 2026-12-31")]) from None


def _id(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput from None


def _facts(latest: Latest | None) -> list[tuple[str, Any]]:
    if latest is None:
        return []
    return [
        (name.replace("_", " "), "; ".join(map(str, value)) if isinstance(value, list) else value)
        for name, value in latest.result.facts.items()
    ]


def _history(names: tuple[str, ...]) -> list[tuple[str, Latest]]:
    return [(PROBES[one.result.probe].title, one) for one in results_of_probes(names) if one.result.probe in PROBES]


def run_page(request: HttpRequest, run_id: UUID) -> HttpResponse:
    """One run of the probes: how far it is, and what each found."""
    principal = resolve_principal(request)
    run = get_probe_run(principal, run_id)
    context = {
        "title": "Run of probes",
        "run": run,
        "is_final": run.status in FINAL,
        "results": [(PROBES.get(one.result.probe), one, _facts(one)) for one in results_of_run(run)],
        "names": people_named(principal, [run.requested_by]),
    }
    return render_page(request, "vault/posture_run.html", context)


def result_page(request: HttpRequest, result_id: UUID) -> HttpResponse:
    """One result: the exact statement, its signature, and whether that holds."""
    principal = resolve_principal(request)
    found = read_result(principal, result_id=result_id)
    probe = PROBES.get(found.result.probe)
    context = {
        "title": probe.title if probe else found.result.probe,
        "probe": probe,
        "found": found,
        "facts": _facts(found),
        "statement": bytes(found.result.statement).decode(),
        "signature": as_text(bytes(found.result.signature)),
        "signed_by": as_text(bytes(found.result.signed_by)),
    }
    return render_page(request, "vault/posture_result.html", context)


def evidence_file(request: HttpRequest, evidence_id: UUID) -> HttpResponse:
    """The document, to be kept, never shown."""
    return as_download(*open_document(resolve_principal(request), evidence_id=evidence_id))


def start_page(_: HttpRequest) -> HttpResponse:
    """Where compliance begins: the posture, whose place this address once was."""
    return HttpResponseRedirect(reverse("admin:compliance_home"))


PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("", start_page, "compliance_start"),
    ("posture/", home_page, "compliance_home"),
    ("posture/frameworks/<slug:framework>/", framework_page, "compliance_framework"),
    ("posture/controls/<str:control>/", control_page, "compliance_control"),
    ("posture/probe-runs/<uuid:run_id>/", run_page, "compliance_probe_run"),
    ("posture/probe-results/<uuid:result_id>/", result_page, "compliance_probe_result"),
    ("posture/evidence/<uuid:evidence_id>/", evidence_file, "compliance_evidence"),
)
