"""Chat messages: ``messages``, and optionally the ``tools`` that may be called."""

from collections.abc import Iterator
from typing import Any, Final

from datasets.formats.shapes.base import Problem, Shape, objects_at, text_at
from datasets.formats.shapes.messages import message_problems


def _problems(data: dict[str, Any]) -> Iterator[Problem]:
    yield from message_problems(data, "messages")
    if data.get("tools") is not None:
        yield from objects_at(data, "tools", "")
        for index, tool in enumerate(data["tools"]):
            yield from _tool(tool, f"/tools/{index}")


def _tool(tool: dict[str, Any], pointer: str) -> Iterator[Problem]:
    function = tool.get("function")
    if tool.get("type", "function") != "function" or not isinstance(function, dict):
        yield Problem(pointer, "shape-tools", "a tool has the type function and an object function")
    else:
        yield from text_at(function, "name", f"{pointer}/function", may_be_empty=False)


SHAPE: Final = Shape(frozenset({"messages"}), _problems)
