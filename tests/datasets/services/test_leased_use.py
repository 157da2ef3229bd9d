"""Leases where they are used: quarantine suspends them, statistics spend their epsilon, exports end with them."""

import pytest

from access.errors import AccessDenied
from access.leases.errors import LeaseEnded, QuotaExhausted
from access.services.leases import revoke_lease
from datasets.errors import UnmetObligation
from datasets.services.exports.options import ExportOptions
from datasets.services.exports.request import create_export
from datasets.services.exports.work import decided
from datasets.services.read import release_under
from datasets.services.statistics.ask import open_statistics
from datasets.services.statistics.request import parse_request
from datasets.services.version_quarantine import quarantine_version, release_version
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, rows_of, someone, upload
from tests.factories.guaranteed import declare_rules
from tests.factories.leases import epsilon, fresh, lease_for, open_as, person


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl({**row, "user": f"u{index}"} for index, row in enumerate(rows_of(20))))
    upload(tenant, dataset, jsonl({**row, "user": f"v{index}"} for index, row in enumerate(rows_of(5, seed=9))))
    return dataset


def test_a_quarantine_suspends_the_leases_of_the_dataset_until_its_last_release(tenant, filled):
    viewer, steward, other = person(tenant, "viewer"), someone(tenant, "data_steward"), someone(tenant, "data_steward")
    lease = lease_for(tenant, filled, viewer)
    for version in ("1", "2"):
        with acting(tenant, steward):
            quarantine_version(steward, dataset_id=filled.pk, version=version, reason="uploaded by mistake")
    assert fresh(tenant, lease).state == "suspended"
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, viewer)
    for version, state in (("1", "suspended"), ("2", "active")):
        with acting(tenant, other):
            release_version(other, dataset_id=filled.pk, version=version, reason="looked at it")
        assert fresh(tenant, lease).state == state
    assert open_as(tenant, filled, viewer).is_raw


def test_statistics_spend_the_epsilon_of_the_lease_they_rest_on_and_no_more(tenant, filled):
    viewer = person(tenant, "viewer")
    declare_rules(tenant, filled, subject="user", sensitive=())
    lease = lease_for(tenant, filled, viewer, level="statistics", epsilon=epsilon("0.5"))

    def spend(amount, name):
        request = parse_request(subject="user", queries=[{"type": "count", "epsilon": amount, "name": name}])
        with acting(tenant, viewer):
            open_statistics(viewer, dataset_id=filled.pk, version="main", request=request)

    spend("0.4", "first")
    assert fresh(tenant, lease).epsilon_used == epsilon("0.4")
    with pytest.raises((UnmetObligation, QuotaExhausted)):
        spend("0.2", "second")
    spend("0.1", "third")
    assert fresh(tenant, lease).epsilon_used == epsilon("0.5")


def test_an_export_under_a_lease_with_a_quota_is_refused_and_under_another_ends_with_it(tenant, filled):
    scientist = person(tenant, "data_scientist")
    counted = lease_for(tenant, filled, scientist, row_quota=5)
    with pytest.raises(UnmetObligation), acting(tenant, scientist):
        create_export(scientist, dataset_id=filled.pk, version="main", options=ExportOptions())
    with acting(tenant, scientist):
        revoke_lease(scientist, lease_id=counted.pk, reason="another one")
    lease = lease_for(tenant, filled, scientist)
    with acting(tenant, scientist):
        export = create_export(scientist, dataset_id=filled.pk, version="main", options=ExportOptions())
        assert f"lease:{lease.pk}" in export.policies
    with acting(tenant, scientist):
        revoke_lease(scientist, lease_id=lease.pk, reason="over")
    with pytest.raises(LeaseEnded), acting(tenant):
        release_under(decided(export), export.dataset, export.version)
