"""The app that turns the vault into the governance team's system of record."""

from django.apps import AppConfig

from datasets.ports import register_consent_source


class ComplianceConfig(AppConfig):
    name = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        from compliance.consents.source import RecordedConsents

        register_consent_source(RecordedConsents())
