"""A ``prompt`` and its ``completion``: two strings, or two lists of chat messages."""

from collections.abc import Iterator
from typing import Any, Final

from datasets.formats.shapes.base import Problem, Shape
from datasets.formats.shapes.sides import side_problems


def _problems(data: dict[str, Any]) -> Iterator[Problem]:
    return side_problems(data, ("prompt", "completion"))


SHAPE: Final = Shape(frozenset({"prompt", "completion"}), _problems)
