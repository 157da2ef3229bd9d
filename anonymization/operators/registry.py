"""Every operator by the name that policies and requests use."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, cast

from anonymization.errors import UnknownOperator
from anonymization.operators.base import Operator

OPERATORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "encrypt": "anonymization.operators.encrypt.Encrypt",
        "generalize": "anonymization.operators.generalize.Generalize",
        "hash": "anonymization.operators.hash.Hash",
        "mask": "anonymization.operators.mask.Mask",
        "noise": "anonymization.operators.noise.Noise",
        "pseudonymize": "anonymization.operators.pseudonymize.Pseudonymize",
        "redact": "anonymization.operators.redact.Redact",
        "replace": "anonymization.operators.replace.Replace",
        "shift_dates": "anonymization.operators.shift_dates.ShiftDates",
        "tokenize": "anonymization.operators.tokenize.Tokenize",
        "truncate": "anonymization.operators.truncate.Truncate",
    }
)


@cache
def get_operator(name: str) -> Operator:
    """The operator of that name. Raises UnknownOperator."""
    if name not in OPERATORS:
        raise UnknownOperator(f"Choose one of {', '.join(sorted(OPERATORS))}")
    module, _, class_name = OPERATORS[name].rpartition(".")
    return cast("Operator", getattr(import_module(module), class_name)())


@cache
def parameters_schema(name: str) -> dict[str, Any]:
    """The JSON Schema of an operator's parameters. Raises UnknownOperator."""
    operator = get_operator(name)
    members = {member: dict(schema) for member, schema in operator.parameters.items()}
    return {"type": "object", "properties": members, "additionalProperties": False}
