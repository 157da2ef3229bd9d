"""Access for a purpose and a time in a real browser, and whether its pages shut anybody out."""

import json

import pytest

from tests.browser.test_browser import EMAIL, HERE, journey, site
from tests.browser.test_browser import pytestmark as driven

__all__ = ["journey", "site"]

pytestmark = [
    *driven,
    pytest.mark.skipif(
        not (HERE / "node_modules" / "axe-core").exists(),
        reason="axe-core is not installed: npm install --prefix tests/browser",
    ),
]


def test_access_is_asked_for_given_used_up_ended_and_explained(journey, tmp_path) -> None:
    rows = tmp_path / "rows.jsonl"
    lines = [{"id": f"r{n:02}", "text": f"Write to {EMAIL} about order {n}."} for n in range(30)]
    rows.write_text("".join(json.dumps(line) + "\n" for line in lines))
    users = {"steward": "data_steward", "viewer": "viewer", "auditor": "auditor"}
    seen = journey("access.mjs", users, files={"rows": str(rows)})
    assert seen["stored"].startswith("Stored: 30 records")
    assert "Security key" in seen["account"]
    assert "Fifteen answers are checked by hand" in seen["asked"]
    assert seen["purposes"] == ["evaluation"]
    assert seen["read"] == [10, 5]
    assert "Write to" in seen["shown"]
    assert EMAIL not in seen["shown"]
    assert "VAULT_AUTHZ_2234" in seen["exhausted"]
    assert "15 of 15" in seen["mine"]
    assert seen["before"] == seen["after"]
    assert "may not" in seen["after"]
    assert "A lease of record.read" in seen["why"]
    assert seen["barriers"] == []
