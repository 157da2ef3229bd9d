"""The subschemas of a schema: where they stand, what refers to what, and that following it all comes to an end."""

from collections.abc import Iterator
from typing import Any, Final, TypeAlias
from urllib.parse import unquote

from anonymization.findings import escape_token

Schema: TypeAlias = dict[str, Any] | bool
#: A pointer into the schema document and what is wrong there.
Fault: TypeAlias = tuple[str, str]

#: How often one record may be held against subschemas, with every reference followed.
MAX_EXPANDED: Final = 10_000
MAX_DEPTH: Final = 64

_SINGLE: Final = (
    "additionalProperties",
    "items",
    "contains",
    "propertyNames",
    "not",
    "if",
    "then",
    "else",
    "unevaluatedItems",
    "unevaluatedProperties",
)
_LISTS: Final = ("allOf", "anyOf", "oneOf", "prefixItems")
_DEFINITIONS: Final = ("$defs", "definitions")
_MAPS: Final = ("properties", "patternProperties", "dependentSchemas", *_DEFINITIONS)
#: Judging these looks at the neighbours once more.
_UNEVALUATED: Final = frozenset({"unevaluatedItems", "unevaluatedProperties"})
_TWICE: Final = 4


def children(schema: Schema) -> Iterator[tuple[str, Schema]]:
    """The subschemas directly below, each with its pointer relative to ``schema``."""
    if not isinstance(schema, dict):
        return
    for keyword in _SINGLE:
        if isinstance(schema.get(keyword), dict | bool):
            yield f"/{keyword}", schema[keyword]
    for keyword in _LISTS:
        if isinstance(schema.get(keyword), list):
            yield from ((f"/{keyword}/{index}", part) for index, part in enumerate(schema[keyword]))
    for keyword in _MAPS:
        if isinstance(schema.get(keyword), dict):
            yield from ((f"/{keyword}/{escape_token(name)}", part) for name, part in schema[keyword].items())


def subschemas(root: Schema) -> dict[str, Schema]:
    """Every subschema by its pointer, the root under ``""``; references are not followed."""
    found: dict[str, Schema] = {}
    waiting: list[tuple[str, Schema]] = [("", root)]
    while waiting:
        pointer, schema = waiting.pop()
        found[pointer] = schema
        waiting += ((pointer + relative, part) for relative, part in children(schema))
    return found


def target_of(reference: str) -> str:
    """The pointer that a local reference names."""
    return unquote(reference[1:])


def reference_faults(root: Schema) -> Iterator[Fault]:
    """References that lead out of the document, to nothing, or round in a circle; and schemas that grow by them."""
    places = subschemas(root)
    found = [
        (f"{pointer}/$ref", "refers to no subschema of this document; a reference looks like #/$defs/name")
        for pointer, schema in places.items()
        if isinstance(schema, dict)
        and "$ref" in schema
        and not (isinstance(schema["$ref"], str) and schema["$ref"][:2] == "#/" and target_of(schema["$ref"]) in places)
    ]
    yield from found
    if not found:
        yield from _Expansion(places).faults()


class _Expansion:
    """How large each subschema is with its references followed."""

    def __init__(self, places: dict[str, Schema]) -> None:
        self._places = places
        self._sizes: dict[str, int] = {}
        self._open: set[str] = set()

    def faults(self) -> Iterator[Fault]:
        try:
            if self._size("", MAX_DEPTH) > MAX_EXPANDED:
                yield "", f"has more than {MAX_EXPANDED} subschemas when every reference is followed"
            for pointer in self._places:
                self._size(pointer, MAX_DEPTH)
        except _CircularError as circle:
            yield circle.pointer, circle.rule

    def _size(self, pointer: str, depth: int) -> int:
        if pointer in self._sizes:
            return self._sizes[pointer]
        if pointer in self._open:
            raise _CircularError(pointer, "refers to itself, which is not supported")
        if not depth:
            raise _CircularError(pointer, f"nests deeper than {MAX_DEPTH}")
        self._open.add(pointer)
        schema = self._places[pointer]
        below = [
            pointer + relative
            for relative, _ in children(schema)
            if not relative.startswith(("/$defs/", "/definitions/"))
        ]
        if isinstance(schema, dict) and "$ref" in schema:
            below.append(target_of(schema["$ref"]))
        size = 1 + sum(self._size(place, depth - 1) for place in below)
        if isinstance(schema, dict) and _UNEVALUATED & schema.keys():
            size *= _TWICE
        self._open.remove(pointer)
        self._sizes[pointer] = min(size, MAX_EXPANDED + 1)
        return self._sizes[pointer]


class _CircularError(Exception):
    def __init__(self, pointer: str, rule: str) -> None:
        super().__init__(rule)
        self.pointer = pointer
        self.rule = rule


def inlined(root: Schema) -> Schema:
    """The same schema without references; ``root`` has passed ``reference_faults``."""
    places = subschemas(root)

    def expand(schema: Any) -> Any:
        if isinstance(schema, list):
            return [expand(part) for part in schema]
        if not isinstance(schema, dict):
            return schema
        rest = {name: _expanded(name, part) for name, part in schema.items() if name not in {"$ref", *_DEFINITIONS}}
        if "$ref" not in schema:
            return rest
        target = expand(places[target_of(schema["$ref"])])
        return {**rest, "allOf": [*rest.get("allOf", []), target]} if rest else target

    def _expanded(keyword: str, part: Any) -> Any:
        if keyword in _MAPS and isinstance(part, dict):
            return {name: expand(inner) for name, inner in part.items()}
        return expand(part) if keyword in (*_SINGLE, *_LISTS) else part

    expanded: Schema = expand(root)
    return expanded
