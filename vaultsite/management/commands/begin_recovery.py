"""Say that the vault was brought back from a backup, and look at once for what is missing since."""

from argparse import ArgumentParser
from typing import Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand

from access.models import Tenant
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

REASONS: Final = ("database-restored", "storage-restored", "failover", "drill")


class Command(BaseCommand):
    help = (
        "Run it after the database or the object store was restored, before people are let in again: records "
        "data.recovery.initiated for every organization and verifies every audit log against its witnesses. Exits "
        "with 1 when a log does not agree with what was witnessed, as it does when newer events were lost."
    )
    requires_system_checks = ()

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--reason", choices=REASONS, required=True, help="what is done")
        parser.add_argument("--organization", help="slug; all when absent")

    def handle(self, *_: Any, reason: str, organization: str | None, **__: Any) -> None:
        every = Tenant.objects.using("system").order_by("pk")
        tenants = (every.filter(slug=organization) if organization else every).values_list("pk", flat=True)
        for tenant_id in tenants:
            with tenant_scope(tenant_id, Principal.system(tenant_id)):
                emit(
                    Event(
                        EventType.RECOVERY_INITIATED,
                        "update",
                        ResourceRef("vault", "recovery"),
                        severity="critical",
                        metadata={"reason": reason},
                    )
                )
        self.stdout.write(f"recorded for {len(tenants)} organizations; verifying their logs")
        call_command("verify_audit", organization=organization, stdout=self.stdout, stderr=self.stderr)
