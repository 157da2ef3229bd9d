"""Restrictions imposed and lifted at the same time: decisions carry every one that is in force after."""

import threading
from uuid import uuid4

import pytest
from django.db import connections

from access.services.policies_in_force import policies_in_force
from datasets.services.restrictions import lift_restrictions, restrict_processing
from tests.compliance.holds.test_races import wait_until_stuck
from tests.factories.access import acting


def impose(case, purpose):
    return restrict_processing(case=case, purposes=[purpose], keys=[b"k" * 32], records={}, by=uuid4())


@pytest.mark.parametrize("other", ["imposed", "lifted"])
def test_a_restriction_stands_whatever_changes_another_at_the_same_instant(tenant, other) -> None:
    first, second = uuid4(), uuid4()
    if other == "lifted":
        with acting(tenant):
            impose(second, "marketing")

    def change():
        try:
            with acting(tenant):
                impose(second, "marketing") if other == "imposed" else lift_restrictions(second, by=uuid4())
        finally:
            connections.close_all()

    thread = threading.Thread(target=change)
    with acting(tenant):
        impose(first, "training")
        thread.start()
        wait_until_stuck(1)
    thread.join(timeout=60)
    assert not thread.is_alive()
    with acting(tenant):
        expected = {"training", "marketing"} if other == "imposed" else {"training"}
        assert policies_in_force().restricted_purposes == expected
