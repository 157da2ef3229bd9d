"""Compare a restored vault with what its backup says of the original; ``restore --records`` runs it."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.backup.compare import compare
from compliance.backup.entries import PURGE
from compliance.backup.journal import read_journal
from compliance.backup.keys import read_key
from compliance.backup.repository import open_repository
from vaultsite.kernel.errors import VaultError


class Command(BaseCommand):
    help = "Writes as JSON what was compared and how much of it differs, for every organization of the backup."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the repository")
        parser.add_argument("--key-file", type=Path, required=True, help="the backup key")
        parser.add_argument("--backup", required=True, help="the backup that was restored")
        parser.add_argument("--records", type=int, default=20, help="how many of every dataset are read")

    def handle(self, *_: Any, folder: Path, key_file: Path, backup: str, records: int, **__: Any) -> None:
        try:
            repository = open_repository(folder, read_key(key_file))
            purged = {entry.id for entry in read_journal(repository).entries if entry.kind == PURGE}
            tallies = compare(repository.manifest(backup), purged=purged, records=records)
        except VaultError as error:
            raise CommandError(f"{error.code} {error}") from error
        self.stdout.write(json.dumps([asdict(tally) for tally in tallies]))
