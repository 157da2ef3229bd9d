"""A table that was made under a weaker view than its asker's of today is not handed out."""

import pytest

from anonymization.services.policies import NewPolicy, activate_version, attach_policy, create_policy
from anonymization.services.trust_rules import NewFieldRule, add_field_rule
from datasets.errors.exports import StricterObligations
from datasets.models import GuaranteedExport
from datasets.services.guaranteed.download import make_address, open_passport
from datasets.services.guaranteed.options import Column, Role
from datasets.services.guaranteed.run import run_guaranteed_export
from tests.factories.access import acting, principal_with
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.guaranteed import (
    COLUMNS,
    declare_rules,
    guaranteed,
    people,
    queue_guaranteed,
    reload_guaranteed,
)

WITH_TEXT = (*COLUMNS, Column("note", Role.TEXT))


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(people(120)))
    declare_rules(tenant, made, insensitive=("note",))
    return made


def hide_notes(tenant, dataset):
    officer = principal_with(tenant, "privacy_officer")
    rule = NewFieldRule(field="/data/note", decision="always", entity_type="", reason="tests", dataset_id=dataset.pk)
    with acting(tenant, officer):
        add_field_rule(officer, new=rule)


def bind_notes(tenant, dataset):
    """A policy that names the member "note" binds every reading of the dataset."""
    officer = principal_with(tenant, "privacy_officer")
    rule = {"fields": ["/data/note"], "strategy": "redact", "whole_field": True}
    document = {"format": 1, "default": {"strategy": "mask"}, "rules": [rule]}
    with acting(tenant, officer):
        policy = create_policy(officer, NewPolicy(name="notes", document=document))
        activate_version(officer, policy_id=policy.pk, number=1)
        attach_policy(officer, policy_id=policy.pk, kind="dataset", target=str(dataset.pk))


def handed_out(tenant, made, role):
    """The asker of the export, in a role of today, asks for its files and its passport."""
    reader = principal_with(tenant, role, id=made.requested_by, purpose="evaluation")
    with acting(tenant, reader):
        return make_address(reader, made.pk).token, open_passport(reader, made.pk)


def test_rules_that_hide_more_since_then_keep_a_table_in(tenant, dataset):
    made = guaranteed(tenant, dataset, role="analyst", columns=WITH_TEXT)
    assert all(handed_out(tenant, made, "analyst"))
    hide_notes(tenant, dataset)
    with pytest.raises(StricterObligations):
        handed_out(tenant, made, "analyst")
    assert all(handed_out(tenant, guaranteed(tenant, dataset, role="analyst", columns=WITH_TEXT), "analyst"))


def test_a_policy_with_fields_keeps_only_what_was_made_without_it_in(tenant, dataset):
    before = guaranteed(tenant, dataset, role="analyst", columns=WITH_TEXT)
    bind_notes(tenant, dataset)
    after = guaranteed(tenant, dataset, role="analyst", columns=WITH_TEXT)
    assert all(handed_out(tenant, after, "analyst"))
    with pytest.raises(StricterObligations):
        handed_out(tenant, before, "analyst")


def test_a_table_of_a_reader_of_raw_data_is_not_for_who_reads_masked_now(tenant, dataset):
    made = guaranteed(tenant, dataset, columns=WITH_TEXT)
    assert all(handed_out(tenant, made, "data_steward"))
    for role in ("data_scientist", "analyst"):
        with pytest.raises(StricterObligations):
            handed_out(tenant, made, role)


def test_a_table_that_does_not_say_its_view_is_for_readers_of_raw_data(tenant, dataset):
    made = guaranteed(tenant, dataset, role="analyst")
    with acting(tenant):
        GuaranteedExport.objects.update(view_hash=None)
    with pytest.raises(StricterObligations):
        handed_out(tenant, made, "analyst")
    assert all(handed_out(tenant, made, "data_steward"))


def test_no_table_mixes_two_views(tenant, dataset, monkeypatch):
    """The rules change between two turns of its worker."""
    monkeypatch.setattr("datasets.services.guaranteed.work.BATCH_RECORDS", 50)
    monkeypatch.setattr("datasets.services.guaranteed.work.TURN_SECONDS", 0.0)
    queued = queue_guaranteed(tenant, dataset, role="analyst", columns=WITH_TEXT)
    run_guaranteed_export(tenant.pk, queued.pk)
    assert reload_guaranteed(tenant, queued).status == "queued"
    hide_notes(tenant, dataset)
    run_guaranteed_export(tenant.pk, queued.pk)
    ended = reload_guaranteed(tenant, queued)
    assert (ended.status, ended.error_code) == ("failed", "VAULT_DATA_4427")
