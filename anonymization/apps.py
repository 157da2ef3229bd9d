"""The anonymization app: what is personal in a value, and what a reader is shown instead."""

from django.apps import AppConfig

from anonymization.detectors.light import install_light_presidio


class AnonymizationConfig(AppConfig):
    name = "anonymization"
    verbose_name = "Anonymization"

    def ready(self) -> None:
        from access.ports import register_obligation_source
        from anonymization.services.policy_source import AttachedPolicies

        install_light_presidio()
        register_obligation_source(AttachedPolicies())
