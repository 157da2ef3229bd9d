"""Every shape by its name, and which of them records have."""

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from datasets.formats.shapes import instruction, openai_chat, preference, prompt_completion, sharegpt
from datasets.formats.shapes.base import Shape

SHAPES: Final[dict[str, Shape]] = {
    "openai-chat": openai_chat.SHAPE,
    "sharegpt": sharegpt.SHAPE,
    "preference": preference.SHAPE,
    "instruction": instruction.SHAPE,
    "prompt-completion": prompt_completion.SHAPE,
}


def recognize(records: Iterable[dict[str, Any]]) -> str | None:
    """The shape whose members most of these records have, by its name; None when no shape has more than half of them.

    A record counts for the first shape of the table that it could be. Only names of members are looked at: whether the
    records keep the rules of the shape is for ``Shape.problem_in`` to say.
    """
    votes = Counter(_named(record) for record in records)
    if not votes:
        return None
    name, count = max(votes.items(), key=lambda vote: (vote[1], vote[0] is not None))
    return name if 2 * count > votes.total() else None


def _named(record: dict[str, Any]) -> str | None:
    return next((name for name, shape in SHAPES.items() if shape.members <= record.keys()), None)
