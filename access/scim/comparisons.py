"""One comparison of a filter as a condition: which operators a kind of attribute takes, and which values."""

from datetime import UTC, datetime
from typing import Any, Final
from unicodedata import normalize
from uuid import UUID

from django.db.models import F, Q
from django.db.models.functions import Lower
from django.db.models.lookups import GreaterThan, GreaterThanOrEqual, LessThan, LessThanOrEqual
from django.utils.dateparse import parse_datetime
from scim2_models.path import CompareOperator

from access.scim.attributes import Attribute, Kind
from access.scim.errors import InvalidFilter

NOTHING: Final = Q(pk__in=[])
EVERYTHING: Final = ~NOTHING
_TEXT_LOOKUPS: Final = {
    CompareOperator.eq: "iexact",
    CompareOperator.co: "icontains",
    CompareOperator.sw: "istartswith",
    CompareOperator.ew: "iendswith",
}
_EXACT_LOOKUPS: Final = {
    CompareOperator.eq: "exact",
    CompareOperator.co: "contains",
    CompareOperator.sw: "startswith",
    CompareOperator.ew: "endswith",
}
_ORDERINGS: Final = {
    CompareOperator.gt: GreaterThan,
    CompareOperator.ge: GreaterThanOrEqual,
    CompareOperator.lt: LessThan,
    CompareOperator.le: LessThanOrEqual,
}


def folded(text: str) -> str:
    """A text as texts are compared: NFC, in lower case."""
    return normalize("NFC", normalize("NFC", text).lower())


def present(attribute: Attribute) -> Q:
    """That there is a value."""
    if attribute.kind in (Kind.TEXT, Kind.FOLDED, Kind.EXACT):
        return ~Q(**{attribute.path: ""})
    return EVERYTHING


def compare(attribute: Attribute, op: CompareOperator, value: Any, name: str) -> Q:
    """That a value compares so; ``name`` is what the filter calls the attribute.

    Raises InvalidFilter for a value or an operator that does not fit it.
    """
    if op is CompareOperator.ne:
        return ~compare(attribute, CompareOperator.eq, value, name)
    if value is None:
        if op is not CompareOperator.eq:
            raise InvalidFilter(f"{name} cannot be compared with null so")
        return ~present(attribute)
    return _COMPARISONS[attribute.kind](attribute.path, op, value, name)


def _compare_text(path: str, op: CompareOperator, value: Any, name: str) -> Q:
    text = normalize("NFC", _text(value, name))
    if op in _ORDERINGS:
        return Q(_ORDERINGS[op](Lower(path), text.lower()))
    return Q(**{f"{path}__{_TEXT_LOOKUPS[op]}": text})


def _compare_folded(path: str, op: CompareOperator, value: Any, name: str) -> Q:
    return _compare_exact(path, op, folded(_text(value, name)), name)


def _compare_exact(path: str, op: CompareOperator, value: Any, name: str) -> Q:
    text = _text(value, name)
    if op in _ORDERINGS:
        return Q(_ORDERINGS[op](F(path), text))
    return Q(**{f"{path}__{_EXACT_LOOKUPS[op]}": text})


def _compare_id(path: str, op: CompareOperator, value: Any, name: str) -> Q:
    _require_equality(op, name)
    try:
        return Q(**{path: UUID(_text(value, name))})
    except ValueError:
        return NOTHING


def _compare_boolean(path: str, op: CompareOperator, value: Any, name: str) -> Q:
    _require_equality(op, name)
    truth = {"true": True, "false": False}.get(value.lower()) if isinstance(value, str) else value
    if not isinstance(truth, bool):
        raise InvalidFilter(f"{name} is true or false")
    return Q(**{path: truth})


def _compare_time(path: str, op: CompareOperator, value: Any, name: str) -> Q:
    moment = _moment(_text(value, name), name)
    if op is CompareOperator.eq:
        return Q(**{path: moment})
    if op not in _ORDERINGS:
        raise InvalidFilter(f"{name} is a time, which has no parts to compare")
    return Q(_ORDERINGS[op](F(path), moment))


def _compare_constant(path: str, op: CompareOperator, value: Any, name: str) -> Q:
    _require_equality(op, name)
    return EVERYTHING if _text(value, name) == path else NOTHING


_COMPARISONS: Final = {
    Kind.TEXT: _compare_text,
    Kind.FOLDED: _compare_folded,
    Kind.EXACT: _compare_exact,
    Kind.ID: _compare_id,
    Kind.BOOLEAN: _compare_boolean,
    Kind.TIME: _compare_time,
    Kind.CONSTANT: _compare_constant,
}


def _text(value: Any, name: str) -> str:
    """A text the database can hold: no NUL, and nothing that is no Unicode text."""
    if not isinstance(value, str) or "\0" in value or not _is_encodable(value):
        raise InvalidFilter(f"{name} is compared with a text")
    return value


def _is_encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _moment(text: str, name: str) -> datetime:
    try:
        moment = parse_datetime(text)
        if moment is not None and moment.tzinfo is not None:
            return moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise InvalidFilter(f"{name} is compared with a time as 2026-01-31T12:00:00Z")


def _require_equality(op: CompareOperator, name: str) -> None:
    if op is not CompareOperator.eq:
        raise InvalidFilter(f"{name} can be compared for equality alone")
