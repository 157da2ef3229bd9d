"""Back the whole vault up into a sealed repository."""

from argparse import ArgumentParser
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError

from compliance.backup.journal import ship_journal
from compliance.backup.keys import make_key, read_key
from compliance.backup.record import record_failure
from compliance.backup.repository import open_repository
from vaultsite.backup.take import take_backup
from vaultsite.kernel.errors import InternalFault, VaultError


class Command(BaseCommand):
    help = (
        "Writes the database, the objects it names and, with --with-keys, the keys that the vault keeps in files into "
        "FOLDER, sealed under the backup key. Objects that lie there already are not copied again. Ends with 1 when "
        "objects were missing in the store."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", type=Path, help="the repository; VAULT_BACKUP_FOLDER when absent")
        parser.add_argument("--key-file", type=Path, help="the backup key; VAULT_BACKUP_KEY_FILE when absent")
        parser.add_argument("--new-key", action="store_true", help="make the key file first; it must not exist")
        parser.add_argument("--with-keys", action="store_true", help="also the local KMS and the audit's signing keys")
        parser.add_argument(
            "--journal", action="store_true", help="only write down what was erased since the last time"
        )

    def handle(self, *_: Any, **given: Any) -> None:
        folder = given["folder"] or settings.BACKUP_FOLDER
        key_file = given["key_file"] or settings.BACKUP_KEY_FILE
        if folder is None or key_file is None:
            raise CommandError(
                "name the repository and the key file, or set VAULT_BACKUP_FOLDER and VAULT_BACKUP_KEY_FILE"
            )
        try:
            key = make_key(key_file) if given["new_key"] else read_key(key_file)
            repository = open_repository(folder, key, create=not given["journal"])
            if given["journal"]:
                self.stdout.write(f"{ship_journal(repository)} entries written")
                return
            manifest = take_backup(repository, with_keys=given["with_keys"])
        except VaultError as error:
            self._fail(error, given["journal"])
        except (DatabaseError, OSError) as fault:
            self._fail(InternalFault(type(fault).__name__), given["journal"])
        self.stdout.write(
            f"backup {manifest.id}: {len(manifest.objects)} objects, {manifest.new_objects} of them new "
            f"({manifest.new_bytes} bytes), database {manifest.database.size} bytes"
        )
        if manifest.missing:
            raise CommandError(f"{len(manifest.missing)} objects were not in the store: they are in no backup of today")

    def _fail(self, error: VaultError, is_journal: bool) -> None:
        if not is_journal:
            with suppress(DatabaseError):  # where that is what failed, the exit status alone says so
                record_failure(error.code)
        raise CommandError(f"{error.code} {error}") from error
