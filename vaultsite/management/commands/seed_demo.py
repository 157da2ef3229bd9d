"""Make the demo tenants."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from vaultsite.demo.seed import SeedFailed, seed
from vaultsite.kernel.errors import VaultError


class Command(BaseCommand):
    help = (
        "Make the demo tenants demo and rival with a user in every role and sample datasets, and write the logins to "
        "VAULT_HOME/credentials. Continues where an earlier run stopped. Refused where VAULT_ENV is production."
    )
    requires_system_checks = []

    def handle(self, *_: Any, **__: Any) -> None:
        if settings.VAULT["IS_PRODUCTION"]:
            raise CommandError("demo data has no place in production (VAULT_ENV=production)")
        if "owner" not in settings.DATABASES:
            raise CommandError("tenants are made by the owner of the database: set VAULT_OWNER_DATABASE_URL")
        try:
            seed(self.stdout.write)
        except (SeedFailed, VaultError) as error:
            raise CommandError(str(error)) from error
