"""A patch of a record that is erased while the patch is worked out does not bring it back."""

import orjson

from datasets.services.drafts import patch
from datasets.services.erasure import work
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload
from tests.factories.upkeep import erase
from vaultsite.kernel.tenancy.scope import tenant_scope

CANARY = "canary.lovelace@example.com"


def test_a_record_erased_after_it_was_read_for_a_patch_stays_erased(tenant, monkeypatch):
    monkeypatch.setattr(work, "PLACE_SECONDS", 0.0)
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "text": CANARY, "n": 0}, {"id": "b", "n": 0}]))
    prepare, prepared = patch._prepare, []

    def erase_afterwards(*args):
        prepared.append(prepare(*args))
        if len(prepared) == 1:
            assert erase(tenant, dataset, ["a"]).status == "succeeded"
        return prepared[-1]

    monkeypatch.setattr(patch, "_prepare", erase_afterwards)
    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        begun = patch.begin_patch(steward, dataset_id=dataset.pk)
    records = [{"id": "a", "data": {"n": 1}}, {"id": "b", "data": {"n": 1}}]
    body = orjson.dumps({"mode": "merge", "on_error": "reject", "records": records})
    outcome = patch.apply_patch(steward, begun, body)
    assert [result["status"] for result in outcome.results] == ["failed", "updated"]
    assert {record.id: record.data["n"] for record in read_all(tenant, dataset)} == {"b": 1}
