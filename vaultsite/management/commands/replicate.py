"""Copy a region's objects to its replica, which stands in the same region."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from vaultsite.backup.replicate import bring_back, replicate
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.regions import declared_regions


class Command(BaseCommand):
    help = (
        "Brings the replica of a declared region up to its store: copies what is new, removes what is gone. With "
        "--bring-back, copies to the store what it has lost. The replica stands in the same region, or the vault does "
        "not start."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("region", help="the name of a declared region that has a replica")
        parser.add_argument("--bring-back", action="store_true", help="from the replica to the store")

    def handle(self, *_: Any, region: str, bring_back: bool, **__: Any) -> None:
        found = declared_regions().get(region)
        if found is None:
            raise CommandError(f"no such region; declared are: {', '.join(declared_regions()) or 'none'}")
        try:
            done = _WAYS[bring_back](found)
        except VaultError as error:
            raise CommandError(f"{error.code} {error}") from error
        self.stdout.write(f"{done.copied} objects copied, {done.removed} removed")


_WAYS = {False: replicate, True: bring_back}
