"""Write tables of the database anew, as its owner, so that no page of them keeps bytes of what was erased."""

from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import Error, OperationalError, connections
from psycopg import sql

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
        "run it in a quiet hour, with VAULT_OWNER_DATABASE_URL set. Exits with 1 when a table was in use."
    )
    requires_system_checks = ()

    def handle(self, *_: Any, **__: Any) -> None:
        if "owner" not in settings.DATABASES:
            raise CommandError("tables are written anew by their owner: set VAULT_OWNER_DATABASE_URL")
        in_use = self._rewrite()
        self._end_log_file()
        if in_use:
            raise CommandError(f"in use, and not written anew: {', '.join(in_use)}")

    def _rewrite(self) -> list[str]:
        in_use = []
        with connections["owner"].cursor() as cursor:
            cursor.execute(_CHANGING, [_SERVING])
            names = [name for (name,) in cursor.fetchall()]
            cursor.execute(_PATIENCE)
            for name in names:
                try:
                    cursor.execute(sql.SQL(_REWRITE).format(sql.Identifier(name)))
                except OperationalError:
                    in_use.append(name)
            cursor.execute(_REWRITE_STATISTICS)
            cursor.execute(_IMPATIENCE)
        self.stdout.write(f"{len(names) - len(in_use)} tables written anew")
        return in_use

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
