"""Fixtures of the pages' tests."""

from typing import Any

import pytest

PLAIN_STATIC = {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"}


@pytest.fixture
def plain_static(settings: Any) -> None:
    """Pages name their files without the manifest that a vault's start collects."""
    settings.STORAGES = {**settings.STORAGES, "staticfiles": PLAIN_STATIC}


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    """Argon2id at a cost that lets a test sign in often."""
    settings.PASSWORD_HASHERS = ["tests.access.conftest.QuickArgon2PasswordHasher"]
