"""Fixtures of the tests of incidents."""

from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
