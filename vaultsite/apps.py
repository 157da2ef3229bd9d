"""The roof's app configurations: checks, the connection guard, and the admin site."""

from importlib import import_module

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig
from django.core.checks import register
from django.db.backends.signals import connection_created

from vaultsite.kernel.tenancy.checks import check_tenant_models
from vaultsite.kernel.tenancy.scope import guard_connection


class RoofConfig(AppConfig):
    name = "vaultsite"
    verbose_name = "LLM Data Vault"

    def ready(self) -> None:
        import_module("vaultsite.celery")  # defines tasks on models, so not before all of them are loaded
        register(check_tenant_models)
        connection_created.connect(guard_connection, dispatch_uid="vault-guard")


class VaultAdminConfig(AdminConfig):
    default_site = "vaultsite.admin.VaultAdminSite"
