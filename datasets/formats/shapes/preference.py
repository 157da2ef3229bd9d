"""Preference pairs: a ``chosen`` and a ``rejected`` answer, as strings or lists of chat messages.

The ``prompt`` may be missing: then both answers begin with it.
"""

from collections.abc import Iterator
from typing import Any, Final

from datasets.formats.shapes.base import Problem, Shape
from datasets.formats.shapes.sides import side_problems


def _problems(data: dict[str, Any]) -> Iterator[Problem]:
    prompt = ("prompt",) if "prompt" in data else ()
    return side_problems(data, (*prompt, "rejected", "chosen"))


SHAPE: Final = Shape(frozenset({"chosen", "rejected"}), _problems)
