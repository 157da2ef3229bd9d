"""The app that turns the vault into the governance team's system of record."""

from django.apps import AppConfig


class ComplianceConfig(AppConfig):
    name = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        from compliance.retention.keeping import minimum_of  # its models load after the app registry
        from datasets.services.keeping import register_keeping_rule

        register_keeping_rule(minimum_of)
