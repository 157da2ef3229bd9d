"""What a schema says of personal data: ``x-pii-type`` and ``x-pii-strategy`` of a field."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from anonymization.detectors.recognizers.entities import entity_types
from anonymization.detectors.walk import number_text
from anonymization.findings import REFUSED_ENTITIES, Finding, escape_token
from anonymization.operators.registry import OPERATORS
from datasets.schemas.walk import Fault, Schema, subschemas, target_of

TYPE: Final = "x-pii-type"
STRATEGY: Final = "x-pii-strategy"
#: What findings that a schema states name as their recognizer.
RECOGNIZER: Final = "schema"

#: Kinds of personal data that a field may be said to hold. Card authentication data is none: it is never stored.
PII_TYPES: Final = (entity_types() | {"ADDRESS"}) - REFUSED_ENTITIES
STRATEGIES: Final = frozenset(OPERATORS)

#: A step of a place: a member's name, or None for every element of an array.
Step = str | None


@dataclass(frozen=True, slots=True)
class Annotation:
    """A field of data by the steps to it, the kind of personal data it holds, and how its author wants it shown."""

    steps: tuple[Step, ...]
    pii_type: str
    strategy: str = ""

    @property
    def pointer(self) -> str:
        """The place as a pointer, with ``*`` for every element."""
        return "".join("/*" if step is None else f"/{escape_token(step)}" for step in self.steps)


def annotation_faults(root: Schema) -> Iterator[Fault]:
    """Annotations that name no known type or strategy, or stand where no field is told by them."""
    effective = {place for place, _ in _annotated(root)}
    for pointer, schema in subschemas(root).items():
        if not isinstance(schema, dict) or not {TYPE, STRATEGY} & schema.keys():
            continue
        if schema.get(TYPE) not in PII_TYPES:
            yield f"{pointer}/{TYPE}", "names no known type of personal data"
        if STRATEGY in schema and schema[STRATEGY] not in STRATEGIES:
            yield f"{pointer}/{STRATEGY}", f"is one of {', '.join(sorted(STRATEGIES))}"
        if pointer not in effective:
            yield pointer, "an annotation stands on a property, or on the items of an array"


def annotations_of(root: Schema) -> tuple[Annotation, ...]:
    """Every annotated field, references followed."""
    return tuple(annotation for _, annotation in _annotated(root))


def _annotated(root: Schema) -> list[tuple[str, Annotation]]:
    """With the pointer of the subschema that says so."""
    places = subschemas(root)
    found: list[tuple[str, Annotation]] = []

    def visit(pointer: str, steps: tuple[Step, ...]) -> None:
        schema = places[pointer]
        if not isinstance(schema, dict):
            return
        if steps and isinstance(schema.get(TYPE), str):
            found.append((pointer, Annotation(steps, schema[TYPE], str(schema.get(STRATEGY, "")))))
        if "$ref" in schema:
            visit(target_of(schema["$ref"]), steps)
        for index, _ in enumerate(schema.get("allOf", ())):
            visit(f"{pointer}/allOf/{index}", steps)
        if isinstance(schema.get("items"), dict):
            visit(f"{pointer}/items", (*steps, None))
        for name in schema.get("properties", ()):
            visit(f"{pointer}/properties/{escape_token(name)}", (*steps, name))

    visit("", ())
    return found


def stated_findings(annotations: Sequence[Annotation], data: Mapping[str, Any]) -> list[Finding]:
    """A finding over each whole value that the schema says is personal data; of an object, over all its values."""
    found: list[Finding] = []
    for annotation in annotations:
        for pointer, value in _values(data, annotation.steps, "/data"):
            for place, length in _leaves(value, pointer):
                found.append(Finding(place, "value", 0, length, annotation.pii_type, 1.0, RECOGNIZER))
    return found


def _values(value: Any, steps: Sequence[Step], pointer: str) -> Iterator[tuple[str, Any]]:
    if not steps:
        yield pointer, value
    elif steps[0] is None and isinstance(value, list):
        for index, element in enumerate(value):
            yield from _values(element, steps[1:], f"{pointer}/{index}")
    elif isinstance(steps[0], str) and isinstance(value, dict) and steps[0] in value:
        yield from _values(value[steps[0]], steps[1:], f"{pointer}/{escape_token(steps[0])}")


def _leaves(value: Any, pointer: str) -> Iterator[tuple[str, int]]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield from _leaves(inner, f"{pointer}/{escape_token(name)}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{pointer}/{index}")
    elif isinstance(value, str):
        if value:
            yield pointer, len(value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield pointer, len(number_text(value))
