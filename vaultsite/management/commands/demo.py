"""Run the main job once and print a report."""

import time
from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandError

from vaultsite.demo.render import render
from vaultsite.demo.report import RunFailed, run_report
from vaultsite.demo.seed import SAMPLES
from vaultsite.kernel.errors import VaultError


class Command(BaseCommand):
    help = (
        "Run the main job once, without a browser, and print a report: what was found, what was sealed, what each "
        "reader sees of one record, and the audit trail. Every run makes a dataset of its own. Refused in production."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        sample = SAMPLES / "support_chats.jsonl"
        parser.add_argument("file", nargs="?", type=Path, default=sample, help="JSON lines or .csv, gzip or not")

    def handle(self, *_: Any, file: Path, **__: Any) -> None:
        if settings.VAULT["IS_PRODUCTION"]:
            raise CommandError("demo data has no place in production (VAULT_ENV=production)")
        if not file.is_file():
            raise CommandError(f"there is no file {file}")
        if "owner" not in settings.DATABASES:
            raise CommandError("tenants are made by the owner of the database: set VAULT_OWNER_DATABASE_URL")
        self._progress = (0.0, "")
        call_command("migrate", database="owner", interactive=False, verbosity=0)
        try:
            report = run_report(file, self._tell)
        except (RunFailed, VaultError) as error:
            raise CommandError(str(error)) from error
        self.stdout.write(render(report), ending="")

    def _tell(self, stage: str, records: int) -> None:
        """News of the ingest, at most once a second unless the stage changes."""
        told_at, told_stage = self._progress
        now = time.monotonic()
        if stage != told_stage or now - told_at >= 1:
            self._progress = (now, stage)
            self.stderr.write(f"{stage} ... {records:,} records")
