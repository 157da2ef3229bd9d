"""Make the database roles of the vault on a real PostgreSQL server, and its database."""

import os
import secrets
from argparse import ArgumentParser
from pathlib import Path
from typing import Any
from urllib.parse import quote

import psycopg
from django.core.management.base import BaseCommand, CommandError
from psycopg.conninfo import conninfo_to_dict

from vaultsite.runtime.errors import StartError
from vaultsite.runtime.roles import APP, OWNER, ROLES, SYSTEM, create_roles


class Command(BaseCommand):
    help = (
        "Make or correct the roles vault_owner, vault_app and vault_system and their database on the server of "
        "VAULT_ADMIN_DATABASE_URL (or VAULT_ADMIN_DATABASE_URL_FILE), and print the three URLs. Passwords are taken "
        "from VAULT_OWNER_PASSWORD, VAULT_APP_PASSWORD and VAULT_SYSTEM_PASSWORD (or .._FILE), or generated."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--database", default="vault", help="name of the database (default: vault)")

    def handle(self, *_args: Any, **options: Any) -> None:
        admin_url = _secret("VAULT_ADMIN_DATABASE_URL")
        if not admin_url:
            raise CommandError(
                "VAULT_ADMIN_DATABASE_URL names a role that may create roles and databases; it is not set"
            )
        passwords = {role: _secret(f"{role.upper()}_PASSWORD") or secrets.token_urlsafe(32) for role in ROLES}
        try:
            create_roles(admin_url, database=options["database"], passwords=passwords)
        except (StartError, psycopg.Error) as error:
            raise CommandError(str(error)) from error
        variables = {"VAULT_DATABASE_URL": APP, "VAULT_SYSTEM_DATABASE_URL": SYSTEM, "VAULT_OWNER_DATABASE_URL": OWNER}
        for variable, role in variables.items():
            self.stdout.write(f"{variable}={_url(admin_url, role, passwords[role], options['database'])}")


def _secret(variable: str) -> str:
    """The value of ``variable``, or of the file that ``variable``_FILE names; empty when neither is set."""
    path = os.environ.get(f"{variable}_FILE")
    return Path(path).read_text(encoding="utf-8").strip() if path else os.environ.get(variable, "")


def _url(admin_url: str, role: str, password: str, database: str) -> str:
    """The URL of ``role`` on the server that ``admin_url`` names."""
    server = conninfo_to_dict(admin_url)
    host, port = str(server.get("host") or "localhost"), str(server.get("port") or 5432)
    credentials = f"{role}:{quote(password, safe='')}"
    if host.startswith("/"):
        return f"postgres://{credentials}@/{database}?host={quote(host)}"
    return f"postgres://{credentials}@{host}:{port}/{database}"
