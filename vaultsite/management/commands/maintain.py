"""Keep the database in shape, as its owner: partitions ahead of time, and a look at what needs attention."""

from argparse import ArgumentParser
from datetime import UTC, date, datetime
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import IntegrityError, OperationalError, connections

from audit.archive.months import archive_months
from audit.archive.removal import remove_archived_months
from audit.proofs.clock import database_time, why_doubted
from audit.proofs.retention import drop_old_months
from audit.selectors import count_stray_events, list_partitions
from audit.services.partitions import create_partition, months_from
from vaultsite.kernel.errors import VaultError

#: A table is worth a hint when this many rows and this share of it are dead.
DEAD_ROWS: Final = 10_000
DEAD_SHARE: Final = 0.2
STRAY_EVENTS: Final = 2
DOUBTED_CLOCK: Final = 3

# The statistics views have no model.
_DEAD_ROWS: Final = """
    SELECT relname, n_dead_tup, n_live_tup FROM pg_stat_user_tables
     WHERE n_dead_tup > %s AND n_dead_tup > %s * n_live_tup ORDER BY n_dead_tup DESC
"""


class Command(BaseCommand):
    help = (
        "Creates the audit's partitions of the coming months, drops those past VAULT_AUDIT_RETENTION_MONTHS, moves "
        "those past VAULT_AUDIT_ONLINE_MONTHS into the archive, and reports what needs attention. Run it daily, with "
        "VAULT_OWNER_DATABASE_URL set. Exits with 2 when events lie in the DEFAULT partition, where none belongs, "
        "and with 3 when it left the months alone because the time is in doubt."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--months", type=int, default=12, help="how many months ahead partitions are made")
        parser.add_argument(
            "--confirm-clock",
            action="store_true",
            help="the database's time is right, though no event was recorded for more than a day: let months go by it",
        )

        parser.add_argument(
            "--at-start",
            action="store_true",
            help="before the vault serves: that the time is in doubt is said and is no error, or a vault that stood "
            "still for a day could not start",
        )

    def handle(self, *_: Any, months: int, confirm_clock: bool, at_start: bool, **__: Any) -> None:
        if "owner" not in settings.DATABASES:
            raise CommandError("maintenance works as the owner of the database: set VAULT_OWNER_DATABASE_URL")
        now = database_time().astimezone(UTC)
        self._create_partitions(now.date(), months)
        doubt = why_doubted(now, process_now=datetime.now(UTC), is_confirmed=confirm_clock)
        if doubt:
            doubt = f"no month of the audit is dropped or archived: {doubt}"
            self.stderr.write(doubt)
        else:
            self._drop_old_months(now.date())
            self._archive_old_months(now.date())
        self._hint_at_vacuum()
        self._refuse_strays()
        if doubt and not at_start:
            raise CommandError(doubt, returncode=DOUBTED_CLOCK)

    def _create_partitions(self, today: date, months: int) -> None:
        made = [month for month in months_from(today, ahead=months) if self._create(month)]
        partitions = list(list_partitions())
        size = sum(partition.bytes for partition in partitions) / 2**20
        self.stdout.write(f"audit: {len(partitions)} partitions, {len(made)} of them new, {size:.1f} MiB in all")

    def _create(self, month: date) -> bool:
        try:
            is_new = create_partition(month)
        except IntegrityError:
            self.stderr.write(f"no audit partition of {month:%Y-%m} can be made: its events lie in audit_event_default")
            return False
        if is_new:
            self.stdout.write(f"created the audit partition of {month:%Y-%m}")
        return is_new

    def _drop_old_months(self, today: date) -> None:
        try:
            keep = settings.VAULT["AUDIT_RETENTION_MONTHS"]
            dropped = [*drop_old_months(keep=keep, today=today), *remove_archived_months(keep=keep, today=today)]
        except (VaultError, OperationalError) as error:
            raise CommandError(f"retention of the audit: {error}") from error
        for one in dropped:
            if one.kept_because:
                self.stderr.write(f"the audit of {one.month:%Y-%m} is past its retention and kept: {one.kept_because}")
            else:
                self.stdout.write(f"dropped the audit of {one.month:%Y-%m}: {one.events} events; their leaves stay")

    def _archive_old_months(self, today: date) -> None:
        try:
            moved = archive_months(online=settings.VAULT["AUDIT_ONLINE_MONTHS"], today=today)
        except (VaultError, OperationalError) as error:
            raise CommandError(f"archive of the audit: {error}") from error
        for one in moved:
            if one.kept_because:
                self.stderr.write(f"the audit of {one.month:%Y-%m} stays in the database: {one.kept_because}")
            else:
                self.stdout.write(
                    f"archived the audit of {one.month:%Y-%m}: {one.events} events in {one.parts} objects of "
                    f"{one.bytes / 2**20:.1f} MiB"
                )

    def _hint_at_vacuum(self) -> None:
        with connections["owner"].cursor() as cursor:
            cursor.execute(_DEAD_ROWS, [DEAD_ROWS, DEAD_SHARE])
            for name, dead, live in cursor.fetchall():
                self.stdout.write(f"{name}: {dead} dead rows beside {live}; VACUUM (ANALYZE) {name} would free them")

    def _refuse_strays(self) -> None:
        if strays := count_stray_events():
            message = (
                f"ALARM: {strays} audit events lie in audit_event_default: their months had no partition when they "
                "were written. Run maintain daily, and check the clocks of the hosts that serve."
            )
            raise CommandError(message, returncode=STRAY_EVENTS)
        self.stdout.write("audit_event_default is empty, as it should be")
