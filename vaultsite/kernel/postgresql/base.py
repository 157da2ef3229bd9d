"""Connections: Django's, but one found dead sends the others that idle in its pool to be looked at as well."""

from typing import Any

from django.db.backends.postgresql import base
from psycopg import Connection, Error
from psycopg_pool import ConnectionPool


class DatabaseWrapper(base.DatabaseWrapper):
    """Checks what it takes out of a pool itself; ``CONN_HEALTH_CHECKS`` stays off, so that the pool does not.

    Whatever ended an idle connection, most often a restart of the server, ended those beside it. A pool that checks
    drops one at a time and waits twice as long before the next, by which six dead ones outlast everybody's patience.
    """

    def get_new_connection(self, conn_params: dict[str, Any]) -> Any:
        """Raise PoolTimeout when none could be had in time."""
        connection = super().get_new_connection(conn_params)
        if self.pool is None or _is_alive(connection):
            return connection
        self.pool.putconn(connection)
        self.pool.check()
        return super().get_new_connection(conn_params)


def _is_alive(connection: Connection[Any]) -> bool:
    try:
        ConnectionPool.check_connection(connection)
    except Error:
        return False
    return True
