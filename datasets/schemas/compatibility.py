"""Whether every record that fits one schema fits another, for the part of JSON Schema where that can be decided.

Decided are types, enumerations, bounds and lengths, required and listed members, additional members, items and all of
these nested. Of every other keyword the wider schema may only have what the narrower one has word for word. Members
that a schema neither lists nor speaks of are taken as not there, unless it says ``additionalProperties`` itself.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from fractions import Fraction
from types import MappingProxyType
from typing import Any, Final, Literal

from anonymization.findings import escape_token
from datasets.schemas.compile import CompiledSchema, canonical_schema
from datasets.schemas.walk import Fault, Schema, inlined

Direction = Literal["backward", "forward"]

_TYPES: Final = frozenset({"null", "boolean", "integer", "number", "string", "array", "object"})
_NUMBERS: Final = frozenset({"integer", "number"})
#: Keywords that say nothing about whether a record fits.
_SILENT: Final = frozenset(
    {
        "$anchor", "$comment", "$defs", "$id", "$schema", "contentEncoding", "contentMediaType", "contentSchema",
        "default", "definitions", "deprecated", "description", "examples", "readOnly", "title", "writeOnly",
    }
)  # fmt: skip
#: Keywords that belong to one type, and only matter where both schemas allow it.
_OF_TYPE: Final[Mapping[str, frozenset[str]]] = MappingProxyType(
    {
        "number": frozenset({"minimum", "maximum", "exclusiveMinimum", "exclusiveMaximum", "multipleOf"}),
        "string": frozenset({"minLength", "maxLength", "pattern", "format"}),
        "array": frozenset(
            {
                "items", "prefixItems", "contains", "minContains", "maxContains", "minItems", "maxItems",
                "uniqueItems", "unevaluatedItems",
            }
        ),
        "object": frozenset(
            {
                "properties", "patternProperties", "additionalProperties", "propertyNames", "required",
                "minProperties", "maxProperties", "dependentRequired", "dependentSchemas", "unevaluatedProperties",
            }
        ),
    }
)  # fmt: skip
_AT_LEAST: Final = frozenset({"minLength", "minItems", "minProperties"})
_AT_MOST: Final = frozenset({"maxLength", "maxItems", "maxProperties"})
#: Keywords whose meaning hangs on their neighbours: equal together or undecided.
_COMPANIONS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        "if": ("if", "then", "else"),
        "then": ("if", "then", "else"),
        "else": ("if", "then", "else"),
        "contains": ("contains", "minContains", "maxContains"),
        "minContains": ("contains", "minContains", "maxContains"),
        "maxContains": ("contains", "minContains", "maxContains"),
    }
)
_HANDLED: Final = frozenset({"type", "enum", "const", "properties", "additionalProperties", "required", "items"})


@dataclass(frozen=True)
class Incompatibility:
    """Where two schemas part: the direction asked for, a pointer into the schema that is too narrow, and why."""

    direction: Direction
    pointer: str
    rule: str


def incompatibilities(old: Mapping[str, Any], new: Mapping[str, Any], mode: str) -> list[Incompatibility]:
    """What keeps ``new`` from following ``old`` under this mode (none, backward, forward, full), empty when nothing.

    Both documents have been compiled before. ``backward``: every record that fits ``old`` fits ``new``; ``forward``:
    the other way round; ``full``: both.
    """
    before, after = _of_records(inlined(dict(old))), _of_records(inlined(dict(new)))
    found: list[Incompatibility] = []
    if mode in {"backward", "full"}:
        found += (Incompatibility("backward", *fault) for fault in _faults(before, after, ""))
    if mode in {"forward", "full"}:
        found += (Incompatibility("forward", *fault) for fault in _faults(after, before, ""))
    return found


def _of_records(schema: Schema) -> Schema:
    """What a schema says of objects: a record is nothing else."""
    if isinstance(schema, dict) and "object" in _types(schema):
        return {**schema, "type": "object"}
    return schema


def _faults(narrow: Schema, wide: Schema, pointer: str) -> Iterator[Fault]:
    """Why a value may fit ``narrow`` and not ``wide``; pointers lead into ``wide``."""
    if narrow is False or wide is True or _meaning(narrow) == _meaning(wide):
        return
    if wide is False:
        yield pointer, "is not allowed any more"
        return
    assert isinstance(wide, dict)
    inner: dict[str, Any] = narrow if isinstance(narrow, dict) else {}
    values = _finite(inner)
    if values is not None:
        yield from _finite_faults(inner, values, wide, pointer)
        return
    yield from _type_faults(inner, wide, pointer)
    yield from _other_faults(inner, wide, pointer)


def _meaning(schema: Schema) -> bytes:
    """What two equal schemas have in common: everything but what is said for people."""

    def stripped(value: Any) -> Any:
        if isinstance(value, list):
            return [stripped(item) for item in value]
        if isinstance(value, dict):
            return {name: stripped(item) for name, item in value.items() if not _is_silent(name)}
        return value

    # A property may be named like a keyword: comparing too much of it is on the safe side, dropping it would not be.
    return canonical_schema(stripped(schema) if _has_plain_names(schema) else schema)


def _has_plain_names(schema: Any) -> bool:
    if isinstance(schema, list):
        return all(map(_has_plain_names, schema))
    if not isinstance(schema, dict):
        return True
    named = [schema[keyword] for keyword in ("properties", "patternProperties") if keyword in schema]
    if any(isinstance(names, dict) and any(map(_is_silent, names)) for names in named):
        return False
    if {"enum", "const"} & schema.keys():
        return False
    return all(map(_has_plain_names, schema.values()))


def _is_silent(keyword: str) -> bool:
    return keyword in _SILENT or keyword.startswith("x-")


def _finite(schema: dict[str, Any]) -> list[Any] | None:
    """The values of an enumeration, None for anything else."""
    if "const" in schema:
        return [schema["const"]]
    listed = schema.get("enum")
    return listed if isinstance(listed, list) else None


def _finite_faults(narrow: dict[str, Any], values: list[Any], wide: dict[str, Any], pointer: str) -> Iterator[Fault]:
    """Few values are simply tried."""
    inside, outside = CompiledSchema(narrow), CompiledSchema(wide)
    if any(not inside.problems(value) and outside.problems(value) for value in values):
        yield pointer, "does not allow every value that the other schema lists"


def _type_faults(narrow: dict[str, Any], wide: dict[str, Any], pointer: str) -> Iterator[Fault]:
    missing = _types(narrow) - _types(wide)
    if missing:
        yield f"{pointer}/type", f"does not allow {' or '.join(sorted(missing))}"
    for keyword in ("enum", "const"):
        if keyword in wide:
            yield f"{pointer}/{keyword}", "lists values where the other schema does not"


def _types(schema: dict[str, Any]) -> frozenset[str]:
    """The types a schema allows; whoever allows numbers allows integers."""
    stated = schema.get("type", sorted(_TYPES))
    types = frozenset([stated] if isinstance(stated, str) else stated)
    return types | {"integer"} if "number" in types else types


def _other_faults(narrow: dict[str, Any], wide: dict[str, Any], pointer: str) -> Iterator[Fault]:
    types = _types(narrow) & _types(wide)
    irrelevant = frozenset().union(
        *(keywords for kind, keywords in _OF_TYPE.items() if not types & (_NUMBERS if kind == "number" else {kind}))
    )
    for keyword in wide:
        if keyword in irrelevant or keyword in _HANDLED or _is_silent(keyword):
            continue
        if not _implied(keyword, narrow, wide):
            yield f"{pointer}/{keyword}", "asks for more than the other schema, or it cannot be decided whether it does"
    if "object" in types:
        yield from _object_faults(narrow, wide, pointer)
    if "array" in types:
        yield from _item_faults(narrow, wide, pointer)


def _implied(keyword: str, narrow: dict[str, Any], wide: dict[str, Any]) -> bool:
    """Whether ``narrow`` promises what this keyword of ``wide`` asks for."""
    wanted = wide[keyword]
    if keyword in _AT_LEAST:
        return bool(narrow.get(keyword, 0) >= wanted)
    if keyword in _AT_MOST:
        return keyword in narrow and bool(narrow[keyword] <= wanted)
    test = _NUMERIC.get(keyword)
    if test is not None:
        return test(narrow, wanted)
    if keyword == "uniqueItems":
        return wanted is False or narrow.get(keyword) is True
    together = _COMPANIONS.get(keyword, (keyword,))
    if keyword in {"unevaluatedItems", "unevaluatedProperties"}:
        return False  # only wholly equal schemas say the same with these
    return all(
        (name in narrow) == (name in wide) and canonical_schema(narrow.get(name)) == canonical_schema(wide.get(name))
        for name in together
    )


def _lower(schema: dict[str, Any]) -> list[tuple[Fraction, bool]]:
    """Lower bounds, and whether the bound itself is left out."""
    return [
        (Fraction(schema[name]), is_open)
        for name, is_open in (("minimum", False), ("exclusiveMinimum", True))
        if name in schema
    ]


def _upper(schema: dict[str, Any]) -> list[tuple[Fraction, bool]]:
    return [
        (-Fraction(schema[name]), is_open)
        for name, is_open in (("maximum", False), ("exclusiveMaximum", True))
        if name in schema
    ]


def _is_multiple(narrow: dict[str, Any], wanted: Any) -> bool:
    own = narrow.get("multipleOf", 1 if _types(narrow) & _NUMBERS == {"integer"} else None)
    return own is not None and (Fraction(own) / Fraction(wanted)).denominator == 1


_NUMERIC: Final[Mapping[str, Callable[[dict[str, Any], Any], bool]]] = MappingProxyType(
    {
        "minimum": lambda narrow, wanted: any(bound >= wanted for bound, _ in _lower(narrow)),
        "exclusiveMinimum": lambda narrow, wanted: any(
            bound > wanted or (bound == wanted and is_open) for bound, is_open in _lower(narrow)
        ),
        "maximum": lambda narrow, wanted: any(bound >= -wanted for bound, _ in _upper(narrow)),
        "exclusiveMaximum": lambda narrow, wanted: any(
            bound > -wanted or (bound == -wanted and is_open) for bound, is_open in _upper(narrow)
        ),
        "multipleOf": _is_multiple,
    }
)


def _object_faults(narrow: dict[str, Any], wide: dict[str, Any], pointer: str) -> Iterator[Fault]:
    promised = set(narrow.get("required", ()))
    for name in wide.get("required", ()):
        if name not in promised:
            yield f"{pointer}/required", f"asks for {name}, which the other schema does not"
    listed = {**narrow.get("properties", {}), **wide.get("properties", {})}
    for name in listed:
        own, other = _member(narrow, name), _member(wide, name)
        if own is not None and other is not None:
            yield from _faults(own, other, f"{pointer}/properties/{escape_token(name)}")
    if "additionalProperties" in wide and not _same(narrow, wide, "patternProperties"):
        yield f"{pointer}/additionalProperties", "cannot be compared where the patterns of members differ"
    elif wide.get("additionalProperties", True) is not True:
        yield from _faults(
            narrow.get("additionalProperties", True), wide["additionalProperties"], f"{pointer}/additionalProperties"
        )


def _member(schema: dict[str, Any], name: str) -> Schema | None:
    """What a schema asks of a member; None where it is taken as not there."""
    properties = schema.get("properties", {})
    if name in properties:
        listed: Schema = properties[name]
        return listed
    if "patternProperties" in schema or name in schema.get("required", ()):
        return True
    others: Schema | None = schema.get("additionalProperties")
    return others


def _same(narrow: dict[str, Any], wide: dict[str, Any], keyword: str) -> bool:
    return canonical_schema(narrow.get(keyword)) == canonical_schema(wide.get(keyword))


def _item_faults(narrow: dict[str, Any], wide: dict[str, Any], pointer: str) -> Iterator[Fault]:
    if "items" not in wide:
        return
    if not _same(narrow, wide, "prefixItems"):
        yield f"{pointer}/items", "cannot be compared where the first items differ"
        return
    yield from _faults(narrow.get("items", True), wide["items"], f"{pointer}/items")
