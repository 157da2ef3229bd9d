"""Connections while PostgreSQL is away, and once it is back; time runs ten times as fast as the settings say."""

import threading
from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import pytest
from django.db import OperationalError, connections
from django.db.backends.postgresql.base import DatabaseWrapper
from psycopg_pool.base import AttemptWithBackoff

FASTER = 10


@contextmanager
def connection_by(sockets: Path):
    """A connection as the vault has them, to the server whose socket lies in this folder."""
    settings = deepcopy(connections["default"].settings_dict)
    pool = settings["OPTIONS"]["pool"]
    pool |= {name: seconds / FASTER for name, seconds in pool.items() if "timeout" in name}
    connection = DatabaseWrapper(settings | {"HOST": str(sockets)}, alias=sockets.name)
    try:
        yield connection
    finally:
        connection.close()
        connection.close_pool()


def come_back(sockets: Path) -> None:
    there = Path(connections["default"].settings_dict["HOST"])
    name = f".s.PGSQL.{connections['default'].settings_dict['PORT'] or 5432}"
    (sockets / name).symlink_to(there / name)


def test_whoever_asks_once_the_database_is_back_is_answered(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(AttemptWithBackoff, "INITIAL_DELAY", AttemptWithBackoff.INITIAL_DELAY / FASTER)
    # After 1, 3, 7 and 15 seconds connecting is tried again: away until then, it would next be tried after 31.
    back = threading.Timer(16 / FASTER, come_back, [tmp_path])
    back.start()
    with connection_by(tmp_path) as connection:
        with pytest.raises(OperationalError, match="couldn't get a connection"):
            connection.ensure_connection()
        with connection.cursor() as cursor:
            assert cursor.execute("SELECT 1").fetchone() == (1,)
    back.join()
