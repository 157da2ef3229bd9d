"""Fixtures of the audit's tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

import pytest
from django.db import connections

REFUSE = """
    CREATE OR REPLACE FUNCTION test_refuse_event() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'no room for this event' USING ERRCODE = 'disk_full'; END $$;
    GRANT EXECUTE ON FUNCTION test_refuse_event() TO vault_app;
"""


@pytest.fixture
def audit_failing_for() -> Callable[[UUID], AbstractContextManager[None]]:
    """The database refuses every event of one tenant, as it does when its disk is full."""

    @contextmanager
    def failing(tenant_id: UUID) -> Iterator[None]:
        name = f"test_refuse_{tenant_id.hex}"
        with connections["owner"].cursor() as cursor:
            cursor.execute(REFUSE)
            cursor.execute(
                f"CREATE TRIGGER {name} BEFORE INSERT ON audit_event FOR EACH ROW "
                f"WHEN (NEW.tenant_id = '{tenant_id}') EXECUTE FUNCTION test_refuse_event()"
            )
        try:
            yield
        finally:
            with connections["owner"].cursor() as cursor:
                cursor.execute(f"DROP TRIGGER {name} ON audit_event")

    return failing
