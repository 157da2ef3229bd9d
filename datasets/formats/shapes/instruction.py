"""An ``instruction``, an ``input`` to it if there is one, and the ``output`` (the form of the Alpaca data)."""

from collections.abc import Iterator
from typing import Any, Final

from datasets.formats.shapes.base import Problem, Shape, text_at


def _problems(data: dict[str, Any]) -> Iterator[Problem]:
    yield from text_at(data, "instruction", "", may_be_empty=False)
    yield from text_at(data, "input", "", is_required=False)
    yield from text_at(data, "output", "")


SHAPE: Final = Shape(frozenset({"instruction", "output"}), _problems)
