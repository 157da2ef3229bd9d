"""A pytest plugin, loaded before Django's settings are: starts the test servers and says where they are."""

import os

from tests.servers import start_test_servers

os.environ.update(start_test_servers())
