"""Tables for analytics in the browser: columns and their roles, the promise, progress, risk and utility."""

from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from access.selectors import known_purposes, people_named
from access.services.authorize import may
from anonymization.guarantees.guarantee import DiversityKind
from anonymization.guarantees.methods import Method
from anonymization.guarantees.suggest import Combination, Suggestion
from datasets.api.analytics import analytics_url
from datasets.api.analytics_shapes import AnalyticsExportInput, AnalyticsExportOutput
from datasets.models import Dataset, ExportFormat
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.pages.steps import as_steps, is_number
from datasets.selectors import get_dataset, list_versions
from datasets.services.guaranteed.download import make_address
from datasets.services.guaranteed.options import HierarchyKind, Role
from datasets.services.guaranteed.request import (
    create_guaranteed_export,
    get_guaranteed_export,
    list_guaranteed_exports,
    report_deletion,
    withdraw_guaranteed_export,
)
from datasets.services.guaranteed.schedules import end_schedule, list_schedules
from datasets.services.guaranteed.suggestions import open_suggestions, suggest_columns
from datasets.services.release_rules import rules_of
from vaultsite.kernel.api.problem import as_vault_error
from vaultsite.kernel.errors import InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.scope import current_scope

_TAB: Final = "datasets_guaranteed"
_LISTED: Final = 50
_VERSIONS: Final = 100
#: Records that the page looks at for its suggestions.
_SAMPLE: Final = 3_000
_SHOWN: Final = 8
#: What a column can be; without a role it stays behind.
_ROLES: Final = (
    ("", "leave out"),
    (Role.QUASI, "quasi-identifier: generalize"),
    (Role.SENSITIVE, "sensitive: protect by l and t"),
    (Role.SUBJECT, "subject: whom a row is about"),
    (Role.IDENTIFIER, "identifier: random pseudonym"),
    (Role.INSENSITIVE, "insensitive: as I may see it"),
    (Role.TEXT, "free text: personal data cut out"),
)
_HIERARCHIES: Final = (
    (HierarchyKind.AUTO, "by its values"),
    (HierarchyKind.FLAT, "value or any"),
    (HierarchyKind.INTERVALS, "intervals (widths)"),
    (HierarchyKind.PREFIXES, "prefixes (lengths)"),
    (HierarchyKind.DATES, "dates (steps)"),
)
_PLAIN: Final = ("version", "purpose", "format", "method", "k", "l", "l_kind", "t", "suppression", "filter", "target")
_MEMBERS: Final = {
    Role.QUASI: "quasi_identifiers",
    Role.SENSITIVE: "sensitive_attributes",
    Role.INSENSITIVE: "insensitive",
    Role.IDENTIFIER: "identifiers",
    Role.TEXT: "text",
}


def guaranteed_list_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The reader's own tables of a dataset, and the schedules that ask for them; posted, a schedule ends."""
    principal = resolve_principal(request)
    if request.method == "POST":
        end_schedule(principal, _uuid(request.POST.get("schedule", "")))
        return HttpResponseRedirect(reverse("admin:datasets_guaranteed", args=[dataset_id]))
    exports = list_guaranteed_exports(principal, dataset_id=dataset_id, limit=_LISTED)
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    schedules = list_schedules(principal, dataset_id=dataset.pk)
    context = {
        "title": f"Analytics tables of {dataset.name}",
        "exports": exports,
        "schedules": schedules,
        "people": people_named(principal, [schedule.owner for schedule in schedules]),
        "rules": rules_of(dataset.pk),
    }
    return render_page(request, "vault/guaranteed_list.html", context, dataset=dataset, tab=_TAB)


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise InvalidInput from None


