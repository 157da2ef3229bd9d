"""The anonymization app: what is personal in a value, and what a reader is shown instead."""

from types import ModuleType

from django.apps import AppConfig

from anonymization.detectors.light import install_light_presidio


class AnonymizationConfig(AppConfig):
    name = "anonymization"
    verbose_name = "Anonymization"

    def __init__(self, app_name: str, app_module: ModuleType | None) -> None:
        super().__init__(app_name, app_module)
        install_light_presidio()  # now: other apps' ready() already import recognizers

    def ready(self) -> None:
        from access.ports import register_obligation_source
        from anonymization.services.policy_source import AttachedPolicies

        register_obligation_source(AttachedPolicies())
