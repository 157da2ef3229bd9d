"""What was exported under a weaker view than today's is not handed out."""

import pytest

from anonymization.services.trust_rules import (
    NewFieldRule,
    NewListEntry,
    add_field_rule,
    add_list_entry,
)
from datasets.errors.exports import StricterObligations
from datasets.models import Export
from datasets.services.exports.download import make_address
from datasets.services.exports.run import run_export
from datasets.services.schemas import NewSchema, add_schema
from tests.factories.access import acting, principal_with
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.exports import export, queue_export

ROWS = [{"id": f"r{number}", "note": "the zebrafish plan", "mail": "info@acme.example"} for number in range(3)]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    return made


def deny(tenant, dataset):
    add_list_entry(tenant, new=NewListEntry("deny", "value", "tests", value="zebrafish", dataset_id=dataset.pk))


def always(officer, dataset):
    rule = NewFieldRule(field="/data/note", decision="always", entity_type="", reason="tests", dataset_id=dataset.pk)
    add_field_rule(officer, new=rule)


def declare(steward, dataset):
    note = {"type": "string", "x-pii-type": "PERSON", "x-pii-strategy": "redact"}
    add_schema(steward, dataset_id=dataset.pk, new=NewSchema({"type": "object", "properties": {"note": note}}))


CHANGES = {
    "deny-list": (deny, "privacy_officer"),
    "field rule": (always, "privacy_officer"),
    "schema": (declare, "data_steward"),
}


def asker(tenant, made):
    return principal_with(tenant, "data_scientist", id=made.requested_by, purpose="evaluation")


def address(tenant, made):
    reader = asker(tenant, made)
    with acting(tenant, reader):
        return make_address(reader, made.pk)


@pytest.mark.parametrize("change", CHANGES)
def test_an_export_under_a_weaker_view_than_todays_is_refused(tenant, dataset, change):
    made = export(tenant, dataset, role="data_scientist")
    assert address(tenant, made).token
    weaken, role = CHANGES[change]
    who = principal_with(tenant, role)
    with acting(tenant, who):
        weaken(who, dataset)
    with pytest.raises(StricterObligations):
        address(tenant, made)
    assert address(tenant, export(tenant, dataset, role="data_scientist")).token


def test_rules_of_another_dataset_change_nothing(tenant, dataset):
    made, other = export(tenant, dataset, role="data_scientist"), make_dataset(tenant)
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        deny(officer, other)
    assert address(tenant, made).token


def test_an_export_that_does_not_say_what_it_shows_is_for_readers_of_raw_data(tenant, dataset):
    """As those that were made before it was kept."""
    made, raw = export(tenant, dataset, role="data_scientist"), export(tenant, dataset)
    with acting(tenant):
        Export.objects.update(view_hash=None)
    with pytest.raises(StricterObligations):
        address(tenant, made)
    steward = principal_with(tenant, "data_steward", id=raw.requested_by, purpose="evaluation")
    with acting(tenant, steward):
        assert make_address(steward, raw.pk).token


def test_no_export_mixes_two_views(tenant, dataset, monkeypatch):
    monkeypatch.setattr("datasets.services.exports.work.TURN_SECONDS", 0.0)
    monkeypatch.setattr("datasets.services.exports.work.PART_RECORDS", 1)
    queued = queue_export(tenant, dataset, role="data_scientist")
    run_export(tenant.pk, queued.pk)
    officer = principal_with(tenant, "privacy_officer")
    with acting(tenant, officer):
        deny(officer, dataset)
    run_export(tenant.pk, queued.pk)
    with acting(tenant):
        queued.refresh_from_db()
    assert (queued.status, queued.error_code) == ("failed", "VAULT_DATA_4427")
