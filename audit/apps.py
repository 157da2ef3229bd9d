"""The audit's app configuration: it fills the kernel's port for events."""

from django.apps import AppConfig

from vaultsite.kernel.events.buffer import register_sink


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from audit.services.record import record_events  # its models load after the app registry

        register_sink(record_events)
