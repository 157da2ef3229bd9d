"""Second factors in a real browser: a virtual security key, an app's codes, recovery codes."""

import json
import subprocess

import pytest

from tests.browser.test_browser import CHROMIUM, HERE, NODE, pytestmark, site
from tests.factories.access import PASSWORD, make_user
from tests.factories.factors import ask_for_second_factor

__all__ = ["pytestmark", "site"]


@pytest.mark.usefixtures("vault_database")
def test_second_factors_are_added_shown_and_replaced(tenant, site, tmp_path) -> None:
    ask_for_second_factor(tenant, "data_steward", "security_officer")
    told = {
        "site": site,
        "organization": tenant.slug,
        "password": PASSWORD,
        "users": {
            "keyholder": make_user(tenant, "data_steward").username,
            "officer": make_user(tenant, "security_officer").username,
        },
        "pictures": str(tmp_path),
        "chromium": CHROMIUM,
    }
    done = subprocess.run(
        [NODE, str(HERE / "sign_in.mjs"), json.dumps(told)], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert len(seen["codes"]) == 10
    assert "Security key" in seen["account"]
    assert "this one" in seen["account"]
    assert "did not confirm" in seen["refused"]
    assert seen["done"]
    assert (seen["errors"], seen["violations"]) == ([], [])
