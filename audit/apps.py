"""The audit's app configuration: it fills the ports for events and for what was decided."""

from django.apps import AppConfig

from access.ports import register_decision_history
from vaultsite.kernel.alarms import register_alarm_desk
from vaultsite.kernel.events.buffer import register_sink
from vaultsite.kernel.progress import register_listener


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        from audit.alerts.desk import take_alarm
        from audit.services.decisions import AuditedDecisions
        from audit.services.live import publish_progress
        from audit.services.record import record_events  # its models load after the app registry

        register_sink(record_events)
        register_alarm_desk(take_alarm)
        register_decision_history(AuditedDecisions())
        register_listener(publish_progress)
