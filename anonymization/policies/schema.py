"""The JSON Schema (draft 2020-12) of policy documents."""

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from anonymization.findings import ACT_FROM, STORE_FROM, escape_token
from anonymization.operators.lists import LOCALES
from anonymization.operators.registry import OPERATORS, parameters_schema
from vaultsite.kernel.errors import FieldProblem

#: The strategy that leaves data as it is.
KEEP: Final = "keep"
FORMAT: Final = 1
MAX_RULES: Final = 200
SCOPES: Final = ("tenant", "dataset", "purpose")

_POINTER: Final = {
    "type": "string",
    "pattern": "^/(data|metadata)(/[^\\x00]*)?$",
    "maxLength": 500,
    "description": "A JSON pointer into the record; * is any one member or element, ** any number of them.",
}
_MATCH: Final = {
    "entities": {
        "type": "array",
        "items": {"type": "string", "pattern": "^[A-Z][A-Z0-9_]{0,63}$"},
        "minItems": 1,
        "maxItems": 200,
        "uniqueItems": True,
        "description": "Kinds of personal data; without it, all.",
    },
    "fields": {
        "type": "array",
        "items": _POINTER,
        "minItems": 1,
        "maxItems": 200,
        "uniqueItems": True,
        "description": "Places, each with everything below it; without it, everywhere.",
    },
    "min_score": {
        "type": "number",
        "minimum": STORE_FROM,
        "maximum": 1,
        "description": "Findings that are less sure do not match.",
    },
}


@cache
def policy_schema() -> dict[str, Any]:
    """What a policy document must be like."""
    strategy = {"strategy": {"enum": [KEEP, *sorted(OPERATORS)]}, "parameters": {"type": "object"}}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": "urn:llm-data-vault:schema:anonymization-policy:1",
        "title": "Anonymization policy",
        "type": "object",
        "properties": {
            "format": {"const": FORMAT},
            "description": {"type": "string", "maxLength": 4000},
            "locale": {"enum": list(LOCALES), "default": "en_US", "description": "Whose names surrogates are."},
            "scope": {
                "enum": list(SCOPES),
                "default": "dataset",
                "description": "Within what the same person gets the same surrogate, and a value the same hash.",
            },
            "subject": {
                "type": "string",
                "pattern": "^/(data|metadata)/[^*\\x00]*$",
                "maxLength": 500,
                "description": "The field that names the person a record is about, for shifts of dates.",
            },
            "min_score": _MATCH["min_score"] | {"default": ACT_FROM},
            "default": {"$ref": "#/$defs/strategy", "unevaluatedProperties": False},
            "rules": {"type": "array", "maxItems": MAX_RULES, "items": {"$ref": "#/$defs/rule"}},
            "exceptions": {"type": "array", "maxItems": MAX_RULES, "items": {"$ref": "#/$defs/exception"}},
        },
        "required": ["format", "default"],
        "additionalProperties": False,
        "$defs": {
            "strategy": {
                "type": "object",
                "properties": strategy,
                "required": ["strategy"],
                "allOf": [_parameters_of(name) for name in [KEEP, *sorted(OPERATORS)]],
            },
            "rule": {
                "$ref": "#/$defs/strategy",
                "type": "object",
                "properties": {
                    "name": {"type": "string", "minLength": 1, "maxLength": 100},
                    **_MATCH,
                    "whole_field": {
                        "type": "boolean",
                        "default": False,
                        "description": "All of each value in the fields, whatever is found there.",
                    },
                },
                "anyOf": [{"required": ["entities"]}, {"required": ["fields"]}],
                "dependentSchemas": {"whole_field": {"required": ["fields"]}},
                "unevaluatedProperties": False,
            },
            "exception": {
                "type": "object",
                "properties": {"reason": {"type": "string", "minLength": 1, "maxLength": 500}, **_MATCH},
                "required": ["reason"],
                "anyOf": [{"required": ["entities"]}, {"required": ["fields"]}],
                "additionalProperties": False,
            },
        },
    }


def _parameters_of(name: str) -> dict[str, Any]:
    parameters = {"type": "object", "maxProperties": 0} if name == KEEP else parameters_schema(name)
    return {
        "if": {"properties": {"strategy": {"const": name}}, "required": ["strategy"]},
        "then": {"properties": {"parameters": parameters}},
    }


@cache
def _validator() -> Draft202012Validator:
    return Draft202012Validator(policy_schema())


def problems_of(document: Any) -> list[FieldProblem]:
    """Where a document breaks the schema, in order of place; rules are told, values never."""
    found = {(_pointer(error), _told(error)): None for error in _causes(_validator().iter_errors(document))}
    return [FieldProblem(field=field, detail=detail) for field, detail in sorted(found)]


def parameter_problems(name: str, parameters: Any) -> list[FieldProblem]:
    """Where parameters break their operator's schema. Raises UnknownOperator."""
    errors = Draft202012Validator(parameters_schema(name)).iter_errors(parameters)
    return [FieldProblem(field=_pointer(error), detail=_told(error)) for error in errors]


def _causes(errors: Any) -> Iterator[ValidationError]:
    """The errors at the bottom: where parameters are wrong, that their member is not evaluated tells nothing."""
    seen = list(errors)
    particular = [error for error in seen if error.validator != "unevaluatedProperties"]
    yield from particular or seen


def _pointer(error: ValidationError) -> str:
    return "".join(f"/{escape_token(str(token))}" for token in error.absolute_path)


def _told(error: ValidationError) -> str:
    rule, value = error.validator, error.validator_value
    told = {
        "additionalProperties": "has a member that is not known",
        "unevaluatedProperties": "has a member that is not known",
        "required": "misses a member",
        "anyOf": "names neither entities nor fields",
        "pattern": "is not written as it must be",
        "uniqueItems": "repeats itself",
        "maxProperties": "takes no parameters",
    }.get(str(rule))
    if rule == "required" and isinstance(value, list):
        missing = [name for name in value if isinstance(error.instance, dict) and name not in error.instance]
        return f"misses {', '.join(missing)}" if missing else "misses a member"
    if rule == "enum":
        return f"is one of {', '.join(map(str, value))}" if isinstance(value, list) else "is none of those known"
    return told or f"{rule}: {value if isinstance(value, str | int | float | bool) else ''}".strip()
