"""Compile a JSON Schema (draft 2020-12) into a judge of records that fetches nothing and cannot be made to hang."""

from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

import orjson
from jsonschema import Draft202012Validator, ValidationError
from jsonschema.validators import extend
from jsonschema_specifications import REGISTRY as META_SCHEMAS  # type: ignore[import-untyped]
from referencing import Registry

from anonymization.findings import escape_token
from datasets.errors.schemas import InvalidSchema
from datasets.schemas.annotations import Annotation, annotation_faults, annotations_of
from datasets.schemas.formats import FORMATS, format_checker
from datasets.schemas.patterns import SlowPatternError, found_in, pattern_fault
from datasets.schemas.shorthand import DIALECT
from datasets.schemas.walk import Fault, reference_faults, subschemas
from vaultsite.kernel.errors import FieldProblem

MAX_BYTES: Final = 64 * 1024
#: Problems told of one record, and faults of one schema.
MAX_PROBLEMS: Final = 20

_REFUSED: Final = frozenset({"$dynamicRef", "$dynamicAnchor", "$recursiveRef", "$recursiveAnchor", "$vocabulary"})


class Problem(NamedTuple):
    """One rule that a record breaks: a JSON pointer into its data, and the rule. Never the value."""

    pointer: str
    rule: str


class CompiledSchema:
    """A schema that has passed every check; make it with ``compile_schema``."""

    def __init__(self, document: dict[str, Any]) -> None:
        self.document = document
        self.annotations: tuple[Annotation, ...] = annotations_of(document)
        self._validator = _Validator(document, registry=Registry(), format_checker=format_checker())
        places = subschemas(document).values()
        self._names = frozenset(
            name
            for schema in places
            if isinstance(schema, dict)
            for name in (*schema.get("properties", ()), *schema.get("required", ()))
        )

    def problems(self, data: Any) -> list[Problem]:
        """What is wrong with ``data``, at most MAX_PROBLEMS of it; empty when it is as the schema says."""
        try:
            found = islice(self._validator.iter_errors(data), MAX_PROBLEMS)
            return [Problem(self._pointer(error), _rule(error)) for error in found]
        except SlowPatternError:
            return [Problem("", "takes a pattern of the schema too long")]

    def _pointer(self, error: ValidationError) -> str:
        """Members that the schema does not name are data, so they are not repeated."""
        steps = (step if isinstance(step, int) or step in self._names else "*" for step in error.absolute_path)
        return "".join(f"/{escape_token(str(step))}" for step in steps)


def canonical_schema(document: Any) -> bytes:
    """The bytes by which two schemas are the same."""
    return orjson.dumps(document, option=orjson.OPT_SORT_KEYS)


def compile_schema(document: Any, *, field: str = "schema") -> CompiledSchema:
    """The judge of records for this schema document, once for equal documents in a process.

    Raises InvalidSchema with a pointer for each fault, beginning with the name of the ``field`` it came in.
    """
    try:
        encoded = orjson.dumps(document)
    except (orjson.JSONEncodeError, RecursionError):
        raise _refusal(field, [("", "is no JSON document")]) from None
    if len(encoded) > MAX_BYTES:
        raise _refusal(field, [("", f"is longer than {MAX_BYTES} bytes")])
    judged = _judged(canonical_schema(document))
    if isinstance(judged, CompiledSchema):
        return judged
    raise _refusal(field, judged)


def _refusal(field: str, faults: list[Fault]) -> InvalidSchema:
    return InvalidSchema(errors=[FieldProblem(field=f"/{field}{pointer}", detail=rule) for pointer, rule in faults])


@lru_cache(maxsize=64)
def _judged(canonical: bytes) -> CompiledSchema | list[Fault]:
    document = orjson.loads(canonical)
    return _faults_of(document) or CompiledSchema(document)


def _faults_of(document: Any) -> list[Fault]:
    """What is wrong with a schema, stage by stage: later checks rely on what earlier ones found to be sound."""
    if not isinstance(document, dict):
        return [("", "a schema is a JSON object")]
    try:
        stages = (_dialect_faults, _meta_faults, _keyword_faults, reference_faults, annotation_faults)
        for stage in stages:
            faults = list(islice(stage(document), MAX_PROBLEMS))
            if faults:
                return faults
    except RecursionError:
        return [("", "nests too deeply")]
    return []


def _dialect_faults(document: dict[str, Any]) -> Iterator[Fault]:
    if document.get("$schema", DIALECT) not in {DIALECT, f"{DIALECT}#"}:
        yield "/$schema", f"only {DIALECT} is understood"


def _meta_faults(document: dict[str, Any]) -> Iterator[Fault]:
    for error in _META.iter_errors(document):
        yield "".join(f"/{escape_token(str(step))}" for step in error.absolute_path), _rule(error)


