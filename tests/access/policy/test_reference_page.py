"""The matrix of roles: every role and every action decided as documented."""

import pytest

from access.policy.builtin import ROLES, RULES, SHOWING
from access.policy.cedar.compiled import CompiledPolicies
from access.policy.cedar.evaluation import evaluate
from access.policy.question import relevant_permissions
from access.policy.reference_page import render_roles
from tests.access.policy.questions import question


def documented() -> dict[str, dict[str, str]]:
    """Role -> action -> what its cell says."""
    rows = [line for line in render_roles("") if line.startswith("|")]
    header, _, *body = ([cell.strip().strip("`") for cell in row.strip("|").split("|")] for row in rows)
    return {code: {row[0]: row[place] for row in body} for place, code in enumerate(header) if place >= 4}


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_action_is_decided_as_the_matrix_says(role: str) -> None:
    """T17: the matrix is exactly what is decided."""
    cells = documented()[role]
    assert cells.keys() == RULES.keys()
    for action, says in cells.items():
        held = tuple(ROLES[role].permissions & relevant_permissions(action))
        answer = evaluate(question(action, permissions=held, subject={"roles": frozenset({role})}), CompiledPolicies())
        assert answer.is_allowed is bool(says), action
        if action in SHOWING and says:
            shown = [one.operator for one in answer.obligations]
            assert shown == {"raw": [], "masked": ["mask"], "redacted": ["redact"]}[says], action
