"""Reports as tests ask for them, and their figures counted again."""

import hashlib
import json
from collections import Counter
from datetime import timedelta
from typing import Any

from django.utils import timezone

from compliance.reports.work import run_report
from tests.factories.api import caller, send

URL = "/compliance/reports"


def body(kind: str, form: str = "json", *, days: int = 1, until: int = -1, **scope: Any) -> dict[str, Any]:
    """Of the time from so many days ago until so many days ago; without more from yesterday until tomorrow."""
    now = timezone.now()
    span = {"start": (now - timedelta(days=days)).isoformat(), "end": (now - timedelta(days=until)).isoformat()}
    return {"report_type": kind, "time_range": span, "format": form, **({"scope": scope} if scope else {})}


def written(tenant: Any, client: Any, asked: dict[str, Any]) -> tuple[dict[str, Any], bytes]:
    """What the API says of a report that was written, and its file."""
    answer = send(client, "POST", URL, asked)
    assert answer.status_code == 202, answer.content
    run_report(tenant.pk, answer.json()["id"])
    told = send(client, "GET", f"{URL}/{answer.json()['id']}").json()
    assert told["status"] == "succeeded", told
    file = client.get(told["download_url"])
    assert file.status_code == 200
    content = b"".join(file.streaming_content)
    assert (len(content), hashlib.sha256(content).hexdigest()) == (told["bytes"], told["sha256"])
    return told, content


def report_of(tenant: Any, kind: str, client: Any = None, **asked: Any) -> dict[str, Any]:
    """A report as JSON, every figure of it counted again from its rows; for an auditor unless somebody else asks."""
    _, content = written(tenant, client or caller(tenant, "auditor"), body(kind, **asked))
    shown: dict[str, Any] = json.loads(content)
    recount(shown)
    return shown


def figures(shown: dict[str, Any]) -> dict[str, Any]:
    return {one["name"]: one["value"] for one in shown["figures"]}


def recount(shown: dict[str, Any]) -> None:
    """Every figure is that of the rows it names, and every table too."""
    for figure in shown["figures"]:
        assert figure["value"] == _again(shown["rows"], figure["rows"]), figure
    for table in shown["tables"]:
        pairs = Counter(
            (str(row[table["rows"]] or "(none)"), str(row[table["columns"]] or "(none)"))
            for row in shown["rows"]
            if row[table["rows"]] is not None and row[table["columns"]] is not None
        )
        for line in table["lines"]:
            assert line["counts"] == [pairs[line["value"], name] for name in table["names"]]


def _again(rows: list[dict[str, Any]], made_of: dict[str, Any] | None) -> int | None:
    if made_of is None:
        return len(rows)
    cells = [row[made_of["column"]] for row in rows]
    if "values" in made_of:
        return sum(str(cell) in made_of["values"] for cell in cells)
    numbers = sorted(cell for cell in cells if cell is not None)
    if not numbers:
        return None
    made = {"total": sum(numbers), "most": numbers[-1], "median": numbers[(len(numbers) - 1) // 2]}
    return int(made[made_of["of"]])
