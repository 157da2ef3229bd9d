"""Conversations as ShareGPT exports them: ``conversations``, a list of objects with ``from`` and ``value``."""

from collections.abc import Iterator
from typing import Any, Final

from datasets.formats.shapes.base import Problem, Shape, objects_at, text_at

SPEAKERS: Final = frozenset(
    {
        "system",
        "human",
        "user",
        "gpt",
        "chatgpt",
        "bing",
        "bard",
        "assistant",
        "tool",
        "function_call",
        "function_response",
        "observation",
    }
)


def _problems(data: dict[str, Any]) -> Iterator[Problem]:
    is_listed = True
    for problem in objects_at(data, "conversations", ""):
        is_listed = False
        yield problem
    yield from text_at(data, "system", "", is_required=False)
    if is_listed:
        for index, turn in enumerate(data["conversations"]):
            yield from _turn(turn, f"/conversations/{index}")


def _turn(turn: dict[str, Any], pointer: str) -> Iterator[Problem]:
    speaker = turn.get("from")
    if not isinstance(speaker, str) or speaker not in SPEAKERS:
        yield Problem(f"{pointer}/from", "shape-role", f"from is one of {', '.join(sorted(SPEAKERS))}")
    yield from text_at(turn, "value", pointer)


SHAPE: Final = Shape(frozenset({"conversations"}), _problems)
