"""A pytest plugin, loaded before Django's settings are: starts the test servers and says where they are.

Each process of a parallel run has servers of its own, so that no test meets the rows of another process; the first one
shares those of the process that leads the run.
"""

import os
from pathlib import Path

from tests.servers import start_test_servers
from vaultsite.runtime.environment import PROJECT


def _own_home() -> Path:
    home = Path(os.environ.get("VAULT_TEST_HOME") or PROJECT / ".vault-test")
    worker = os.environ.get("PYTEST_XDIST_WORKER", "gw0")
    return home if worker == "gw0" else home.with_name(f"{home.name}-{worker}")


os.environ["VAULT_TEST_HOME"] = os.fspath(_own_home())
os.environ.update(start_test_servers())
