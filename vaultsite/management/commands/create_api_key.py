"""Make an API key."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access.services.api_keys import LONGEST_DAYS, create_api_key
from access.services.tenants import operator, tenant_by_slug
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.scope import tenant_scope


class Command(BaseCommand):
    help = "Make an API key; prints the key, which is shown this once, and nothing else."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug")
        parser.add_argument("--role", action="append", required=True, dest="roles", help="code; may be repeated")
        parser.add_argument("--scope", action="append", default=[], dest="scopes", help="an action; may be repeated")
        parser.add_argument("--name", default="made on the command line")
        parser.add_argument("--purpose", default="evaluation", help="used when a request states none")
        parser.add_argument("--days", type=int, default=LONGEST_DAYS, help="until it expires")

    def handle(self, *_: Any, tenant: str, purpose: str, **key: Any) -> None:
        fields = {name: key[name] for name in ("name", "roles", "scopes", "days")}
        try:
            found = tenant_by_slug(tenant)
            principal = operator(found.pk)
            with tenant_scope(found.pk, principal):
                token = create_api_key(principal, default_purpose=purpose, **fields)[1]
        except VaultError as error:
            raise CommandError("; ".join([str(error), *(problem.detail for problem in error.errors)])) from error
        self.stdout.write(token)
