"""Connections while PostgreSQL is away, and once it is back."""

from contextlib import contextmanager
from copy import deepcopy
from pathlib import Path

import psycopg
import pytest
from django.db import OperationalError, connections
from psycopg_pool.base import AttemptWithBackoff

#: So many times as fast as the settings say is given up what is waited for in vain.
FASTER = 5
NAME = "test-database"


@contextmanager
def connections_by(sockets: Path, *, count: int = 1, faster: int = 1):
    """Connections as the vault has them, of one pool, to the server whose socket lies in this folder."""
    default = connections["default"]
    settings = deepcopy(default.settings_dict)
    pool = settings["OPTIONS"]["pool"]
    pool |= {name: seconds / faster for name, seconds in pool.items() if "timeout" in name}
    settings["OPTIONS"]["application_name"] = NAME
    made = [type(default)(settings | {"HOST": str(sockets)}, alias=NAME) for _ in range(count)]
    try:
        yield made
    finally:
        for connection in made:
            connection.close()
        made[0].close_pool()


def come_back(sockets: Path) -> None:
    there = Path(connections["default"].settings_dict["HOST"])
    name = f".s.PGSQL.{connections['default'].settings_dict['PORT'] or 5432}"
    (sockets / name).symlink_to(there / name)


def answers(connection) -> bool:
    with connection.cursor() as cursor:
        return cursor.execute("SELECT 1").fetchone() == (1,)


def end_idle(connection, *, most: int) -> int:
    """End so many of the connections that idle in the pool, on the server; returns how many there were."""
    own = connection.get_connection_params()
    with psycopg.connect(**own | {"application_name": "another"}, autocommit=True) as other:
        ended = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE application_name = %s LIMIT %s"
        return other.execute(ended, [NAME, most]).rowcount


def servers(made) -> set[int]:
    """The processes that serve these connections, all of them made at once; then they idle in their pool."""
    for connection in made:
        connection.ensure_connection()
    found = {connection.connection.info.backend_pid for connection in made}
    for connection in made:
        connection.close()
    return found


def test_whoever_asks_once_the_database_is_back_is_answered(tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(AttemptWithBackoff, "INITIAL_DELAY", AttemptWithBackoff.INITIAL_DELAY / FASTER)
    with connections_by(tmp_path, faster=FASTER) as [connection]:
        for _ in range(4):  # an attempt that were not given up would by now wait longer than anybody who asks
            with pytest.raises(OperationalError, match="couldn't get a connection"):
                connection.ensure_connection()
        come_back(tmp_path)
        assert answers(connection)


def test_connections_that_ended_while_they_idled_keep_nobody_waiting(tmp_path) -> None:
    come_back(tmp_path)
    many = connections["default"].settings_dict["OPTIONS"]["pool"]["max_size"]
    with connections_by(tmp_path, count=many) as made:
        assert len(servers(made)) == many
        assert end_idle(made[0], most=many) == many
        assert all(answers(connection) for connection in made)


def test_a_connection_that_ended_alone_takes_no_other_with_it(tmp_path) -> None:
    come_back(tmp_path)
    with connections_by(tmp_path, count=3) as made:
        before = servers(made)
        assert end_idle(made[0], most=1) == 1
        assert len(servers(made) & before) == 2
