"""The audit as documentation: what law asks to be kept for six years is not dropped sooner by a setting."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from compliance.retention.fixed import fixed_periods
from tests.factories.access import acting
from vaultsite.config import VaultConfig, load


def configured(**audit: str) -> VaultConfig:
    return load({"VAULT_CONFIG": "none.toml"} | {f"VAULT_AUDIT_{name}": value for name, value in audit.items()})


@pytest.mark.parametrize("months", ["1", "12", "71"])
def test_less_than_six_years_are_refused_under_hipaa(months) -> None:
    assert configured(RETENTION_MONTHS=months).audit_retention_months == int(months)
    with pytest.raises(ImproperlyConfigured, match="at least 72"):
        configured(RETENTION_MONTHS=months, DOCUMENTATION="hipaa")


@pytest.mark.parametrize("months", ["0", "72", "120"])
def test_six_years_and_for_ever_are_not(months) -> None:
    assert configured(RETENTION_MONTHS=months, DOCUMENTATION="hipaa").audit_retention_months == int(months)


def test_a_rule_nobody_knows_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="VAULT_AUDIT_DOCUMENTATION"):
        configured(DOCUMENTATION="hippa")


def test_the_calendar_says_how_long_the_audit_is_kept(tenant, settings) -> None:
    for months, rule, said in ((0, "", "for ever"), (84, "hipaa", "84 months, as documentation for HIPAA")):
        settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": months, "AUDIT_DOCUMENTATION": rule}
        with acting(tenant):
            kept = {one.title: one.kept for one in fixed_periods()}
        assert kept["Events of the audit"] == said
