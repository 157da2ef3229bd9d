"""Fixtures of the architecture's tests."""

import os
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

ROOT = Path(__file__).parents[2]


@pytest.fixture
def owner(vault_database: None) -> Iterator[psycopg.Connection]:
    """A connection as vault_owner whose transaction is rolled back."""
    with psycopg.connect(os.environ["VAULT_OWNER_DATABASE_URL"]) as connection:
        yield connection
        connection.rollback()
