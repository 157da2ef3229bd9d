"""Make a tenant."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access.services.assurance import MFA_ROLES
from access.services.tenants import create_tenant
from vaultsite.kernel.errors import VaultError


class Command(BaseCommand):
    help = "Make a tenant with the built-in roles and purposes; prints its id. Needs VAULT_OWNER_DATABASE_URL."
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--slug", required=True, help="what people type when they sign in: a-z, 0-9, hyphens")
        parser.add_argument("--name", required=True)
        parser.add_argument(
            "--mfa-roles",
            default=",".join(sorted(MFA_ROLES)),
            help="codes of the roles whose holders sign in with a second factor, with commas; empty: none",
        )

    def handle(self, *_: Any, slug: str, name: str, mfa_roles: str, **__: Any) -> None:
        try:
            tenant = create_tenant(slug=slug, name=name, mfa_roles=list(filter(None, mfa_roles.split(","))))
        except VaultError as error:
            raise CommandError("; ".join([str(error), *(problem.detail for problem in error.errors)])) from error
        self.stdout.write(str(tenant.pk))
