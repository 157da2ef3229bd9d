"""One report: what it is of, its figures with the events behind them, its pictures and tables."""

from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.views.decorators.http import require_GET

from access.pages.page import render_page
from compliance.models import Report
from compliance.reports.kind import STATEMENT
from compliance.reports.registry import KINDS
from compliance.reports.request import get_report
from compliance.reports.summary import read_summary
from vaultsite.kernel.tenancy.ports import resolve_principal


@require_GET
def report_page(request: HttpRequest, report_id: UUID) -> HttpResponse:
    """The figures are there once it is written, for as long as its file is."""
    principal = resolve_principal(request)
    report = get_report(principal, report_id)
    summary = read_summary(principal, report)
    kind = KINDS[report.kind]
    context: dict[str, Any] = {"title": kind.title, "report": report, "kind": kind, "statement": STATEMENT}
    context |= {"summary": summary, **(_shown(report, summary) if summary else {})}
    return render_page(request, "vault/report.html", context)


def _shown(report: Report, summary: dict[str, Any]) -> dict[str, Any]:
    return {
        "figures": [_figure(report, one) for one in summary["figures"]],
        "breakdowns": [
            {"name": _words(name), "bars": _bars(rows)} for name, rows in summary["breakdowns"].items() if rows
        ],
        "tables": [
            {
                **one,
                "title": f"{_words(one['rows'])} by {_words(one['columns'])}".capitalize(),
                "first": _words(one["rows"]).capitalize(),
            }
            for one in summary["tables"]
        ],
        **_series(summary["series"]),
    }


def _figure(report: Report, one: dict[str, Any]) -> dict[str, Any]:
    """With its rows in words, and the explorer of the audit narrowed to its events and the report's time."""
    span = urlencode({"since": report.since.isoformat(), "until": report.until.isoformat()})
    link = f"{reverse('admin:audit_auditevent_changelist')}?{one['events']}&{span}" if one["events"] else ""
    return {"name": one["name"], "value": one["value"], "rows": _rows(one["rows"]), "link": link}


def _rows(made_of: dict[str, Any] | None) -> str:
    if made_of is None:
        return "all rows"
    column = _words(made_of["column"])
    return f"{made_of['of']} of {column}" if "of" in made_of else f"{column}: {' or '.join(made_of['values'])}"


def _bars(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    most = max(row["count"] for row in rows)
    return [{"name": row["value"], "count": row["count"], "percent": round(100 * row["count"] / most)} for row in rows]


def _series(given: dict[str, Any] | None) -> dict[str, Any]:
    if given is None:
        return {}
    points = given["points"]
    top = max(points, key=lambda point: point["count"])
    return {"series": _bars(points), "top_point": top, "most": top["count"], "last_point": points[-1]}


def _words(name: str) -> str:
    return name.replace("_", " ")
