"""The app that turns the vault into the governance team's system of record."""

from django.apps import AppConfig

from audit.ports import register_audit_keeper
from datasets.ports import register_consent_source, register_transfer_rule


class ComplianceConfig(AppConfig):
    name = "compliance"
    verbose_name = "Compliance"

    def ready(self) -> None:
        from compliance.retention.clock import is_trusted  # its models load after the app registry
        from compliance.retention.keeping import minimum_of
        from datasets.services.keeping import register_clock_judge, register_keeping_rule

        register_keeping_rule(minimum_of)
        register_clock_judge(is_trusted)
        from access.terms import register_term_source  # as above
        from compliance.retention.store_source import SetTerms

        register_term_source(SetTerms())
        from compliance.retention.audit import why_kept  # its models load after the app registry

        register_audit_keeper(why_kept)
        from compliance.consents.source import RecordedConsents

        register_consent_source(RecordedConsents())
        from compliance.transfers.rule import RegisteredParties

        register_transfer_rule(RegisteredParties())
