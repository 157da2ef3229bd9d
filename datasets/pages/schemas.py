"""The schema editor: write, try out and save what the records of a dataset must be like."""

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.selectors import people_named
from access.services.authorize import may
from datasets.errors.schemas import InvalidSchema
from datasets.models import Compatibility, RecordSchema
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.schemas.annotations import PII_TYPES, STRATEGIES
from datasets.schemas.shorthand import DIALECT, TYPES, expand_shorthand
from datasets.selectors import get_dataset
from datasets.services.schemas import (
    NewSchema,
    SchemaCheck,
    add_schema,
    annotations_of,
    check_schema,
    document_of,
    recent_schemas,
)
from vaultsite.kernel.errors import FieldProblem, InvalidInput, MalformedJSON, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal

_SHOWN: Final = 50
_MAX_TEXT: Final = 64 * 1024
_START: Final = {"$schema": DIALECT, "type": "object", "properties": {}, "required": []}


@dataclass
class Form:
    """What was typed, and what came of it."""

    document: str = ""
    sample: str = ""
    compatibility: str = ""
    message: str = ""
    checked: SchemaCheck | None = None
    #: Whether a sample was held against the schema.
    is_tried: bool = False

    @classmethod
    def of(cls, given: QueryDict) -> "Form":
        return cls(
            document=given.get("document", "")[: _MAX_TEXT + 1],
            sample=given.get("sample", "")[: _MAX_TEXT + 1],
            compatibility=given.get("compatibility", ""),
            message=given.get("message", "")[:1000],
        )


@dataclass(frozen=True)
class Change:
    """One line of a difference: ``kind`` is +, - or a blank."""

    kind: str
    text: str


@dataclass(frozen=True)
class Shown:
    """One version as the list shows it."""

    schema: RecordSchema
    text: str
    changes: tuple[Change, ...] = field(default=())


def schemas_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """The versions and the editor; posted, it expands the shorthand, checks, or saves."""
    if request.method != "POST":
        open_dataset(request, dataset_id)
        return _page(request, dataset_id, Form())
    form = Form.of(request.POST)
    actions = {"expand": _expand, "check": _check, "save": _save}
    action = actions.get(request.POST.get("do", ""))
    if action is None:
        raise InvalidInput
    refusal = refusal_of(lambda: action(request, dataset_id, form))
    if refusal is None and action is _save:
        return HttpResponseRedirect(reverse("admin:datasets_schemas", args=[dataset_id]))
    return _page(request, dataset_id, form, refusal)


def _expand(request: HttpRequest, dataset_id: UUID, form: Form) -> None:
    open_dataset(request, dataset_id)
    form.document = _pretty(expand_shorthand(_parsed(form.document, "shorthand")))


def _check(request: HttpRequest, dataset_id: UUID, form: Form) -> None:
    samples = []
    if form.sample.strip():
        sample = _parsed(form.sample, "sample")
        if not isinstance(sample, dict):
            raise InvalidInput(errors=[FieldProblem(field="/sample", detail="the data of a record is a JSON object")])
        samples.append(sample)
        form.is_tried = True
    principal = resolve_principal(request)
    form.checked = check_schema(principal, dataset_id=dataset_id, new=_new(form), samples=samples)


def _save(request: HttpRequest, dataset_id: UUID, form: Form) -> None:
    add_schema(resolve_principal(request), dataset_id=dataset_id, new=_new(form))


def _new(form: Form) -> NewSchema:
    if form.compatibility not in Compatibility.values:
        raise InvalidInput(errors=[FieldProblem(field="/compatibility", detail="no such mode")])
    document = _parsed(form.document, "schema")
    return NewSchema(document, Compatibility(form.compatibility), form.message)


def _parsed(text: str, field_name: str) -> Any:
    if len(text) > _MAX_TEXT:
        raise InvalidSchema(errors=[FieldProblem(field=f"/{field_name}", detail=f"longer than {_MAX_TEXT} characters")])
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as broken:
        where = f"line {broken.lineno}, column {broken.colno}"
        problem = FieldProblem(field=f"/{field_name}", detail=f"not valid JSON at {where}", line=broken.lineno)
        raise MalformedJSON(errors=[problem]) from None


def _pretty(document: Any) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()


def _page(request: HttpRequest, dataset_id: UUID, form: Form, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    rows = recent_schemas(dataset, limit=_SHOWN)
    active = rows[0] if rows else None
    form.document = form.document or _pretty(document_of(active) if active else _START)
    form.compatibility = form.compatibility or (active.compatibility if active else Compatibility.BACKWARD)
    context: dict[str, Any] = {
        "title": f"Schema of {dataset.name}",
        "form": form,
        "active": active,
        "annotations": annotations_of(active) if active else (),
        "versions": _versions(rows),
        "people": people_named(principal, [row.created_by for row in rows]),
        "modes": Compatibility.choices,
        "types": ", ".join(TYPES),
        "pii_types": sorted(PII_TYPES),
        "strategies": ", ".join(sorted(STRATEGIES)),
        "refusal": refusal,
        "may_write": may(principal, "schema.write"),
    }
    page = render_page(request, "vault/schemas.html", context, dataset=dataset, tab="datasets_schemas")
    page.status_code = refusal.status if refusal else 200
    return page


def _versions(rows: Sequence[RecordSchema]) -> list[Shown]:
    """Each version with what it changed in the one before it."""
    texts = [_pretty(document_of(row)) for row in rows]
    before = [*texts[1:], ""] if texts else []
    return [
        Shown(row, text, _changes(old, text) if old else ()) for row, text, old in zip(rows, texts, before, strict=True)
    ]


def _changes(old: str, new: str) -> tuple[Change, ...]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3)
    return tuple(Change(line[:1], line[1:]) for line in lines if not line.startswith(("---", "+++", "@@")))
