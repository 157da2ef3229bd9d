"""Lists of chat messages as the OpenAI chat API takes them, tool calls included."""

from collections.abc import Iterator
from typing import Any, Final

import orjson

from datasets.formats.shapes.base import Problem, objects_at, text_at

ROLES: Final = frozenset({"system", "developer", "user", "assistant", "tool", "function"})
#: The types of content parts, each with the member that carries the content and whether that is an object.
PARTS: Final = {
    "text": ("text", False),
    "refusal": ("refusal", False),
    "image_url": ("image_url", True),
    "input_audio": ("input_audio", True),
    "file": ("file", True),
}


def message_problems(parent: dict[str, Any], name: str, pointer: str = "") -> Iterator[Problem]:
    """What is wrong with the messages in member ``name``: each by itself, then which tool call each answers."""
    is_listed = True
    for problem in objects_at(parent, name, pointer):
        is_listed = False
        yield problem
    if not is_listed:
        return
    where = f"{pointer}/{name}"
    for index, message in enumerate(parent[name]):
        yield from _one_message(message, f"{where}/{index}")
    yield from _pairing(parent[name], where)


def _one_message(message: dict[str, Any], pointer: str) -> Iterator[Problem]:
    role = message.get("role")
    if not isinstance(role, str) or role not in ROLES:
        yield Problem(f"{pointer}/role", "shape-role", f"a role is one of {', '.join(sorted(ROLES))}")
        return
    yield from text_at(message, "name", pointer, is_required=False)
    if message.get("tool_calls") is not None:
        if role != "assistant":
            yield Problem(f"{pointer}/tool_calls", "shape-tool-calls", "only the assistant calls tools")
        else:
            yield from _tool_calls(message, pointer)
    if role == "tool":
        yield from text_at(message, "tool_call_id", pointer, may_be_empty=False)
    yield from _content(message, pointer)


def _content(message: dict[str, Any], pointer: str) -> Iterator[Problem]:
    content = message.get("content")
    where = f"{pointer}/content"
    if content is None:
        if message["role"] != "assistant" or not any(map(message.get, ("tool_calls", "function_call", "refusal"))):
            yield Problem(where, "shape-content", "a message without tool calls has content")
    elif isinstance(content, list):
        if not content:
            yield Problem(where, "shape-empty", "content must not be empty")
        for index, part in enumerate(content):
            yield from _part(part, f"{where}/{index}")
    elif not isinstance(content, str):
        yield Problem(where, "shape-type", "content is a string or an array of parts")


def _part(part: Any, pointer: str) -> Iterator[Problem]:
    kind = part.get("type") if isinstance(part, dict) else None
    if not isinstance(kind, str) or kind not in PARTS:
        yield Problem(
            f"{pointer}/type", "shape-content-part", f"a part has one of the types {', '.join(sorted(PARTS))}"
        )
        return
    member, is_object = PARTS[kind]
    if not isinstance(part.get(member), dict if is_object else str):
        form = "an object" if is_object else "a string"
        yield Problem(f"{pointer}/{member}", "shape-content-part", f"a part of this type has {form} {member}")
    elif kind == "image_url":
        yield from text_at(part["image_url"], "url", f"{pointer}/image_url", may_be_empty=False)


def _tool_calls(message: dict[str, Any], pointer: str) -> Iterator[Problem]:
    is_listed = True
    for problem in objects_at(message, "tool_calls", pointer):
        is_listed = False
        yield problem
    if is_listed:
        for index, call in enumerate(message["tool_calls"]):
            yield from _tool_call(call, f"{pointer}/tool_calls/{index}")


def _tool_call(call: dict[str, Any], pointer: str) -> Iterator[Problem]:
    yield from text_at(call, "id", pointer, may_be_empty=False)
    if call.get("type", "function") != "function":
        yield Problem(f"{pointer}/type", "shape-tool-calls", "a tool call has the type function")
    function = call.get("function")
    if not isinstance(function, dict):
        yield Problem(f"{pointer}/function", "shape-tool-calls", "a tool call has an object function")
        return
    yield from text_at(function, "name", f"{pointer}/function", may_be_empty=False)
    if not _holds_object(function.get("arguments")):
        rule = "arguments is a string that holds a JSON object"
        yield Problem(f"{pointer}/function/arguments", "shape-arguments", rule)


def _holds_object(arguments: Any) -> bool:
    if not isinstance(arguments, str):
        return False
    try:
        return isinstance(orjson.loads(arguments), dict)
    except orjson.JSONDecodeError:
        return False


def _pairing(messages: list[dict[str, Any]], where: str) -> Iterator[Problem]:
    """Each tool message answers one open call, and no call is left open when the conversation goes on."""
    waiting: set[str] = set()
    for index, message in enumerate(messages):
        if message["role"] == "tool":
            if message["tool_call_id"] not in waiting:
                rule = "the tool message answers no open tool call"
                yield Problem(f"{where}/{index}/tool_call_id", "shape-tool-call-id", rule)
            waiting.discard(message["tool_call_id"])
            continue
        if waiting:
            yield Problem(f"{where}/{index}", "shape-tool-call-open", "a tool call before this message has no answer")
        calls = message.get("tool_calls") or []
        waiting = {call["id"] for call in calls}
        if len(waiting) != len(calls):
            yield Problem(f"{where}/{index}/tool_calls", "shape-tool-call-id", "two tool calls have the same id")
