"""The shorthand for schemas: ``{"accuracy": "float", "note": "string?"}``."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from anonymization.findings import escape_token
from datasets.errors.schemas import InvalidSchema
from vaultsite.kernel.errors import FieldProblem

DIALECT: Final = "https://json-schema.org/draft/2020-12/schema"
MAX_DEPTH: Final = 16

TYPES: Final[Mapping[str, Mapping[str, Any]]] = MappingProxyType(
    {
        "string": {"type": "string"},
        "int": {"type": "integer"},
        "float": {"type": "number"},
        "bool": {"type": "boolean"},
        "date": {"type": "string", "format": "date"},
        "datetime": {"type": "string", "format": "date-time"},
        "object": {"type": "object"},
        "array": {"type": "array"},
    }
)


def expand_shorthand(fields: Any) -> dict[str, Any]:
    """The JSON Schema that the shorthand stands for.

    A field has the name of a type, with ``?`` when it may be missing or null; an object of fields; or a list of one
    type, for an array of such values. Members that are not listed are allowed. Raises InvalidSchema with the pointer.
    """
    return {"$schema": DIALECT, **_object(fields, "", MAX_DEPTH)}


def _object(fields: Any, pointer: str, depth: int) -> dict[str, Any]:
    if not isinstance(fields, dict) or not fields or not depth:
        raise _refusal(pointer, f"an object of fields is expected here, nested at most {MAX_DEPTH} deep")
    properties = {name: _value(kind, f"{pointer}/{escape_token(name)}", depth) for name, kind in fields.items()}
    required = [name for name, kind in fields.items() if not _is_optional(kind)]
    return {"type": "object", "properties": properties} | ({"required": required} if required else {})


def _is_optional(kind: Any) -> bool:
    return isinstance(kind, str) and kind.endswith("?")


def _value(kind: Any, pointer: str, depth: int) -> dict[str, Any]:
    if isinstance(kind, dict):
        return _object(kind, pointer, depth - 1)
    if isinstance(kind, list):
        if len(kind) != 1 or not depth:
            raise _refusal(pointer, "a list holds the one type of its values")
        return {"type": "array", "items": _value(kind[0], f"{pointer}/0", depth - 1)}
    if not isinstance(kind, str) or kind.removesuffix("?") not in TYPES:
        raise _refusal(pointer, f"the types are {', '.join(TYPES)}, with ? at the end when optional")
    schema = dict(TYPES[kind.removesuffix("?")])
    return schema | {"type": [schema["type"], "null"]} if _is_optional(kind) else schema


def _refusal(pointer: str, rule: str) -> InvalidSchema:
    return InvalidSchema(errors=[FieldProblem(field=f"/shorthand{pointer}", detail=rule)])
