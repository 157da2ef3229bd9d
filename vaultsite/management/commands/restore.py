"""Bring a backup into an empty vault, or try whether that would work."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any, Final

import psycopg
from django.core.management.base import BaseCommand, CommandError

from compliance.backup.keys import read_key
from compliance.backup.manifest import Manifest
from compliance.backup.record import record_drill
from compliance.backup.repository import Repository, open_repository
from vaultsite.backup.drill import run_drill
from vaultsite.backup.restore import Restore
from vaultsite.kernel.errors import VaultError
from vaultsite.management.commands.begin_recovery import REASONS
from vaultsite.runtime.errors import StartError

#: Records of every dataset that a drill reads.
DRILL_RECORDS: Final = 20


class Command(BaseCommand):
    help = (
        "Restores the newest backup of FOLDER, or the one named, into the empty VAULT_HOME (and the empty database and "
        "store that the environment names). Started again after a failure, it goes on where it was. The vault opens "
        "when everything that was erased after the backup is erased again."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the repository")
        parser.add_argument("--key-file", type=Path, required=True, help="the backup key")
        parser.add_argument("--backup", help="its id; the newest when absent")
        parser.add_argument("--drill", action="store_true", help="into an empty second folder that is removed again")
        parser.add_argument("--records", type=int, default=0, help="how many of every dataset are read and compared")
        parser.add_argument("--reason", choices=REASONS, default="database-restored", help="what the audit is told")
        parser.add_argument("--throwaway", action="store_true", help="embedded servers that are fast rather than safe")

    def handle(self, *_: Any, folder: Path, key_file: Path, backup: str | None, **given: Any) -> None:
        folder, key_file = folder.absolute(), key_file.absolute()
        try:
            repository = open_repository(folder, read_key(key_file))
            manifest = repository.manifest(backup or repository.newest())
            if given["drill"]:
                self._drill(repository, manifest, key_file, given["records"] or DRILL_RECORDS)
                return
            restore = Restore(
                repository,
                manifest,
                key_file,
                self.stdout.write,
                throwaway=given["throwaway"],
                reason=given["reason"],
                compared_records=given["records"],
            )
            restore.run()
        except VaultError as error:
            raise CommandError(f"{error.code} {error}") from error
        except (StartError, psycopg.OperationalError) as error:
            raise CommandError(str(error)) from error
        told = {"backup": manifest.id, "seconds": restore.seconds, "replay": restore.told, "compared": restore.compared}
        self.stdout.write(json.dumps(told))

    def _drill(self, repository: Repository, manifest: Manifest, key_file: Path, records: int) -> None:
        facts, compared = run_drill(repository, manifest, key_file, records=records)
        record_drill(facts, compared)
        read, wrong = sum(one.records for one in compared), sum(one.mismatches for one in compared)
        self.stdout.write(
            f"drill of {facts.backup_id}: {len(manifest.datasets)} datasets, {read} records compared, "
            f"{wrong} mismatches; restored in {facts.rto_seconds} s, {facts.rpo_seconds} s behind"
        )
        if facts.error_code or wrong:
            raise CommandError(f"the drill failed {facts.error_code}".rstrip())
