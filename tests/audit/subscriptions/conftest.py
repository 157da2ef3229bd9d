"""Fixtures of the pages, for those of event subscriptions."""

from tests.vaultsite.conftest import plain_static, quick_passwords

__all__ = ["plain_static", "quick_passwords"]
