"""Erased on any side wins in a merge, and is reported; the difference shows it by id alone."""

import json

from datasets.services.diff import open_comparison, shown_changes
from datasets.services.erasure import work
from tests.factories.datasets import read_all, someone
from tests.factories.merges import merged, parted, put_on
from tests.factories.upkeep import erase
from vaultsite.kernel.tenancy.scope import tenant_scope

CANARY = "canary.lovelace@example.com"
BASE = [{"id": name, "text": f"{name} {CANARY}", "n": 0} for name in "abc"]


def test_what_was_erased_stays_away_and_is_named(tenant, monkeypatch):
    monkeypatch.setattr(work, "PLACE_SECONDS", 0.0)
    ours = [BASE[0] | {"n": 1}, *BASE[1:]]
    dataset = parted(tenant, BASE, ours, [*BASE[:2], BASE[2] | {"n": 3}])
    assert erase(tenant, dataset, ["b"]).status == "succeeded"
    again = {"id": "b", "text": "given anew", "n": 5}
    put_on(tenant, dataset, "work", [BASE[0], again, BASE[2] | {"n": 3}])
    merge = merged(tenant, dataset)
    assert (merge.state, merge.error) == ("merged", None)
    assert {record.id: record.data["n"] for record in read_all(tenant, dataset)} == {"a": 1, "c": 3}
    assert (merge.result["erased"], merge.result["erased_ids"]) == (1, ["b"])

    steward = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, steward):
        comparison = open_comparison(steward, dataset_id=dataset.pk, before="v1.0.0", after="work")
    found = {change.id: change for change in shown_changes(comparison)}
    assert (found["b"].kind, found["b"].before, found["b"].after.data) == ("erased", None, again)
    assert CANARY not in json.dumps(found["b"].as_json(is_whole=True))