def guaranteed_wizard(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Version and purpose first; then the columns with what they give away; then the table is asked for."""
    step = request.POST.get("do", "") if request.method == "POST" else ""
    if not step:
        return _questions(request, _opened(request, dataset_id))
    steps = {"columns": _columns, "create": _create}
    if step not in steps:
        raise InvalidInput
    made: list[HttpResponse] = []
    refusal = refusal_of(lambda: made.append(steps[step](request, dataset_id)))
    if refusal is None:
        return made[0]
    dataset = get_dataset(resolve_principal(request), dataset_id, action="analytics.export")
    page = _questions(request, dataset, refusal)
    page.status_code = refusal.status
    return page


def _opened(request: HttpRequest, dataset_id: UUID) -> Dataset:
    """The dataset of the empty form; the purpose is not known yet. Raises DatasetNotFound, AccessDenied."""
    principal = resolve_principal(request)
    if may(principal, "analytics.export"):
        return open_dataset(request, dataset_id)
    return open_dataset(request, dataset_id, action="analytics.export")


def _questions(
    request: HttpRequest, dataset: Dataset, refusal: VaultError | None = None, found: Suggestion | None = None
) -> HttpResponse:
    given = {name: request.POST.get(name, "") for name in _PLAIN}
    columns = _from_suggestion(found) if found is not None else _given_columns(request.POST)
    context: dict[str, Any] = {
        "title": f"Analytics table of {dataset.name}",
        "versions": list_versions(dataset, after=None, limit=_VERSIONS),
        "purposes": known_purposes(),
        "given": given | {"purpose": given["purpose"] or current_scope().purpose or ""},
        "columns": columns,
        "roles": _ROLES,
        "hierarchies": _HIERARCHIES,
        "formats": ExportFormat.choices,
        "methods": [(str(method), _METHODS[method]) for method in Method],
        "diversities": [str(kind) for kind in DiversityKind],
        "combinations": [_bar(one) for one in found.combinations[:_SHOWN]] if found else [],
        "refusal": refusal,
        "rules": rules_of(dataset.pk),
    }
    return render_page(request, "vault/guaranteed_wizard.html", context, dataset=dataset, tab=_TAB)


_METHODS: Final = {
    Method.LOCAL: "labels of hierarchies, row by row (keeps most)",
    Method.RANGES: "ranges and sets (fastest)",
    Method.GLOBAL: "one level for each whole column",
}


def _bar(one: Combination) -> dict[str, Any]:
    return {"label": " + ".join(one.columns), "percent": f"{100 * one.unique:.1f}"}


def _from_suggestion(found: Suggestion) -> list[dict[str, str]]:
    columns = []
    for one in found.columns:
        name = one.columns[0]
        role = Role.IDENTIFIER if name in found.identifiers else Role.QUASI if name in found.quasi_identifiers else ""
        facts = f"{100 * one.distinct:.1f} % distinct, {one.bits:.1f} bits"
        columns.append(
            {
                "name": name,
                "role": "" if role == Role.IDENTIFIER else role,
                "hierarchy": "auto",
                "steps": "",
                "facts": facts,
            }
        )
    return columns


def _given_columns(given: QueryDict) -> list[dict[str, str]]:
    names = given.getlist("name")
    members = [given.getlist(member) for member in ("role", "hierarchy", "steps", "facts")]
    if any(len(values) != len(names) for values in members):
        raise InvalidInput
    roles, hierarchies, steps, facts = members
    rows = zip(names, roles, hierarchies, steps, facts, strict=True)
    return [dict(zip(("name", "role", "hierarchy", "steps", "facts"), row, strict=True)) for row in rows]


def _columns(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Look at the records, as the reader may see them, for the purpose that was picked."""
    principal = resolve_principal(request)
    release = open_suggestions(
        principal,
        dataset_id=dataset_id,
        version=request.POST.get("version") or "main",
        purpose=request.POST.get("purpose") or None,
    )
    found, _ = suggest_columns(release, limit=_SAMPLE)
    return _questions(request, release.dataset, found=found)


def _create(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    body = AnalyticsExportInput(data=_answers(request.POST, dataset_id))
    if not body.is_valid():
        raise as_vault_error(ValidationError(body.errors))
    given = body.validated_data
    export = create_guaranteed_export(
        resolve_principal(request),
        dataset_id=dataset_id,
        version=given["version"],
        options=body.options(),
        purpose=given["purpose"] or None,
    )
    return HttpResponseRedirect(reverse("admin:datasets_guaranteed_export", args=[export.pk]))


def _answers(given: QueryDict, dataset_id: UUID) -> dict[str, Any]:
    """The form as the body of the request over REST."""
    columns = [column for column in _given_columns(given) if column["role"]]
    promise: dict[str, Any] = {
        "k": given.get("k") or None,
        "method": given.get("method") or "local",
        "suppression_limit": (float(given.get("suppression") or 0) if is_number(given.get("suppression")) else None),
        "subject": next((column["name"] for column in columns if column["role"] == Role.SUBJECT), ""),
        "t_closeness": given.get("t") or None,
        "l_diversity": {"kind": given.get("l_kind") or "distinct", "l": given["l"]} if given.get("l") else None,
        "hierarchies": {column["name"]: _plan(column) for column in columns if column["role"] == Role.QUASI},
    }
    for role, member in _MEMBERS.items():
        promise[member] = [column["name"] for column in columns if column["role"] == role]
    how = {Role.IDENTIFIER: "pseudonymize", Role.TEXT: "redact_pii"}
    return {
        "dataset_id": str(dataset_id),
        "version": given.get("version") or "main",
        "purpose": given.get("purpose", ""),
        "fields": [column["name"] for column in columns],
        "filter": given.get("filter", "").strip() or None,
        "anonymization": promise,
        "field_transformations": [
            {"field": column["name"], "method": how[Role(column["role"])]}
            for column in columns
            if column["role"] in how
        ],
        "destination": {"target": given.get("target", ""), "format": given.get("format") or "parquet"},
    }


def _plan(column: dict[str, str]) -> dict[str, Any]:
    return {"kind": column["hierarchy"] or "auto", "steps": as_steps(column["steps"])}


def guaranteed_page(request: HttpRequest, export_id: UUID) -> HttpResponse:
    """One table: how far it is, what it keeps and costs, its files. A form posted here acts on it."""
    principal = resolve_principal(request)
    if request.method != "POST":
        return _shown(request, export_id)
    do = request.POST.get("do", "")
    if do == "download":
        name = request.POST.get("file", "")
        return HttpResponseRedirect(analytics_url(make_address(principal, export_id, name=name)))
    acts = {"withdraw": withdraw_guaranteed_export, "deleted": report_deletion}
    if do not in acts:
        raise InvalidInput
    acts[do](principal, export_id)
    return HttpResponseRedirect(reverse("admin:datasets_guaranteed_export", args=[export_id]))


def _shown(request: HttpRequest, export_id: UUID) -> HttpResponse:
    export = get_guaranteed_export(resolve_principal(request), export_id)
    said = AnalyticsExportOutput(export).data
    context = {
        "title": f"Analytics table of {export.dataset.name}",
        "export": export,
        "copy": said["copy"],
        "risks": _risks(export.risk),
        "has_before": "before" in export.risk,
        "losses": list(export.utility.get("loss_by_column", {}).items()),
    }
    return render_page(request, "vault/guaranteed.html", context, dataset=export.dataset, tab=_TAB)


def _risks(risk: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Name, before, after: percent. What was before is empty for who does not read raw."""
    words = {
        "prosecutor": "Prosecutor (highest)",
        "marketer": "Marketer (average)",
        "unique": "Rows alone in their class",
        "records_at_risk": "Rows with a risk above 20 %",
    }
    if not risk:
        return []
    before = risk.get("before", {})
    return [
        (text, f"{100 * float(before[name]):.1f}" if before else "", f"{100 * float(risk['after'][name]):.1f}")
        for name, text in words.items()
    ]
