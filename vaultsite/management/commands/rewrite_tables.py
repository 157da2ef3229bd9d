"""Write tables of the database anew, as its owner, so that no page of them keeps bytes of what was erased."""

import time
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, connections
from psycopg import sql
from psycopg.errors import LockNotAvailable

#: Tables of which rows are ever changed or removed: what is written once and kept has no old row versions.
_CHANGING: Final = """
    SELECT c.relname FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind IN ('r', 'p') AND NOT c.relispartition
       AND EXISTS (SELECT 1 FROM unnest(%s::text[]) AS serving
                    WHERE has_any_column_privilege(serving, c.oid, 'UPDATE')
                       OR has_table_privilege(serving, c.oid, 'DELETE'))
     ORDER BY c.relname
"""
_SERVING: Final = ["vault_app", "vault_system"]
#: What is gone by now, is gone for every transaction that begins later.
_NOW: Final = "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
#: For whom rows that are gone by then are kept all the same: a rewriting copies them too.
_KEPT_FOR: Final = """
    WITH since AS (SELECT %s::xid8::xid AS xid)
    SELECT 'process ' || pid || coalesce(' of ' || usename, '') FROM pg_stat_activity, since
     WHERE pid <> pg_backend_pid() AND (datname IS NULL OR datname = current_database())
       AND greatest(age(backend_xmin), age(backend_xid)) > age(since.xid)
       AND pid NOT IN (SELECT pid FROM pg_stat_progress_vacuum)
    UNION ALL
    SELECT 'replication slot ' || slot_name FROM pg_replication_slots, since
     WHERE greatest(age(xmin), age(catalog_xmin)) > age(since.xid)
    UNION ALL
    SELECT 'prepared transaction ' || gid FROM pg_prepared_xacts, since
     WHERE database = current_database() AND age(transaction) > age(since.xid)
     ORDER BY 1
"""
#: Seconds for transactions that are just about to end, and between two looks at them.
_GRACE: Final = 5.0
_PAUSE: Final = 0.1
#: Who waits longer for a table than this leaves it for the next time.
_PATIENCE: Final = "SET lock_timeout = '4s'"
_IMPATIENCE: Final = "RESET lock_timeout"
#: With one table goes what the planner remembers of its values.
_STATISTICS: Final = "pg_catalog.pg_statistic"
_REWRITE: Final = "VACUUM (FULL, ANALYZE) {}"
_REWRITE_STATISTICS: Final = f"VACUUM (FULL) {_STATISTICS}"
#: The write-ahead log goes on in a new file, and files from before the checkpoint are not needed any more.
_NEXT_FILE: Final = ("SELECT pg_switch_wal()", "CHECKPOINT")


class Command(BaseCommand):
    help = (
        "Writes every table anew of which rows are changed or removed, and lets the write-ahead log go on in a new "
        "file. PostgreSQL frees the place of old rows and leaves their bytes there, with the secrets that open copies "
        "of what was erased; afterwards no file of the database has them. Each table is locked while it is written: "
        "run it in a quiet hour, with VAULT_OWNER_DATABASE_URL set. Exits with 1 when a table was not written anew. "
        "It writes none while an older transaction, a replication slot or a prepared transaction keeps what was "
        "erased: that would be copied."
    )
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        if "owner" not in settings.DATABASES:
            raise CommandError("tables are written anew by their owner: set VAULT_OWNER_DATABASE_URL")
        if keepers := _keepers():
            raise CommandError(f"nothing was written anew, what was erased is kept for: {', '.join(keepers)}")
        in_use, failed = self._rewrite()
        self._end_log_file()
        told = [f"in use, and not written anew: {', '.join(in_use)}"] if in_use else []
        told += [f"not written anew: {name}: {reason}" for name, reason in failed.items()]
        if told:
            raise CommandError("; ".join(told))

    def _rewrite(self) -> tuple[list[str], dict[str, str]]:
        """The tables that were in use, and those that could not be written, with what the server said."""
        in_use: list[str] = []
        failed: dict[str, str] = {}
        with connections["owner"].cursor() as cursor:
            cursor.execute(_CHANGING, [_SERVING])
            names = [name for (name,) in cursor.fetchall()]
            cursor.execute(_PATIENCE)
            statements = {name: sql.SQL(_REWRITE).format(sql.Identifier(name)) for name in names}
            for name, statement in [*statements.items(), (_STATISTICS, sql.SQL(_REWRITE_STATISTICS))]:
                try:
                    cursor.execute(statement)
                except Error as error:
                    if isinstance(error.__cause__, LockNotAvailable):
                        in_use.append(name)
                    else:
                        failed[name] = str(error).partition("\n")[0]
            cursor.execute(_IMPATIENCE)
        self.stdout.write(f"{sum(name not in in_use and name not in failed for name in names)} tables written anew")
        return in_use, failed

    def _end_log_file(self) -> None:
        """The embedded server lets the owner do it; of others their administrator decides."""
        try:
            with connections["owner"].cursor() as cursor:
                for statement in _NEXT_FILE:
                    cursor.execute(statement)
        except Error:
            self.stdout.write(
                "the write-ahead log goes on in the same file: this role may not end it. What was erased is in it "
                "until the server has removed or archived away the files of today"
            )
        else:
            self.stdout.write("the write-ahead log goes on in a new file")


def _keepers() -> list[str]:
    """For whom what was erased before this call is kept; those that end within a few seconds are waited for."""
    until = time.monotonic() + _GRACE
    with connections["owner"].cursor() as cursor:
        cursor.execute(_NOW)
        (since,) = cursor.fetchone()
        while True:
            cursor.execute(_KEPT_FOR, [since])
            found = [name for (name,) in cursor.fetchall()]
            if not found or time.monotonic() > until:
                return found
            time.sleep(_PAUSE)
