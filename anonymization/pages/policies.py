"""The screens of anonymization policies: the list, and one policy with editor, versions and attachments."""

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import orjson
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.models import Purpose, Role
from access.selectors import people_named
from access.services.authorize import may
from anonymization.models import AnonymizationPolicy, AttachmentKind, PolicyVersion
from anonymization.operators.registry import OPERATORS, get_operator
from anonymization.pages.page import refusal_of, render_page
from anonymization.policies.presets import PRESETS
from anonymization.policies.schema import KEEP
from anonymization.services import policies
from anonymization.services.policies import NewPolicy
from vaultsite.kernel.errors import FieldProblem, InvalidInput, MalformedJSON, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal

_SHOWN: Final = 100
_MAX_TEXT: Final = 128 * 1024
_START: Final = {"format": 1, "default": {"strategy": "mask"}, "rules": []}


@dataclass(frozen=True)
class Change:
    """One line of a difference: ``kind`` is +, - or a blank."""

    kind: str
    text: str


@dataclass(frozen=True)
class Shown:
    """One version as the list shows it, with what it changed in the one before it."""

    version: PolicyVersion
    sha256: str
    text: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class RuleRow:
    """One rule as the table shows it, with what is wrong with it."""

    number: int
    name: str
    entities: str
    fields: str
    min_score: Any
    strategy: str
    parameters: str
    problems: tuple[FieldProblem, ...]


def policies_page(request: HttpRequest) -> HttpResponse:
    """The policies and the presets; posted, it makes one."""
    if request.method != "POST":
        return _list(request)
    made: list[AnonymizationPolicy] = []
    refusal = refusal_of(lambda: made.append(_create(request)))
    if refusal is not None:
        return _list(request, refusal)
    return HttpResponseRedirect(reverse("admin:privacy_policy", args=[made[0].pk]))


def _create(request: HttpRequest) -> AnonymizationPolicy:
    given = request.POST
    preset, as_it_is = given.get("preset", ""), given.get("as_it_is") == "1"
    if preset and preset not in PRESETS:
        raise InvalidInput(errors=[FieldProblem("/preset", "no such preset")])
    document = PRESETS[preset].document if preset else _START
    new = NewPolicy(
        name=given.get("name", "").strip()[:64],
        description=given.get("description", "")[:1000],
        preset=preset if as_it_is else "",
        document=None if as_it_is and preset else document,
    )
    return policies.create_policy(resolve_principal(request), new)


