"""Attachments that were written before ids of datasets had one form."""

from importlib import import_module
from types import SimpleNamespace

from django.apps import apps
from django.db import connections

from anonymization.models import PolicyAttachment
from tests.anonymization.policies.test_policies import RECORD, document, made, read
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload

migration = import_module("anonymization.migrations.0007_canonical_targets")


def test_policies_attached_under_another_form_of_the_id_bind(tenant):
    dataset, twice = make_dataset(tenant), make_dataset(tenant)
    upload(tenant, dataset, jsonl([RECORD]))
    policy = made(tenant, document(default="redact"))
    forms = [
        (dataset.pk.hex.upper(), True),
        (f"{{{twice.pk}}}", True),
        (str(twice.pk), False),
        ("no id", False),
    ]
    with acting(tenant):
        for target, binds in forms:
            row = PolicyAttachment(
                policy=policy, kind="dataset", target=target, binds_raw_readers=binds, created_by=policy.created_by
            )
            row.save(force_insert=True)
    assert read(tenant, dataset, "data_steward")[0].is_raw
    for _ in range(2):
        migration.name_canonically(apps, SimpleNamespace(connection=connections["owner"]))
        with acting(tenant):
            kept = set(PolicyAttachment.objects.values_list("target", "binds_raw_readers"))
        assert kept == {(str(dataset.pk), True), (str(twice.pk), True), ("no id", False)}
    assert not read(tenant, dataset, "data_steward")[0].is_raw
