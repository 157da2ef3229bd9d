"""PostgreSQL and Redis for a test run, started once and kept as long as somebody tests."""

import atexit
import os
from contextlib import ExitStack
from functools import cache

from vaultsite.runtime.environment import PROJECT
from vaultsite.runtime.servers import borrowed_servers


@cache
def start_test_servers() -> dict[str, str]:
    """Start (or join) the test servers and return the VAULT_* variables that lead to them.

    They keep their data in VAULT_TEST_HOME (default ``.vault-test``) from run to run, without fsync. Set it to a folder
    of your own to test apart from others in the same tree. The owner role may create databases, so Django's test
    database works; ``vaultsite.runtime.roles.create_database`` makes one with the rights of the real thing.
    """
    stack = ExitStack()
    home = os.environ.get("VAULT_TEST_HOME") or PROJECT / ".vault-test"
    environment = stack.enter_context(borrowed_servers(home, throwaway=True))
    atexit.register(stack.close)
    return environment
