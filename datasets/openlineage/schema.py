"""What a run event must look like: the required members and formats of OpenLineage 2-0-2, as a JSON Schema.

Source: https://openlineage.io/spec/2-0-2/OpenLineage.json (RunEvent and what it refers to). Unknown members are allowed
there, so they are here. Sizes are ours.
"""

from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.protocols import Validator

_TEXT: Final = {"type": "string", "minLength": 1, "maxLength": 1000}
_URI: Final = {"type": "string", "format": "uri", "maxLength": 2000}
_TIME: Final = {"type": "string", "format": "date-time", "maxLength": 40}
_FACET: Final = {
    "type": "object",
    "required": ["_producer", "_schemaURL"],
    "properties": {"_producer": _URI, "_schemaURL": _URI, "_deleted": {"type": "boolean"}},
}
_FACETS: Final = {"type": "object", "maxProperties": 100, "additionalProperties": _FACET}


def _named(**more: Any) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["namespace", "name"],
        "properties": {"namespace": _TEXT, "name": _TEXT, "facets": _FACETS, **more},
    }


RUN_EVENT: Final[dict[str, Any]] = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["eventTime", "producer", "schemaURL", "run", "job"],
    "properties": {
        "eventType": {"enum": ["START", "RUNNING", "COMPLETE", "ABORT", "FAIL", "OTHER"]},
        "eventTime": _TIME,
        "producer": _URI,
        "schemaURL": _URI,
        "run": {
            "type": "object",
            "required": ["runId"],
            "properties": {"runId": {"type": "string", "format": "uuid"}, "facets": _FACETS},
        },
        "job": _named(),
        "inputs": {"type": "array", "maxItems": 1000, "items": _named(inputFacets=_FACETS)},
        "outputs": {"type": "array", "maxItems": 1000, "items": _named(outputFacets=_FACETS)},
    },
}


@cache
def run_event_validator() -> Validator:
    """Compiled once a process."""
    return Draft202012Validator(RUN_EVENT, format_checker=Draft202012Validator.FORMAT_CHECKER)
