"""Nobody reviews their own work, nor what a program of theirs did."""

import pytest
from django.utils import timezone

from access.models import ApiKey
from access.selectors import api_key_principal, user_principal
from datasets.errors.merges import OwnWork
from datasets.models import Verdict
from datasets.services.merges import requests
from tests.factories.access import acting, make_api_key, make_user
from tests.factories.merges import parted
from vaultsite.kernel.tenancy.scope import tenant_scope

BASE = [{"id": "a", "n": 0}]


@pytest.mark.parametrize("first", ["person", "program"])
def test_one_person_and_their_key_are_no_two_people(tenant, first):
    user, (key, _) = make_user(tenant, "data_steward"), make_api_key(tenant, "data_steward")
    ApiKey.objects.using("owner").filter(pk=key.pk).update(created_by=user.pk)
    with acting(tenant):
        hands = {
            "person": user_principal(user, mfa=True, authenticated_at=timezone.now()),
            "program": api_key_principal(ApiKey.objects.select_related("service_account").get(pk=key.pk)),
        }
    dataset = parted(tenant, BASE, BASE, [{"id": "a", "n": 1}])
    author = hands.pop(first)
    (reviewer,) = hands.values()
    with tenant_scope(tenant.pk, author):
        asked = requests.open_merge_request(author, dataset_id=dataset.pk, title="n", source="work", target="main")
    with tenant_scope(tenant.pk, reviewer), pytest.raises(OwnWork):
        requests.review_request(reviewer, request_id=asked.pk, verdict=Verdict.APPROVE)
