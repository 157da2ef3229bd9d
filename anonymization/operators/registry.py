"""Every operator by the name that policies and requests use."""

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import MappingProxyType
from typing import Final, cast

from anonymization.errors import UnknownOperator
from anonymization.operators.base import Operator

OPERATORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "hash": "anonymization.operators.hash.Hash",
        "mask": "anonymization.operators.mask.Mask",
        "redact": "anonymization.operators.redact.Redact",
        "replace": "anonymization.operators.replace.Replace",
    }
)


@cache
def get_operator(name: str) -> Operator:
    """The operator of that name. Raises UnknownOperator."""
    if name not in OPERATORS:
        raise UnknownOperator(f"Choose one of {', '.join(sorted(OPERATORS))}")
    module, _, class_name = OPERATORS[name].rpartition(".")
    return cast("Operator", getattr(import_module(module), class_name)())
