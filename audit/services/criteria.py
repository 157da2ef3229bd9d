"""What is looked for in the audit, as the text of a query: the same words in the API, the explorer and exports."""

import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from rest_framework import serializers

from audit.rollups.counting import Filters
from audit.rollups.periods import FAR, is_far
from audit.selectors import EventFilter
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType

OUTCOMES: Final = ("success", "failure", "denied")
SEVERITIES: Final = ("info", "warning", "critical")
OPERATIONS: Final = ("read", "write", "update", "delete", "export")
_TYPES: Final = tuple(kind.value for kind in EventType)
_POLICY: Final = re.compile(r"[A-Za-z0-9_.:@#=/-]{1,256}")
#: Types one may name at once; a prefix counts as one.
MOST_TYPES: Final = 20


def expand_types(text: str) -> tuple[str, ...]:
    """``data.access.*,data.exported`` -> the types meant, each once. Raises InvalidInput naming ``type``."""
    parts = [part.strip() for part in text.split(",") if part.strip()]
    if not 0 < len(parts) <= MOST_TYPES:
        raise InvalidInput(errors=[FieldProblem("type", f"One to {MOST_TYPES} types or prefixes with commas between.")])
    found: dict[str, None] = {}
    for part in parts:
        meant = [kind for kind in _TYPES if kind == part or (part.endswith(".*") and kind.startswith(part[:-1]))]
        if not meant:
            raise InvalidInput(errors=[FieldProblem("type", f"There is no event type {part[:100]}.")])
        found |= dict.fromkeys(meant)
    return tuple(found)


class TypesField(serializers.CharField):
    """Event types with commas between; ``prefix.*`` stands for every type below it."""

    def to_internal_value(self, data: Any) -> tuple[str, ...]:  # type: ignore[override]
        try:
            return expand_types(super().to_internal_value(data))
        except InvalidInput as refusal:
            raise serializers.ValidationError(refusal.errors[0].detail) from refusal


class MomentField(serializers.DateTimeField):
    """A moment that somebody can mean."""

    def to_internal_value(self, value: Any) -> datetime:
        moment = super().to_internal_value(value)
        if is_far(moment):
            raise serializers.ValidationError(FAR)
        return moment


class EventFilterSerializer(StrictInput):
    """The filters of the listing; all must hold."""

    actor = serializers.UUIDField(required=False, source="actor_id")
    dataset = serializers.UUIDField(required=False, source="dataset_id")
    type = TypesField(
        required=False,
        source="types",
        max_length=2000,
        help_text="Types or prefixes (data.access.*), commas between.",
    )
    status = serializers.ChoiceField(choices=OUTCOMES, required=False)
    severity = serializers.ChoiceField(choices=SEVERITIES, required=False)
    classification = serializers.CharField(required=False, max_length=64)
    operation = serializers.ChoiceField(choices=OPERATIONS, required=False)
    purpose = serializers.CharField(required=False, max_length=256)
    policy = serializers.RegexField(
        _POLICY, required=False, help_text="Id of a policy (every version), or as events name it: policy:<id>@<number>."
    )
    request_id = serializers.CharField(required=False, max_length=64)
    since = MomentField(required=False, help_text="Earliest moment, included (RFC 3339).")
    until = MomentField(required=False, help_text="Latest moment, excluded (RFC 3339).")


def read_criteria(parameters: Mapping[str, str], *, beside: frozenset[str] = frozenset()) -> EventFilter:
    """The filters of a query; raises InvalidInput naming each parameter that does not fit.

    An unknown one does not fit either: a misspelt filter must not show everything. ``beside`` are parameters that
    somebody else reads.
    """
    given = EventFilterSerializer(data={name: parameters[name] for name in parameters if name not in beside})
    if not given.is_valid():
        raise InvalidInput(errors=[FieldProblem(str(name), str(found[0])) for name, found in given.errors.items()])
    return EventFilter(**given.validated_data)


def countable(criteria: EventFilter) -> Filters:
    """The part of the filters that the counts know: all but the period, policy and request."""
    names = Filters.__dataclass_fields__.keys()
    return Filters(**{name: value for name, value in asdict(criteria).items() if name in names})


def as_json(criteria: EventFilter) -> dict[str, Any]:
    """The filters as JSON, without those that do not restrict."""
    return {name: _plain(value) for name, value in asdict(criteria).items() if value is not None}


def from_json(stored: Mapping[str, Any]) -> EventFilter:
    """What ``as_json`` wrote."""
    read: dict[str, Callable[[Any], Any]] = {
        "actor_id": UUID, "dataset_id": UUID, "types": tuple, "since": _moment, "until": _moment,
    }  # fmt: skip
    return EventFilter(**{name: read.get(name, str)(value) for name, value in stored.items()})


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _plain(value: Any) -> Any:
    match value:
        case datetime():
            return value.isoformat()
        case UUID():
            return str(value)
        case tuple():
            return list(value)
    return value