def _keyword_faults(document: dict[str, Any]) -> Iterator[Fault]:
    places = subschemas(document)
    has_patterns = any(isinstance(schema, dict) and "patternProperties" in schema for schema in places.values())
    for pointer, schema in places.items():
        if not isinstance(schema, dict):
            continue
        refused = _REFUSED | ({"$id"} if pointer else frozenset())
        yield from ((f"{pointer}/{name}", "is not supported") for name in sorted(refused & schema.keys()))
        if schema.get("format", "date") not in FORMATS:
            yield f"{pointer}/format", f"the formats are {', '.join(FORMATS)}"
        if has_patterns and "unevaluatedProperties" in schema:
            yield f"{pointer}/unevaluatedProperties", "is not supported together with patternProperties"
        patterns = [("/pattern", schema["pattern"])] if "pattern" in schema else []
        patterns += [(f"/patternProperties/{escape_token(name)}", name) for name in schema.get("patternProperties", ())]
        for place, pattern in patterns:
            if fault := pattern_fault(pattern):
                yield pointer + place, fault


def _rule(error: ValidationError) -> str:
    """The rule in words; numbers and names in it are the schema's own."""
    keyword, wanted = str(error.validator), cast("Any", error.validator_value)
    if keyword == "type":
        return f"must be of type {wanted if isinstance(wanted, str) else ' or '.join(map(str, wanted))}"
    rule = _RULES.get(keyword)
    if rule is None:
        return f"breaks the keyword {keyword}" if error.validator else "is not allowed here"
    return rule.format(wanted) if isinstance(wanted, int | float | str) else rule.format("")


_RULES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "additionalProperties": "has a member that is not allowed",
        "anyOf": "must be of one of the kinds that the schema lists",
        "const": "must be the value that the schema says",
        "contains": "must contain what the schema says",
        "enum": "must be one of the values that the schema lists",
        "exclusiveMaximum": "must be less than {}",
        "exclusiveMinimum": "must be greater than {}",
        "format": "must be of the format {}",
        "maxItems": "must have at most {} items",
        "maxLength": "must have at most {} characters",
        "maxProperties": "must have at most {} members",
        "maximum": "must be at most {}",
        "minItems": "must have at least {} items",
        "minLength": "must have at least {} characters",
        "minProperties": "must have at least {} members",
        "minimum": "must be at least {}",
        "multipleOf": "must be a multiple of {}",
        "not": "must not be what the schema excludes",
        "oneOf": "must be of exactly one of the kinds that the schema lists",
        "pattern": "must match the pattern of the schema",
        "required": "is required",
        "uniqueItems": "must not have an item twice",
    }
)


def _required(validator: Any, names: list[str], instance: Any, _: Any) -> Iterator[ValidationError]:
    """As the stock keyword, with the pointer of the member that is missing."""
    if validator.is_type(instance, "object"):
        yield from (ValidationError("", path=[name]) for name in names if name not in instance)


def _pattern(validator: Any, pattern: str, instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "string") and not found_in(pattern, instance):
        yield ValidationError("")


def _pattern_properties(validator: Any, patterns: Any, instance: Any, _: Any) -> Iterator[ValidationError]:
    if validator.is_type(instance, "object"):
        for pattern, schema in patterns.items():
            for name, value in instance.items():
                if found_in(pattern, name):
                    yield from validator.descend(value, schema, path=name, schema_path=pattern)


def _additional_properties(validator: Any, allowed: Any, instance: Any, schema: Any) -> Iterator[ValidationError]:
    if not validator.is_type(instance, "object") or allowed is True:
        return
    listed, patterns = schema.get("properties", ()), schema.get("patternProperties", ())
    others = (
        name for name in instance if name not in listed and not any(found_in(pattern, name) for pattern in patterns)
    )
    for name in others:
        if allowed is False:
            yield ValidationError("")
            return
        yield from validator.descend(instance[name], allowed, path=name)


def _unique_items(validator: Any, wanted: bool, instance: Any, _: Any) -> Iterator[ValidationError]:
    """In one pass, where the stock keyword compares objects pair by pair."""
    if wanted and validator.is_type(instance, "array"):
        seen = {canonical_schema(_plain(item)) for item in instance}
        if len(seen) < len(instance):
            yield ValidationError("")


def _plain(value: Any) -> Any:
    """Equal numbers made equal in writing: 1.0 is 1."""
    if isinstance(value, float) and value.is_integer() and abs(value) < 1 << 53:
        return int(value)
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return {name: _plain(item) for name, item in value.items()} if isinstance(value, dict) else value


_Validator: Final[Any] = extend(  # type: ignore[no-untyped-call]
    Draft202012Validator,
    validators={
        "additionalProperties": _additional_properties,
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "required": _required,
        "uniqueItems": _unique_items,
    },
)
_META: Final = Draft202012Validator(Draft202012Validator.META_SCHEMA, registry=META_SCHEMAS)
