"""Members that are all strings or all lists of chat messages."""

from collections.abc import Iterator, Sequence
from typing import Any

from datasets.formats.shapes.base import Problem, text_at
from datasets.formats.shapes.messages import message_problems


def side_problems(data: dict[str, Any], names: Sequence[str]) -> Iterator[Problem]:
    """What is wrong with these members; the form of the last one is that of all."""
    has_messages = isinstance(data.get(names[-1]), list)
    for name in names:
        if has_messages:
            yield from message_problems(data, name)
        else:
            yield from text_at(data, name, "")
