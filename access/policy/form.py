"""The readable form of common rules: who, what, when, for which purpose, under which obligation. It writes Cedar."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from ipaddress import ip_network
from typing import Any, Final, Literal, Self

from access.policy.builtin import RULES
from access.policy.cedar.schema import group_of, is_about_datasets
from access.policy.errors import InvalidPolicyText
from access.policy.obligations import as_annotation, read_annotations
from access.policy.question import as_uuid
from vaultsite.kernel.errors import FieldProblem

_CODE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_WHO: Final = {"role": "Role", "group": "Group", "user": "User", "service": "Service"}
_HOURS: Final = range(25)
_ALL_DAY: Final = (0, 24)
GROUPS: Final = tuple(sorted({group_of(action) for action in RULES}))


@dataclass(frozen=True)
class RuleForm:
    """One rule as a person fills it in. Empty members do not narrow the rule.

    ``who`` is a kind of holder (``role``, ``group``, ``user``, ``service``, or empty for everybody) with the code or id
    in ``who_id``. ``actions`` are actions or groups of them (``read``). Hours are of UTC: from ``from_hour`` to before
    ``to_hour``. ``obligations`` are texts as decisions write them (``row_limit:100``).
    """

    effect: Literal["permit", "forbid"]
    who: str = ""
    who_id: str = ""
    actions: tuple[str, ...] = ()
    dataset_id: str = ""
    classifications: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    residencies: tuple[str, ...] = ()
    purposes: tuple[str, ...] = ()
    from_hour: int = 0
    to_hour: int = 24
    workdays_only: bool = False
    network: str = ""
    zone: str = ""
    needs_mfa: bool = False
    own_only: bool = False
    obligations: tuple[str, ...] = ()

    @classmethod
    def of(cls, stored: Mapping[str, Any]) -> Self:
        """The form that ``as_json`` wrote."""
        read: dict[str, Any] = {
            name: tuple(value) if isinstance(value, list) else value for name, value in stored.items()
        }
        return cls(**read)

    def as_json(self) -> dict[str, Any]:
        """Its members, for keeping beside the text."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}

    def as_cedar(self) -> str:
        """The statement. Raises InvalidPolicyText naming the member that cannot be meant."""
        if problems := list(_problems(self)):
            raise InvalidPolicyText(errors=problems)
        lines = [as_annotation(one) for one in read_annotations(_annotations(self))]
        lines.append(f"{self.effect} (\n  {_principal(self)},\n  {_actions(self)},\n  {_resource(self)}\n)")
        conditions = list(_conditions(self))
        return "\n".join(lines) + (" when {\n  " + " &&\n  ".join(conditions) + "\n};" if conditions else ";")


def _problems(form: RuleForm) -> Iterator[FieldProblem]:
    if form.who and form.who not in _WHO:
        yield FieldProblem("who", "is none of role, group, user, service")
    if form.who and not _CODE.fullmatch(form.who_id):
        yield FieldProblem("who_id", "names nobody: a code or an id")
    if unknown := [one for one in form.actions if one not in RULES and one not in GROUPS]:
        yield FieldProblem("actions", f"{len(unknown)} of them are no action")
    if form.dataset_id and as_uuid(form.dataset_id) is None:
        yield FieldProblem("dataset_id", "is no id of a dataset")
    for name in ("classifications", "tags", "residencies", "purposes"):
        if any(not _is_text(one) for one in getattr(form, name)):
            yield FieldProblem(name, "has a value that is empty, too long, or has quotes or control characters")
    if form.from_hour not in _HOURS or form.to_hour not in _HOURS or form.from_hour >= form.to_hour:
        yield FieldProblem("from_hour", "hours go from 0 to 24, the first before the last")
    if form.network and not _is_network(form.network):
        yield FieldProblem("network", "is no network such as 10.0.0.0/8")
    if form.zone and not _CODE.fullmatch(form.zone):
        yield FieldProblem("zone", "is no code")


def _principal(form: RuleForm) -> str:
    if not form.who:
        return "principal"
    entity = f"{_WHO[form.who]}::{_quoted(form.who_id)}"
    return f"principal in {entity}" if form.who in {"role", "group"} else f"principal == {entity}"


def _actions(form: RuleForm) -> str:
    if not form.actions:
        return "action"
    named = [f"Action::{_quoted(action)}" for action in form.actions]
    return f"action in [{', '.join(named)}]"


def _resource(form: RuleForm) -> str:
    if form.dataset_id:
        return f"resource == Dataset::{_quoted(form.dataset_id)}"
    named = [action for action in form.actions if action in RULES]
    return "resource" if named and not any(map(is_about_datasets, named)) else "resource is Dataset"


def _conditions(form: RuleForm) -> Iterator[str]:
    yield from _about_resource(form)
    yield from _about_request(form)


def _about_resource(form: RuleForm) -> Iterator[str]:
    if form.classifications:
        yield _among("resource.classification", form.classifications)
    if form.tags:
        yield f"resource.tags.containsAny([{', '.join(map(_quoted, form.tags))}])"
    if form.residencies:
        yield _among("resource.residency", form.residencies)
    if form.own_only:
        yield "resource.owner == principal.id"


def _about_request(form: RuleForm) -> Iterator[str]:
    if form.purposes:
        yield _among("context.purpose", form.purposes)
    if (form.from_hour, form.to_hour) != _ALL_DAY:
        yield f"context.hour >= {form.from_hour} && context.hour < {form.to_hour}"
    if form.workdays_only:
        yield "context.weekday <= 5"
    if form.network:
        yield f'context.ip.isInRange(ip("{form.network}"))'
    if form.zone:
        yield f"context.zone == {_quoted(form.zone)}"
    if form.needs_mfa:
        yield "principal.mfa"


def _annotations(form: RuleForm) -> dict[str, str | None]:
    return {kind: value for kind, _, value in (text.partition(":") for text in form.obligations)}


def _among(what: str, values: tuple[str, ...]) -> str:
    if len(values) == 1:
        return f"{what} == {_quoted(values[0])}"
    return f"[{', '.join(map(_quoted, values))}].contains({what})"


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _is_text(text: str) -> bool:
    return 0 < len(text) <= 100 and text.isprintable() and '"' not in text and "\\" not in text  # noqa: PLR2004


def _is_network(text: str) -> bool:
    try:
        return bool(ip_network(text))
    except ValueError:
        return False
