"""Obligations as annotations of permits: how they are written, and what enforces which of them where."""

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from access.policy.builtin import RULES, SHOWING
from access.policy.decision import KINDS, Obligation
from access.policy.errors import InvalidAnnotation

#: Done by the decision point itself, whatever the action: the event of the decision says more.
AUDIT_LEVEL: Final = "audit_level"
#: Action -> kinds of obligations that whoever does the action enforces. What is not named here cannot be asked for.
ENFORCED: Final[Mapping[str, frozenset[str]]] = {
    "record.read": frozenset({"anonymize", "mask", "filter_rows", "consent", "restriction", "row_limit", "quota"}),
    "analytics.export": frozenset({"anonymize", "mask", "filter_rows", "consent", "restriction", "k"}),
    "statistics.query": frozenset({"filter_rows", "consent", "restriction", "epsilon", "quota"}),
}

#: Actions that use records one by one: for a purpose that rests on consent, those alone whose people have agreed.
CONSENTED: Final = frozenset({"record.read", "analytics.export", "statistics.query", "ingest.rejects.read"})
#: Actions that use records one by one: none of those whose people restricted the purpose.
RESTRICTABLE: Final = frozenset({"record.read", "analytics.export", "statistics.query"})
#: Kinds that speak of some actions alone; of others they ask nothing. A grant of several actions carries them all.
_CONCERNED: Final[Mapping[str, frozenset[str]]] = {
    "anonymize": SHOWING,
    "mask": SHOWING,
    "filter_rows": frozenset({"record.read", "analytics.export", "statistics.query"}),
    "consent": frozenset({"record.read", "analytics.export", "statistics.query"}),
    "row_limit": frozenset({"record.read"}),
    "k": frozenset({"analytics.export"}),
    "epsilon": frozenset({"statistics.query"}),
}

_OPERATORS: Final = frozenset({"mask", "redact"})
_REFERENCE: Final = re.compile(r"(preset:)?[A-Za-z0-9][A-Za-z0-9 _.-]{0,99}@[1-9][0-9]{0,5}")
_FIELD: Final = re.compile(r"(/[^,\s]{1,199}|[^,/\s\"]{1,100})")
_MAX_FIELDS: Final = 64
#: The longest row condition, in characters.
MAX_CONDITION: Final = 1000
_WHOLE: Final = re.compile(r"[1-9][0-9]{0,8}")
#: The code of a purpose.
_PURPOSE: Final = re.compile(r"[a-z][a-z0-9_-]{1,62}")
_EPSILON: Final = re.compile(r"[0-9]{1,3}(\.[0-9]{1,4})?")


def enforced_for(action: str) -> frozenset[str]:
    """The kinds of obligations that a decision on ``action`` may carry."""
    return ENFORCED.get(action, frozenset()) | {AUDIT_LEVEL}


def concerning(action: str, obligations: Sequence[Obligation]) -> tuple[Obligation, ...]:
    """Those of a grant's obligations that ask something of ``action``."""
    return tuple(one for one in obligations if action in _CONCERNED.get(one.type, {action}))


def read_annotations(annotations: Mapping[str, str | None]) -> tuple[Obligation, ...]:
    """The obligations that a statement's annotations write, in their order; ``id`` is no obligation.

    Raises InvalidAnnotation for a kind nobody knows and for a value of the wrong shape.
    """
    return tuple(_read(kind, value or "") for kind, value in annotations.items() if kind != "id")


def unenforced(kinds: frozenset[str], actions: frozenset[str] | None) -> dict[str, list[str]]:
    """Kind -> the actions among ``actions`` (None: all) at which nothing enforces it."""
    meant = sorted(RULES if actions is None else actions)
    found = {kind: [action for action in meant if kind not in enforced_for(action)] for kind in sorted(kinds)}
    return {kind: missing for kind, missing in found.items() if missing}


def as_annotation(obligation: Obligation) -> str:
    """The annotation that ``read_annotations`` reads as ``obligation``."""
    what = ",".join(obligation.fields) if obligation.type == "mask" else str(obligation).partition(":")[2]
    return f"@{obligation.type}({json.dumps(what, ensure_ascii=False)})"


def _read(kind: str, value: str) -> Obligation:
    read = _READERS.get(kind)
    if read is None:
        raise InvalidAnnotation(kind=kind[:32], known=sorted(_READERS))
    obligation = read(kind, value)
    if obligation is None:
        raise InvalidAnnotation(kind=kind, known=sorted(_READERS))
    return obligation


def _anonymize(kind: str, value: str) -> Obligation | None:
    """An operator for all personal data, a version of an anonymization policy, or the fields to hide."""
    if value in _OPERATORS:
        return Obligation(kind, value)
    if "@" in value:
        return Obligation(kind, policy=value) if _REFERENCE.fullmatch(value) else None
    return _mask("mask", value.removeprefix("fields:"))


def _mask(kind: str, value: str) -> Obligation | None:
    fields = tuple(field.strip() for field in value.split(","))
    fits = len(fields) <= _MAX_FIELDS and all(_FIELD.fullmatch(field) for field in fields)
    return Obligation(kind, fields=fields) if fits else None


def _condition(kind: str, value: str) -> Obligation | None:
    """Whether it is one in the syntax of queries is for those to say who read records."""
    is_text = 0 < len(value) <= MAX_CONDITION and value.isprintable() and not value.isspace()
    return Obligation(kind, value=value) if is_text else None


def _purpose(kind: str, value: str) -> Obligation | None:
    """Whether there is such a purpose is for those to say who know the tenant's."""
    return Obligation(kind, value=value) if _PURPOSE.fullmatch(value) else None


def _number(kind: str, value: str) -> Obligation | None:
    return Obligation(kind, value=value) if _WHOLE.fullmatch(value) else None


def _epsilon(kind: str, value: str) -> Obligation | None:
    return Obligation(kind, value=value) if _EPSILON.fullmatch(value) and float(value) > 0 else None


def _audit_level(kind: str, value: str) -> Obligation | None:
    return Obligation(kind, value=value) if value == "detailed" else None


_READERS: Final[Mapping[str, Callable[[str, str], Obligation | None]]] = {
    "anonymize": _anonymize,
    "mask": _mask,
    "filter_rows": _condition,
    "consent": _purpose,
    "row_limit": _number,
    "k": _number,
    "epsilon": _epsilon,
    "audit_level": _audit_level,
}
#: Kinds that only grants carry, or that nothing enforces yet: no policy can be written with them.
UNWRITABLE: Final = KINDS - set(_READERS)
