"""Rules are compiled once per change."""

from anonymization.services.trust import load_trust
from tests.factories.access import acting


def test_a_tenant_without_rules_costs_one_look(tenant, django_assert_num_queries):
    with acting(tenant):
        with django_assert_num_queries(1):
            trust = load_trust(None)
        assert trust.is_plain
