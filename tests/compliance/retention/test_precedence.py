"""Which of several policies acts, and when: the examples of the decision, and a property over any of them."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from compliance.models import RetentionPolicy
from compliance.retention.evaluate import judged, judgement_of
from datasets.models import Dataset, DatasetUse
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.retention import made_ago

DAY = timedelta(days=1)


def policy(**terms) -> RetentionPolicy:
    """One that is not in force: to judge needs no row."""
    return RetentionPolicy(**({"starts": "created", "legal_basis": "a law", "tenant_id": uuid4()} | terms))


def acts(days: int, action: str = "delete", **terms) -> RetentionPolicy:
    return policy(duration_days=days, action=action, **terms)


def keeps(days: int, **terms) -> RetentionPolicy:
    return policy(minimum_days=days, **terms)


def judge(tenant, dataset, *policies):
    """Action, and days from the dataset's creation until it acts."""
    with acting(tenant):
        row = judged(policies).get(pk=dataset.pk)
        found = judgement_of(row, policies)
    return found.action, (found.acts_at - found.dataset.created_at) / DAY if found.acts_at else None


@pytest.mark.parametrize(
    ("policies", "expected"),
    [
        ((), ("", None)),
        ((keeps(100),), ("", None)),
        ((acts(50), acts(20)), ("delete", 20)),
        ((acts(20), keeps(100)), ("delete", 100)),
        ((acts(20), keeps(100), keeps(300)), ("delete", 300)),
        ((acts(200), keeps(100)), ("delete", 200)),
        ((acts(20, "archive"), keeps(100)), ("archive", 20)),
        ((acts(20, "archive"), acts(10), keeps(100)), ("archive", 20)),
        ((acts(20), acts(20, "crypto_shred")), ("crypto_shred", 20)),
        ((acts(20), acts(20, "archive")), ("delete", 20)),
        ((acts(20, classifications=["pii"]),), ("", None)),
        ((acts(20, classifications=["internal", "pii"]), acts(10, tags=["alpha", "gamma"])), ("", None)),
        ((acts(20, tags=["alpha", "beta"]),), ("delete", 20)),
        ((acts(20, purposes=["evaluation"]),), ("", None)),
        ((acts(20, starts="event", event="closed"),), ("", None)),
        ((keeps(100, tags=["gamma"]), acts(20)), ("delete", 20)),
    ],
)
def test_the_strictest_minimum_and_the_shortest_duration(tenant, policies, expected) -> None:
    dataset = make_dataset(tenant, classification="confidential", tags=("alpha", "beta"))
    assert judge(tenant, dataset, *policies) == expected


def test_an_archived_dataset_is_due_for_what_comes_next(tenant) -> None:
    dataset, policies = make_dataset(tenant), (acts(20, "archive"), acts(70))
    assert judge(tenant, dataset, *policies) == ("archive", 20)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(archived_at=timezone.now())
    assert judge(tenant, dataset, *policies) == ("delete", 70)


def test_days_that_a_dataset_says_of_itself_shorten_what_destroys(tenant) -> None:
    dataset = make_dataset(tenant, retention_days=30)
    assert judge(tenant, dataset, acts(365)) == ("delete", 30)
    assert judge(tenant, dataset, acts(10)) == ("delete", 10)
    assert judge(tenant, dataset, acts(365), keeps(60)) == ("delete", 60)
    assert judge(tenant, dataset, acts(365, "archive")) == ("archive", 365)
    assert judge(tenant, dataset, keeps(60)) == ("", None)


def test_periods_count_from_ingest_and_from_access(tenant) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(3)))
    made_ago(dataset, 100)
    with acting(tenant):
        DatasetUse.objects.create(dataset=dataset, purpose="evaluation", last_read_at=timezone.now() - 40 * DAY)
        Dataset.objects.filter(pk=dataset.pk).update(created_at=timezone.now() - 300 * DAY)
    for starts, days in (("created", 20), ("ingest", 220), ("access", 280)):
        action, after = judge(tenant, dataset, acts(20, starts=starts))
        assert (action, round(after)) == ("delete", days), starts
    assert judge(tenant, dataset, acts(20, purposes=["evaluation", "debugging"]))[0] == "delete"
    assert judge(tenant, dataset, acts(20, purposes=["debugging"])) == ("", None)


_ACTIONS = st.sampled_from(["delete", "crypto_shred", "archive"])
_POLICIES = st.lists(
    st.one_of(
        st.builds(acts, st.integers(1, 400), _ACTIONS),
        st.builds(keeps, st.integers(1, 400)),
        st.builds(lambda days, least: acts(days, minimum_days=least), st.integers(1, 400), st.integers(1, 400)),
    ),
    max_size=6,
)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(policies=_POLICIES)
def test_nothing_is_destroyed_before_any_minimum_and_nothing_later_than_it_must(shared, policies) -> None:
    tenant, dataset = shared
    action, after = judge(tenant, dataset, *policies)
    least = max((one.minimum_days for one in policies if one.minimum_days), default=0)
    dues = [(one.duration_days, one.action) for one in policies if one.action]
    moments = [days if action == "archive" else max(days, least) for days, action in dues]
    assert after == min(moments, default=None)
    assert action in ("", "archive") or after >= least
    assert (action == "") == (not dues)


@pytest.fixture
def shared(tenant):
    return tenant, make_dataset(tenant)
