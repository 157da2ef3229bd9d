"""The page of docs/reference that says which built-in role permits which action."""

from collections.abc import Iterator
from typing import Final

from access.policy.builtin import ROLES, RULES, SHOWING, operator_for
from access.policy.cedar.schema import group_of, is_about_datasets

_SHOWN: Final = {None: "raw", "mask": "masked", "redact": "redacted"}


def render_roles(generated: str) -> Iterator[str]:
    """The lines of the page; ``generated`` says that nobody edits it."""
    yield from ("# Roles and what they permit", "", generated, "")
    yield "What a built-in role permits by itself. Grants and access policies add to it; what forbids goes before it."
    yield ""
    for code, role in sorted(ROLES.items()):
        yield f"- `{code}`: {role.description}"
    codes = sorted(ROLES)
    yield from ("", "| action | group | on | purpose | " + " | ".join(f"`{code}`" for code in codes) + " |")
    yield "|" + " --- |" * (4 + len(codes))
    for action in sorted(RULES):
        resource = "Dataset" if is_about_datasets(action) else "Resource"
        purpose = "yes" if RULES[action].needs_purpose else ""
        cells = " | ".join(cell(code, action) for code in codes)
        yield f"| `{action}` | {group_of(action)} | {resource} | {purpose} | {cells} |"


def cell(code: str, action: str) -> str:
    """What the role may: empty for nothing, else ``yes`` or how it is shown records."""
    permissions = ROLES[code].permissions
    if not RULES[action].permissions & permissions:
        return ""
    return _SHOWN[operator_for(permissions)] if action in SHOWING else "yes"
