"""A merge is held to the dataset's schema like an upload: what it puts together, and what people put in by hand."""

import json

import pytest

from datasets.errors.schemas import SchemaViolation
from datasets.models import FindingsBlob, MergeConflict, Resolution
from datasets.services.merges.conflicts import resolve_conflict
from datasets.services.merges.start import continue_merge
from datasets.services.merges.work import run_merge
from datasets.services.schemas import NewSchema, add_schema
from tests.factories.access import acting
from tests.factories.datasets import make_dataset, read_all, someone
from tests.factories.merges import merged, parted, put_on, reload_merge
from vaultsite.kernel.tenancy.scope import tenant_scope

BASE = [{"id": "a", "nick": "blue heron", "n": 0, "m": 0}, {"id": "b", "n": 0, "m": 0}]
#: n and m are given one at a time; what stands in nick is personal, whatever it looks like.
SCHEMA = {
    "type": "object",
    "properties": {"nick": {"type": "string", "x-pii-type": "PERSON"}},
    "not": {"properties": {"n": {"const": 1}, "m": {"const": 1}}, "required": ["n", "m"]},
}


def bound(tenant, dataset, document):
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        add_schema(steward, dataset_id=dataset.pk, new=NewSchema(document))


def resolve(tenant, merge, data):
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        row = MergeConflict.objects.get(merge=merge)
        resolve_conflict(
            steward, merge_id=merge.pk, conflict_id=row.pk, resolution=Resolution.RECORD, data=data, metadata={}
        )


def test_members_that_break_the_schema_together_are_a_conflict(tenant):
    dataset = parted(tenant, BASE, [BASE[0], BASE[1] | {"n": 1}], [BASE[0], BASE[1] | {"m": 1}])
    bound(tenant, dataset, SCHEMA)
    merge = merged(tenant, dataset)
    assert (merge.state, merge.version) == ("conflicted", None)
    with pytest.raises(SchemaViolation):
        resolve(tenant, merge, {"id": "b", "n": 1, "m": 1})
    resolve(tenant, merge, {"id": "b", "n": 1, "m": 0})
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        continue_merge(steward, merge_id=merge.pk)
    run_merge(tenant.pk, merge.pk)
    assert reload_merge(tenant, merge).state == "merged"
    assert {record.id: record.data for record in read_all(tenant, dataset)}["b"] == {"id": "b", "n": 1, "m": 0}


def test_what_the_schema_says_is_personal_is_masked_in_a_merged_record(tenant):
    dataset = parted(tenant, BASE, [BASE[0] | {"n": 1}, BASE[1]], [BASE[0] | {"m": 2}, BASE[1]])
    bound(tenant, dataset, SCHEMA)
    assert merged(tenant, dataset).state == "merged"
    shown = {record.id: record.data for record in read_all(tenant, dataset, "data_scientist")}
    assert (shown["a"]["n"], shown["a"]["m"]) == (1, 2)
    assert "blue heron" not in json.dumps(shown)


def test_what_the_schema_says_is_personal_stays_so_when_other_detectors_look_again(tenant):
    dataset = make_dataset(tenant)
    bound(tenant, dataset, SCHEMA)
    put_on(tenant, dataset, "main", BASE)
    with acting(tenant):
        FindingsBlob.objects.update(detector=b"x" * 33)
    put_on(tenant, dataset, "main", [BASE[0], BASE[1] | {"n": 1}])
    assert "blue heron" not in json.dumps([record.data for record in read_all(tenant, dataset, "data_scientist")])
