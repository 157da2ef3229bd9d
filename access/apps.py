"""The access app."""

from django.apps import AppConfig
from django.db.models.signals import post_migrate


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from access.auth.resolver import RequestPrincipalResolver
        from access.services.tenants import renew_builtin_roles
        from vaultsite.kernel.tenancy.ports import register_resolver

        register_resolver(RequestPrincipalResolver())
        post_migrate.connect(renew_builtin_roles, sender=self)
