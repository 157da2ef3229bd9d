"""What keeps a chat a chat: roles, kinds, names of functions and the ids that tie a call to its answer."""

import re
from typing import Final

#: Words that say who speaks, and what a part is: a closed vocabulary, so personal data cannot be among them.
ROLES: Final = frozenset(
    """
    system developer user assistant tool function human gpt chatgpt bot model ai observation function_call
    function_response tool_call tool_response input output prompter
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
KINDS: Final = frozenset(
    """
    function text image_url input_text output_text input_audio input_image audio file refusal tool_use tool_result
    tool_call function_call message custom json_object json_schema image video document object array string number
    integer boolean null
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
#: Names of members that chats are made of; they are never renamed.
MEMBERS: Final = frozenset(
    """
    messages conversations conversation role from content value tool_calls tool_call_id function function_call name
    arguments type id tools parameters properties required description input output prompt completion instruction
    response chosen rejected system text image_url url weight data metadata
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
_SAID_BY: Final = re.compile(r"/\d+/(?:role|from)$")
_OF_KIND: Final = re.compile(r"/(?:type)$")
_CALLED: Final = re.compile(r"/(?:tool_calls/\d+/function|function_call|tools/\d+/function|functions/\d+)/name$")
_TIED: Final = re.compile(r"/(?:tool_calls/\d+/id|\d+/tool_call_id|content/\d+/tool_use_id)$")
_FUNCTION: Final = re.compile(r"[A-Za-z_][A-Za-z_.-]*(?:\d{1,2}[A-Za-z_.-]*)?")
_LONGEST_FUNCTION: Final = 64
_LAST: Final = ("/role", "/from", "/type", "/name", "/id", "_id")


def is_structural(pointer: str) -> bool:
    """Whether a place may hold structure of a chat, so that :func:`is_fixed` and :func:`is_tie` are to be asked."""
    return pointer.endswith(_LAST)


def is_fixed(pointer: str, text: str) -> bool:
    """Whether the text at a place is structure, which no operator touches.

    A function's name is when it reads like one: without an address, or digits enough for a number of a person.
    """
    if not pointer.endswith(_LAST):
        return False
    if _SAID_BY.search(pointer):
        return text.lower() in ROLES
    if _OF_KIND.search(pointer):
        return text.lower() in KINDS
    if _CALLED.search(pointer):
        return len(text) <= _LONGEST_FUNCTION and _FUNCTION.fullmatch(text) is not None
    return False


def is_tie(pointer: str) -> bool:
    """Whether the value ties a call to its answer, so that different ones must stay different."""
    return pointer.endswith(_LAST) and _TIED.search(pointer) is not None


def is_member(name: str) -> bool:
    """Whether a member's name is one that chats are made of."""
    return name in MEMBERS
