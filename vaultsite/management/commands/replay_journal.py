"""Erase again, in a restored vault, what was erased after its backup; ``restore`` runs it."""

import json
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from compliance.backup.journal import read_journal
from compliance.backup.keys import read_key
from compliance.backup.replay import replay
from compliance.backup.repository import open_repository
from compliance.errors.backup import BackupDamaged
from vaultsite.backup.restore import REFUSED
from vaultsite.kernel.errors import VaultError


class Command(BaseCommand):
    help = "Replays the journal of FOLDER; ends with 3 when something could not be erased again."
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", type=Path, help="the repository")
        parser.add_argument("--key-file", type=Path, required=True, help="the backup key")
        parser.add_argument("--backup", required=True, help="the backup that was restored")

    def handle(self, *_: Any, folder: Path, key_file: Path, backup: str, **__: Any) -> None:
        try:
            repository = open_repository(folder, read_key(key_file))
            journal = read_journal(repository)
            if journal.sequence < repository.manifest(backup).journal:
                raise BackupDamaged("the replay journal is shorter than it was when the backup was made")
            found = replay(journal.entries)
        except VaultError as error:
            raise CommandError(f"{error.code} {error}") from error
        told = {
            "done": dict(found.done),
            "by_tenant": dict(found.by_tenant),
            "refused": found.refused,
            "lost": found.lost,
            "unreadable_objects": found.unreadable_objects,
            "complete_until": journal.complete_until.isoformat() if journal.complete_until else None,
        }
        self.stdout.write(json.dumps(told))
        if found.refused:
            raise CommandError("; ".join(found.refused), returncode=REFUSED)
