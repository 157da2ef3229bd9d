"""The PDF of a report: accessible, whole with nothing to tell, and with texts that have no blank in them."""

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from compliance.reports.encode import PdfFile
from compliance.reports.kind import STATEMENT
from compliance.reports.registry import KINDS
from compliance.reports.series import MOST, series
from compliance.reports.tally import DISTINCT, SHOWN, Tally

NOW = datetime(2026, 11, 20, 10, tzinfo=UTC)
KIND = KINDS["gdpr_dsar"]


def set_as_pdf(*rows: tuple[Any, ...], kind=KIND) -> bytes:
    tally, made = Tally(kind, sample_size=400), []
    for row in rows:
        tally.add(row)
    file = PdfFile(kind, made.append)
    file.begin(
        {
            "id": "a",
            "type": kind.code,
            "title": kind.title,
            "about": kind.about,
            "maps_to": list(kind.maps_to),
            "statement": STATEMENT,
            "since": "2026-10-01T00:00:00Z",
            "until": "2026-11-01T00:00:00Z",
            "scope": {"datasets": [], "users": []},
            "asked_for_at": "2026-11-01T00:00:00Z",
            "asked_for_by": "b",
            "notes": list(kind.notes),
        }
    )
    file.end(tally, {"checkpoint": "audit checkpoint of 7 events, root ab", "rows_sha256": "c" * 64})
    (content,) = made
    return content


def row_of(kind=KIND, **said: Any) -> tuple[Any, ...]:
    return tuple((dict.fromkeys(kind.columns) | said).values())


def pages(content: bytes) -> int:
    return int(re.search(rb"<xmpTPg:NPages>(\d+)", content)[1])


def test_it_is_tagged_and_says_its_language_title_and_standard() -> None:
    content = set_as_pdf(row_of(received_at=NOW, type="access", state="received", law="gdpr", clock="met"))
    catalog = re.search(rb"/Type/Catalog.*", content)[0]
    for said in (b"/Lang(en)", b"/StructTreeRoot", b"/MarkInfo<</Marked true", b"/DisplayDocTitle true"):
        assert said in catalog
    assert b"<pdfuaid:part>1</pdfuaid:part>" in content
    assert b"/Title(Requests of data subjects - LLM Data Vault)" in content
    roles = set(re.findall(rb"/S/(\w+)", content))
    assert {b"H1", b"H2", b"Table", b"TH", b"TD", b"Figure"} <= roles
    assert re.search(rb"/Alt\(Rows by day from 2026-11-20", content), "a picture is told in words"
    assert b"/Scope/Column" in content, "cells of a table know their headings"


def test_letters_that_no_font_has_are_boxes_in_a_tagged_pdf() -> None:
    content = set_as_pdf(row_of(received_at=NOW, type="\u65e5\u672c", state="received", law="gdpr", clock="met"))
    assert b"/StructTreeRoot" in content
    assert b"pdfuaid" not in content, "a PDF/UA shows every letter"


@pytest.mark.parametrize("code", ["access_summary", "soc2_recovery"])
def test_without_a_row_it_says_so_and_has_no_empty_table(code) -> None:
    kind = KINDS[code]
    content = set_as_pdf(kind=kind)
    assert pages(content) == 2
    assert b"/S/Table" in content, "the facts of the cover"
    assert content.count(b"/S/TH") == 0


def test_long_texts_without_a_blank_stay_on_their_page() -> None:
    kind = replace(KIND, page_columns=())
    long = "a" * 300 + "-".join(["b"] * 200)
    content = set_as_pdf(*(row_of(kind, assignee=long, reference=long, received_at=NOW) for _ in range(30)), kind=kind)
    assert pages(content) > 4


def test_a_series_takes_longer_steps_and_loses_no_row() -> None:
    for days, step in ((1, "day"), (MOST, "day"), (MOST + 1, "week"), (MOST * 7, "week"), (2500, "month")):
        dates = [(NOW - timedelta(days=ago)).date().isoformat() for ago in {*range(0, days, 3), days - 1}]
        given = [{"value": date, "count": number % 5 + 1} for number, date in enumerate(dates)]
        made = series(given)
        assert made["step"] == step
        assert sum(point["count"] for point in made["points"]) == sum(one["count"] for one in given)
        assert len(made["points"]) <= 90
    assert series([]) is None


def test_rare_values_are_counted_as_others_however_many(monkeypatch) -> None:
    monkeypatch.setattr("compliance.reports.tally.DISTINCT", SHOWN + 2)
    assert DISTINCT > SHOWN
    tally = Tally(replace(KIND, breakdowns=("assignee",), tables=(("assignee", "law"),)))
    for number in range(100):
        tally.add(row_of(assignee=f"somebody {number}", law="gdpr"))
    shown = tally.breakdowns()["assignee"]
    assert sum(one["count"] for one in shown) == 100
    assert shown[-1]["value"] == "(others)"
    (table,) = tally.tables()
    assert sum(line["total"] for line in table["lines"]) + table["left_out"] == 100
