"""A merge that waits for a worker moves nothing once its request is closed or its dataset is only read."""

import pytest

from datasets.models import Branch, Verdict
from datasets.services.lifecycle import archive_dataset
from datasets.services.merges import requests
from datasets.services.merges.work import run_merge
from tests.factories.access import acting
from tests.factories.datasets import someone
from tests.factories.merges import parted, reload_merge
from vaultsite.kernel.tenancy.scope import tenant_scope

BASE = [{"id": "a", "n": 0}]


def approved(tenant, dataset, author):
    """An approved request whose merge waits; main has not moved, so it would move forward."""
    reviewer = someone(tenant, "data_steward")
    with tenant_scope(tenant.pk, author):
        asked = requests.open_merge_request(author, dataset_id=dataset.pk, title="n", source="work", target="main")
    with tenant_scope(tenant.pk, reviewer):
        requests.review_request(reviewer, request_id=asked.pk, verdict=Verdict.APPROVE)
    with tenant_scope(tenant.pk, author):
        return asked, requests.merge_request(author, request_id=asked.pk)


@pytest.mark.parametrize("ending", ["closed", "archived"])
def test_what_ended_meanwhile_is_not_merged(tenant, ending):
    author = someone(tenant, "data_steward")
    dataset = parted(tenant, BASE, BASE, [{"id": "a", "n": 1}])
    asked, merge = approved(tenant, dataset, author)
    with tenant_scope(tenant.pk, author):
        if ending == "closed":
            requests.close_request(author, request_id=asked.pk)
        else:
            archive_dataset(author, dataset_id=dataset.pk)
    run_merge(tenant.pk, merge.pk)
    assert reload_merge(tenant, merge).status == "failed"
    with acting(tenant):
        assert Branch.objects.select_related("head").get(dataset=dataset, name="main").head.label == "v1.0.0"
