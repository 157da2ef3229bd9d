"""Fixtures of the proofs' tests."""

from tests.vaultsite.conftest import plain_static, quick_passwords

__all__ = ["plain_static", "quick_passwords"]
