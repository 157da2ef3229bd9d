"""The anonymization app: what is personal in a value, and what a reader is shown instead."""

from django.apps import AppConfig


class AnonymizationConfig(AppConfig):
    name = "anonymization"
    verbose_name = "Anonymization"
