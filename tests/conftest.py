"""Fixtures: tests run as production does, and are isolated from each other by tenant, not by rollback."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import HealthCheck, settings

from tests.brokers import rabbitmq, redis_streams  # noqa: F401 - fixtures of the whole session

pytest.register_assert_rewrite("tests.journeys.waiting")

# A machine that runs much else is slow, and that says nothing of what is tested.
settings.register_profile("any-machine", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("any-machine")


@pytest.fixture(scope="session")
def django_db_modify_db_settings() -> None:
    """The servers' database is the test database: owner migrates it, vault_app and vault_system serve it."""


@pytest.fixture(scope="session", autouse=True)
def vault_database(django_test_environment: None, django_db_blocker: object) -> Iterator[None]:
    from django.conf import settings
    from django.core.management import call_command

    from audit.log.keys import create_keys

    Path(settings.STATIC_ROOT).mkdir(mode=0o700, exist_ok=True)  # what a vault's start collects; empty serves as well
    with django_db_blocker.unblock():
        call_command("migrate", database="owner", verbosity=0)
        create_keys()  # a vault that has signed before makes no key anew, and some tests make rows of checkpoints
        yield


def new_tenant(prefix: str, mfa_roles: tuple[str, ...] = ()) -> object:
    from access.services.tenants import create_tenant

    # People sign in with a password alone unless a test says otherwise.
    return create_tenant(slug=f"{prefix}-{uuid4().hex[:12]}", name=prefix, mfa_roles=mfa_roles)


@pytest.fixture
def tenant() -> object:
    """A tenant of its own for each test, committed."""
    return new_tenant("tenant")


@pytest.fixture
def rival() -> object:
    """Another tenant, which must never see the first one's rows."""
    return new_tenant("rival")
