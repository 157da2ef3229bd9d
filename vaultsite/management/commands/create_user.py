"""Make a user."""

import secrets
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from access.services.tenants import operator, tenant_by_slug
from access.services.users import create_user
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.tenancy.scope import tenant_scope


class Command(BaseCommand):
    help = (
        "Make a user. Reads the password from standard input with --password-stdin; else makes one that must be "
        "changed at the first sign-in, and prints it and nothing else."
    )
    requires_system_checks = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--tenant", required=True, help="slug")
        parser.add_argument("--username", required=True)
        parser.add_argument("--role", action="append", required=True, dest="roles", help="code; may be repeated")
        parser.add_argument("--full-name", default="")
        parser.add_argument("--email", default="")
        parser.add_argument("--password-stdin", action="store_true")

    def handle(self, *_: Any, tenant: str, password_stdin: bool, **user: Any) -> None:
        password = sys.stdin.readline().rstrip("\n") if password_stdin else secrets.token_urlsafe(18)
        fields = {name: user[name] for name in ("username", "roles", "full_name", "email")}
        try:
            found = tenant_by_slug(tenant)
            principal = operator(found.pk)
            with tenant_scope(found.pk, principal):
                create_user(principal, password=password, must_change_password=not password_stdin, **fields)
        except VaultError as error:
            raise CommandError("; ".join([str(error), *(problem.detail for problem in error.errors)])) from error
        if not password_stdin:
            self.stdout.write(password)