def _list(request: HttpRequest, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    rows = [] if refusal else policies.list_policies(principal, after=None, limit=_SHOWN)
    context: dict[str, Any] = {
        "title": "Anonymization policies",
        "rows": [(row, policies.attachments_of(row)) for row in rows],
        "is_listing": refusal is None,
        "presets": [(name, preset) for name, preset in PRESETS.items()],
        "given": request.POST if refusal else {},
        "may_manage": may(principal, "anonymization.manage"),
    }
    return render_page(request, "vault/policies.html", context, refusal=refusal)


def policy_page(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """One policy; posted, it is changed as the button says, or its document checked."""
    if request.method != "POST":
        return _page(request, policy_id, "")
    given = request.POST
    act = _ACTS.get(given.get("do", ""))
    if act is None:
        raise InvalidInput
    refusal = refusal_of(lambda: act(request, policy_id, given))
    if refusal is None and act is not _check:
        place = "admin:privacy_policies" if act is _delete else "admin:privacy_policy"
        return HttpResponseRedirect(reverse(place, args=[] if act is _delete else [policy_id]))
    return _page(request, policy_id, given.get("document", "")[:_MAX_TEXT], refusal, is_checked=refusal is None)


def _check(request: HttpRequest, _policy_id: UUID, given: QueryDict) -> None:
    policies.check_document(resolve_principal(request), _parsed(given.get("document", "")))


def _save(request: HttpRequest, policy_id: UUID, given: QueryDict) -> None:
    policies.add_version(
        resolve_principal(request),
        policy_id=policy_id,
        document=_parsed(given.get("document", "")),
        message=given.get("message", "")[:1000],
        is_active=given.get("activate") == "1",
    )


def _activate(request: HttpRequest, policy_id: UUID, given: QueryDict) -> None:
    number = given.get("number", "")
    if number and not (number.isdecimal() and len(number) < 10):  # noqa: PLR2004 - what the column holds
        raise InvalidInput
    policies.activate_version(resolve_principal(request), policy_id=policy_id, number=int(number) if number else None)


def _attach(request: HttpRequest, policy_id: UUID, given: QueryDict) -> None:
    kind, _, target = given.get("target", "").partition(":")
    if kind not in AttachmentKind.values:
        kind, target = AttachmentKind.DATASET, given.get("dataset", "").strip()
    policies.attach_policy(
        resolve_principal(request),
        policy_id=policy_id,
        kind=kind,
        target=target[:64],
        binds_raw_readers=given.get("binds_raw_readers") == "1",
    )


def _detach(request: HttpRequest, policy_id: UUID, given: QueryDict) -> None:
    try:
        attachment_id = UUID(given.get("attachment", ""))
    except ValueError:
        raise InvalidInput from None
    policies.detach_policy(resolve_principal(request), policy_id=policy_id, attachment_id=attachment_id)


def _delete(request: HttpRequest, policy_id: UUID, _given: QueryDict) -> None:
    policies.delete_policy(resolve_principal(request), policy_id=policy_id)


_ACTS: Final[Mapping[str, Callable[[HttpRequest, UUID, QueryDict], None]]] = MappingProxyType(
    {
        "check": _check,
        "save": _save,
        "activate": _activate,
        "attach": _attach,
        "detach": _detach,
        "delete": _delete,
    }
)


def _parsed(text: str) -> Any:
    if len(text) > _MAX_TEXT:
        raise InvalidInput(errors=[FieldProblem("/document", f"longer than {_MAX_TEXT} characters")])
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as broken:
        problem = FieldProblem("/document", f"not valid JSON at line {broken.lineno}, column {broken.colno}")
        raise MalformedJSON(errors=[problem]) from None


def _page(
    request: HttpRequest, policy_id: UUID, text: str, refusal: VaultError | None = None, *, is_checked: bool = False
) -> HttpResponse:
    principal = resolve_principal(request)
    policy = policies.get_policy(principal, policy_id)
    versions = policies.list_versions(policy, after=None, limit=_SHOWN)
    shown = _versions(versions)
    active = next((one for one in shown if one.version.number == policy.active_version), None)
    attachments = policies.attachments_of(policy)
    acted = [*(row.created_by for row in versions), *(row.created_by for row in attachments)]
    text = text or (shown[0].text if shown else _pretty(_START))
    context: dict[str, Any] = {
        "title": policy.name,
        "policy": policy,
        "preset": PRESETS.get(policy.preset),
        "versions": shown,
        "active": active,
        "text": text,
        "rules": _rule_rows(text, refusal),
        "elsewhere": [one for one in refusal.errors if not one.field.startswith("/document/rules/")] if refusal else [],
        "is_checked": is_checked,
        "attachments": attachments,
        "people": people_named(principal, acted),
        "roles": list(Role.objects.order_by("code").values_list("code", flat=True)),
        "purposes": list(Purpose.objects.filter(is_active=True).order_by("code").values_list("code", flat=True)),
        "operators": [get_operator(name) for name in sorted(OPERATORS)],
        "keep": KEEP,
        "may_manage": may(principal, "anonymization.manage"),
    }
    return render_page(request, "vault/policy.html", context, refusal=refusal)


def _rule_rows(text: str, refusal: VaultError | None) -> list[RuleRow]:
    """The rules of what was typed, as far as it can be read, each with its own problems."""
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError:
        return []
    rules = document.get("rules") if isinstance(document, dict) else None
    rules = rules if isinstance(rules, list) else []
    problems = refusal.errors if refusal else ()
    return [_rule_row(number, rule, problems) for number, rule in enumerate(rules) if isinstance(rule, dict)]


def _rule_row(number: int, rule: Mapping[str, Any], problems: Sequence[FieldProblem]) -> RuleRow:
    place = f"/document/rules/{number}"
    own = [one for one in problems if one.field == place or one.field.startswith(f"{place}/")]
    parameters = rule.get("parameters") or {}
    return RuleRow(
        number=number + 1,
        name=str(rule.get("name", "")),
        entities=_listed(rule.get("entities")),
        fields=_listed(rule.get("fields")) + (" (whole)" if rule.get("whole_field") else ""),
        min_score=rule.get("min_score", ""),
        strategy=str(rule.get("strategy", "")),
        parameters=orjson.dumps(parameters).decode() if parameters else "",
        problems=tuple(FieldProblem(one.field.removeprefix(place) or "/", one.detail) for one in own),
    )


def _listed(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else ""


def _versions(rows: Sequence[PolicyVersion]) -> list[Shown]:
    texts = [_pretty(orjson.loads(bytes(row.document))) for row in rows]
    before = [*texts[1:], ""] if texts else []
    return [
        Shown(row, bytes(row.digest).hex(), text, _changes(old, text) if old else ())
        for row, text, old in zip(rows, texts, before, strict=True)
    ]


def _changes(old: str, new: str) -> tuple[Change, ...]:
    lines = difflib.unified_diff(old.splitlines(), new.splitlines(), lineterm="", n=3)
    return tuple(Change(line[:1], line[1:]) for line in lines if not line.startswith(("---", "+++", "@@")))


def _pretty(document: Any) -> str:
    return orjson.dumps(document, option=orjson.OPT_INDENT_2).decode()
