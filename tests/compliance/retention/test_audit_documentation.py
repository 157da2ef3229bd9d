"""The audit as documentation: what law asks to be kept for six years is not dropped sooner by a setting."""

from datetime import UTC, datetime

import pytest
from django.core.exceptions import ImproperlyConfigured

from audit.models import AuditEvent
from compliance.retention.fixed import fixed_periods
from compliance.retention.preview import first_of_month
from tests.factories.access import acting
from tests.factories.datasets import make_dataset
from vaultsite.config import VaultConfig, load

_SAID = (
    (0, "", "for ever, 3 months of it online"),
    (3, "", "3 months"),
    (84, "hipaa", "84 months, 3 months of it online, as documentation for HIPAA"),
)


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


def test_six_years_are_what_hipaa_means_where_nothing_is_set() -> None:
    assert configured().audit_retention_months == 12
    assert configured(DOCUMENTATION="hipaa").audit_retention_months == 72


def test_a_rule_nobody_knows_is_refused() -> None:
    with pytest.raises(ImproperlyConfigured, match="VAULT_AUDIT_DOCUMENTATION"):
        configured(DOCUMENTATION="hippa")


def test_the_calendar_says_how_long_the_audit_is_kept(tenant, settings) -> None:
    make_dataset(tenant)
    for months, rule, said in _SAID:
        settings.VAULT = settings.VAULT | {"AUDIT_RETENTION_MONTHS": months, "AUDIT_DOCUMENTATION": rule}
        with acting(tenant):
            audit = next(one for one in fixed_periods() if one.title == "Events of the audit")
            began = AuditEvent.objects.order_by("time").first().time
        assert (audit.kept, audit.next) == (said, first_of_month(began, later=months + 1) if months else None)


@pytest.mark.parametrize(
    ("later", "expected"), [(0, (2026, 11)), (1, (2026, 12)), (2, (2027, 1)), (14, (2028, 1)), (73, (2032, 12))]
)
def test_months_are_counted_over_years(later, expected) -> None:
    month = first_of_month(datetime(2026, 11, 23, 2, 17, tzinfo=UTC), later=later)
    assert month == datetime(*expected, 1, tzinfo=UTC)
