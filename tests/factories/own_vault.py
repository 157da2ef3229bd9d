"""A database and a store of its own: a backup takes everything, and other tests have left much."""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from django.conf import settings
from django.db import connections
from django.test import override_settings

from access.models import Tenant
from tests.factories.backup import SERVED
from vaultsite.backup.database import libpq_environment, load, owner_parameters
from vaultsite.kernel.tenancy.principal import PLATFORM_TENANT_ID
from vaultsite.runtime.binaries import client_program
from vaultsite.runtime.home import Home
from vaultsite.runtime.postgres import admin_url, database_url
from vaultsite.runtime.roles import OWNER, create_database

DATABASE = "vault_backup"
#: Tables whose rows migrations make.
KEPT = ("auth_permission", "django_content_type", "django_migrations")


@contextmanager
def own_vault(home: Home, store: Path) -> Iterator[None]:
    """Serve from an empty vault on the servers of ``home``, with objects in the folder ``store``; gone at the end."""
    platform = Tenant.objects.using("owner").get(pk=PLATFORM_TENANT_ID)
    drop_database(home)
    create_database(admin_url(home), DATABASE)
    load(database_url(home, OWNER, DATABASE), [empty_vault()])
    name = connections["owner"].settings_dict["NAME"]
    before = {variable: os.environ[variable] for variable in SERVED}
    serve(DATABASE)
    os.environ |= {variable: database_url(home, role, DATABASE) for variable, role in SERVED.items()}
    platform.save(using="owner", force_insert=True)
    stored = {"vault": settings.STORAGES["vault"] | {"OPTIONS": {"location": str(store)}}}
    try:
        with override_settings(STORAGES=settings.STORAGES | stored):
            yield
    finally:
        serve(name)
        os.environ |= before
        drop_database(home)


def empty_vault() -> bytes:
    """A dump of the tables, and of the rows that migrations made in those without a tenant."""
    with connections["owner"].cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        left = {name for (name,) in cursor.fetchall()} - set(KEPT)
    command = [client_program("pg_dump"), "--format=custom", "--enable-row-security", "--no-comments"]
    command += [f"--exclude-table-data={pattern}" for pattern in sorted(left)]
    return subprocess.run(command, env=libpq_environment(owner_parameters()), check=True, capture_output=True).stdout


def serve(name: str) -> None:
    """Let every connection from now on, in whichever thread, be to this database."""
    for alias in connections:
        connections[alias].close()
        if connections[alias].settings_dict["OPTIONS"].get("pool"):
            connections[alias].close_pool()
        connections[alias].settings_dict["NAME"] = name


def drop_database(home: Home) -> None:
    with psycopg.connect(admin_url(home), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE IF EXISTS {DATABASE} WITH (FORCE)")
