"""Fixtures of the browser's tests."""

from tests.datasets.api.conftest import worker

__all__ = ["worker"]
