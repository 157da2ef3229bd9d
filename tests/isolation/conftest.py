"""Two tenants with a row in every table, and connections as the serving role."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import psycopg
import pytest

from tests.conftest import new_tenant
from tests.isolation.rows import connect, fill, insert


@dataclass(frozen=True)
class Populated:
    """A tenant and the id of its row in each table."""

    id: UUID
    rows: dict[str, Any]


@pytest.fixture(scope="session")
def populated(vault_database: None) -> tuple[Populated, Populated]:
    """Tenants A and B, each with what the services make of a new tenant and one more row in every table."""
    made = []
    with connect("vault_owner") as owner:
        for prefix in ("isolation-a", "isolation-b"):
            tenant = new_tenant(prefix)
            rows = fill(owner, tenant.pk)
            log = {"action_time": "now", "object_repr": "", "action_flag": 1, "change_message": ""}
            insert(owner, "django_admin_log", {**log, "user_id": rows["access_user"]})
            made.append(Populated(tenant.pk, rows))
        owner.commit()
    return made[0], made[1]


@pytest.fixture
def a(populated: tuple[Populated, Populated]) -> Populated:
    return populated[0]


@pytest.fixture
def b(populated: tuple[Populated, Populated]) -> Populated:
    return populated[1]


@pytest.fixture
def app(vault_database: None) -> Iterator[psycopg.Connection]:
    """A raw connection as vault_app, rolled back."""
    with connect("vault_app") as connection:
        yield connection
        connection.rollback()


@pytest.fixture
def owner(vault_database: None) -> Iterator[psycopg.Connection]:
    with connect("vault_owner") as connection:
        yield connection
        connection.rollback()
