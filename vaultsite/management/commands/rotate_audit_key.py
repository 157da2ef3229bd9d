"""Change the key that signs the audit's checkpoints."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from audit.log.note import InvalidNote, Verifier
from audit.log.rotation import rotate_keys
from vaultsite.kernel.errors import VaultError


class Command(BaseCommand):
    help = "Change the key that signs the audit's checkpoints; prints the new public key in hex, and nothing else."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--lost",
            type=Path,
            metavar="KEYS",
            help="the old key is gone and cannot sign the change: a file with every public key that signed before, one "
            "verifier key a line, kept outside the database",
        )

    def handle(self, *_: Any, lost: Path | None, **__: Any) -> None:
        try:
            rotation = rotate_keys(lost=_public_keys(lost) if lost else ())
        except InvalidNote as error:
            raise CommandError(f"{lost}: not verifier keys, one a line") from error
        except (VaultError, OSError, UnicodeDecodeError) as error:
            raise CommandError(str(error)) from error
        for tenant_id in rotation.broken:
            self.stderr.write(f"The log of {tenant_id} contradicts what was signed before: this key did not sign it")
        self.stdout.write(rotation.public_key)


def _public_keys(path: Path) -> list[bytes]:
    """Raises InvalidNote for other content and for none, OSError, UnicodeDecodeError."""
    lines = path.read_text("utf-8").split()
    if not lines:
        raise InvalidNote("no key")
    return [Verifier.parse(line).public for line in lines]
