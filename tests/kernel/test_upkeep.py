import logging
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.models import Draft
from datasets.services.drafts import expire
from datasets.services.drafts.expire import expire_drafts
from tests.factories.access import acting
from tests.factories.datasets import make_dataset
from tests.factories.drafts import make_draft
from vaultsite.kernel.errors import StorageUnavailable
from vaultsite.kernel.upkeep import add_up, first_of_each


def drafted(tenant, *, days_ago):
    """The id of a draft that should have gone so many days ago."""
    draft = make_draft(tenant, make_dataset(tenant))
    with acting(tenant):
        Draft.objects.filter(pk=draft.pk).update(expires_at=timezone.now() - timedelta(days=days_ago))
    return draft.pk


def test_it_adds_up_what_each_row_gives():
    assert add_up(lambda first, second: first * second, [(1, 2), (3, 4)]) == 14
    assert add_up(lambda _: 1, []) == 0


def test_the_failure_of_one_is_told_after_the_others_are_done(caplog):
    done = []

    def work(number):
        if number % 2:
            raise ValueError(f"cannot do {number}")
        done.append(number)
        return 1

    with caplog.at_level(logging.ERROR, "vault.upkeep"), pytest.raises(ValueError, match="cannot do 1"):
        add_up(work, [(0,), (1,), (2,), (3,), (4,)])
    assert done == [0, 2, 4]
    assert [record.getMessage() for record in caplog.records] == ["upkeep of 1 failed", "upkeep of 3 failed"]


def test_of_each_tenant_come_the_first_however_many_another_has(tenant, rival):
    many = [drafted(tenant, days_ago=day) for day in (9, 8, 7, 6)]
    few = [drafted(rival, days_ago=day) for day in (3, 2)]
    rows = Draft.objects.using("system").filter(pk__in=[*many, *few])
    found = first_of_each(rows, by="expires_at", limit=2)
    assert found == [(tenant.pk, many[0]), (tenant.pk, many[1]), (rival.pk, few[0]), (rival.pk, few[1])]


def test_drafts_that_cannot_be_removed_leave_others_their_place(tenant, rival, monkeypatch):
    stuck, other = drafted(tenant, days_ago=3000), drafted(rival, days_ago=2900)
    monkeypatch.setattr("datasets.services.drafts.expire._BATCH", 1)
    remove = expire.remove_draft

    def fail(draft):
        if draft.pk == stuck:
            raise StorageUnavailable
        remove(draft)

    monkeypatch.setattr(expire, "remove_draft", fail)
    with pytest.raises(StorageUnavailable):
        expire_drafts()
    assert list(Draft.objects.using("system").filter(pk__in=[stuck, other]).values_list("pk", flat=True)) == [stuck]
