"""The playground: what is found in a text, why, and what every operator makes of it. Nothing is stored."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import orjson
from django.http import HttpRequest, HttpResponse, QueryDict

from access.services.authorize import may, shows_raw
from anonymization.pages.marks import Stretch, stretches
from anonymization.pages.page import open_page, refusal_of, render_page
from anonymization.services.explain import Shown, explain_record, show_with_every_operator, show_with_presets
from anonymization.trust.texts import text_of
from anonymization.trust.trust import Judgement
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef

#: Longest text of a trial, characters.
MAX_TEXT: Final = 20_000


@dataclass(frozen=True)
class Place:
    """A text of the record with what was found in it; ``is_name``: the name of a member."""

    pointer: str
    is_name: bool
    pieces: list[Stretch]


@dataclass(frozen=True)
class Row:
    """One finding as the table lists it."""

    number: int
    judged: Judgement
    covered: str


@dataclass(frozen=True)
class Result:
    places: list[Place]
    counting: list[Row]
    ignored: list[Row]
    operators: list[tuple[Shown, str]]
    #: Empty for readers of anonymized records: pseudonyms of a policy would let them test guesses. Empty for those who
    #: may not read the rules of detection: what policies show would tell which values are listed.
    presets: list[tuple[Shown, str]]


@dataclass
class Trial:
    text: str = ""
    is_record: bool = False
    is_strict: bool = False
    result: Result | None = None

    @classmethod
    def of(cls, given: QueryDict) -> "Trial":
        is_record, is_strict = given.get("kind") == "record", given.get("strict") == "1"
        return cls(given.get("text", "")[: MAX_TEXT + 1].replace("\r\n", "\n"), is_record, is_strict)


def playground_page(request: HttpRequest) -> HttpResponse:
    """The form; posted, what was found and how it would be shown."""
    text = ResourceRef(type="text")
    principal = open_page(request, "pii.detect", text)
    sees_rules = may(principal, "detection.read")
    trial = Trial.of(request.POST)
    refusal = None
    if request.method == "POST":
        sees_presets = sees_rules and shows_raw(principal, text)
        refusal = refusal_of(lambda: _run(trial, sees_rules=sees_rules, sees_presets=sees_presets))
    context = {"title": "Playground", "trial": trial, "max_text": MAX_TEXT, "sees_rules": sees_rules}
    return render_page(request, "vault/playground.html", context, refusal=refusal)


def _run(trial: Trial, *, sees_rules: bool, sees_presets: bool) -> None:
    record = _record(trial)
    judged = explain_record(record, is_strict=trial.is_strict, with_rules=sees_rules)
    rows = [Row(number, one, _covered(record, one)) for number, one in enumerate(judged, 1)]
    findings = sorted(one.finding for one in judged if one.counts)
    presets = show_with_presets(record, [one.finding for one in judged]) if sees_presets else []
    trial.result = Result(
        places=_places(record, rows),
        counting=[row for row in rows if row.judged.counts],
        ignored=[row for row in rows if not row.judged.counts],
        operators=[(shown, _as_text(shown.record)) for shown in show_with_every_operator(record, findings)],
        presets=[(shown, _as_text(shown.record)) for shown in presets],
    )


def _record(trial: Trial) -> dict[str, Any]:
    if not trial.text.strip() or len(trial.text) > MAX_TEXT:
        raise InvalidInput(errors=[FieldProblem("/text", f"1 to {MAX_TEXT} characters")])
    if not trial.is_record:
        return {"data": trial.text}
    try:
        data = orjson.loads(trial.text)
    except orjson.JSONDecodeError as broken:
        where = f"not valid JSON at line {broken.lineno}, column {broken.colno}"
        raise InvalidInput(errors=[FieldProblem("/text", where)]) from None
    if not isinstance(data, dict):
        raise InvalidInput(errors=[FieldProblem("/text", "a record is a JSON object")])
    return {"data": data}


def _covered(record: Mapping[str, Any], one: Judgement) -> str:
    return text_of(record, one.finding)[one.finding.start : one.finding.end]


def _places(record: Mapping[str, Any], rows: list[Row]) -> list[Place]:
    """Every text in which something counts; of a single text that text, whatever is in it."""
    if isinstance(record["data"], str):
        return [Place("", False, stretches(record["data"], [(row.number, row.judged) for row in rows]))]
    by_place: dict[tuple[str, str], list[Row]] = {}
    for row in rows:
        if row.judged.counts:
            by_place.setdefault((row.judged.finding.pointer, row.judged.finding.part), []).append(row)
    return [
        Place(
            pointer,
            part == "key",
            stretches(text_of(record, own[0].judged.finding), [(row.number, row.judged) for row in own]),
        )
        for (pointer, part), own in by_place.items()
    ]


def _as_text(record: dict[str, Any] | None) -> str:
    if record is None:
        return ""
    data = record["data"]
    return data if isinstance(data, str) else orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()
