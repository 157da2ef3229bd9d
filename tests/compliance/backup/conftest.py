"""A database and a store of its own for each file: a backup takes everything, and other tests have left much."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from vaultsite.runtime.home import Home


@pytest.fixture
def plain_static(settings: Any) -> None:
    """Files of the source tree, so that no collectstatic is needed."""
    files = "django.contrib.staticfiles.storage.StaticFilesStorage"
    settings.STORAGES = settings.STORAGES | {"staticfiles": {"BACKEND": files}}


@pytest.fixture
def quick_passwords(settings: Any) -> None:
    settings.PASSWORD_HASHERS = ["tests.access.conftest.QuickArgon2PasswordHasher"]


@pytest.fixture(scope="module", autouse=True)
def own_vault(vault_database: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    from tests.factories.own_vault import own_vault as serve_own_vault

    home = Home(Path(os.environ["VAULT_TEST_HOME"]).absolute())
    with django_db_blocker.unblock(), serve_own_vault(home, tmp_path_factory.mktemp("store")):
        yield
