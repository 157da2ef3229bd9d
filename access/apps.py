"""The access app."""

from django.apps import AppConfig


class AccessConfig(AppConfig):
    name = "access"
    verbose_name = "Access"

    def ready(self) -> None:
        from access.auth.resolver import RequestPrincipalResolver
        from vaultsite.kernel.tenancy.ports import register_resolver

        register_resolver(RequestPrincipalResolver())
