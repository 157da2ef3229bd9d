"""Fixtures of the audit's tests."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import UUID

import pytest
from django.db import connections

#: A function and a trigger of one name each, so that nothing of a test outlives it.
REFUSE = """
    CREATE FUNCTION {name}() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN RAISE EXCEPTION 'no room for this event' USING ERRCODE = 'disk_full'; END $$;
    GRANT EXECUTE ON FUNCTION {name}() TO vault_app;
    CREATE TRIGGER {name} BEFORE INSERT ON audit_event FOR EACH ROW
    WHEN (NEW.tenant_id = '{tenant}') EXECUTE FUNCTION {name}();
"""


@pytest.fixture
def audit_failing_for() -> Callable[[UUID], AbstractContextManager[None]]:
    """The database refuses every event of one tenant, as it does when its disk is full."""

    @contextmanager
    def failing(tenant_id: UUID) -> Iterator[None]:
        name = f"test_refuse_{tenant_id.hex}"
        with connections["owner"].cursor() as cursor:
            cursor.execute(REFUSE.format(name=name, tenant=tenant_id))
        try:
            yield
        finally:
            with connections["owner"].cursor() as cursor:
                cursor.execute(f"DROP TRIGGER {name} ON audit_event; DROP FUNCTION {name}()")

    return failing
