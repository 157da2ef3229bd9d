"""Access reviews: what nobody keeps ends at the deadline, by the database's clock."""

from dataclasses import replace
from datetime import timedelta

import pytest
from django.utils import timezone

from access.errors import AccessDenied, SamePerson
from access.leases.errors import (
    AlreadyDecided,
    NotReviewer,
    PersonRequired,
    ReviewClosed,
    ReviewNotFound,
    ReviewUnfinished,
)
from access.models import GrantKind, RoleBinding, User, Verdict
from access.selectors import api_key_principal
from access.services.review_report import report_of
from access.services.reviews import (
    Campaign,
    close_due_reviews,
    close_review,
    count_verdicts,
    decide_item,
    list_items,
    start_review,
)
from datasets.services.permissions import grant_permission
from tests.factories.access import acting, age, make_api_key
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import fresh, lease_for, open_as, person
from vaultsite.kernel.errors import InvalidInput

WEEK = timedelta(days=7)


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(3)))
    return dataset


@pytest.fixture
def officer(tenant):
    return person(tenant, "security_officer")


@pytest.fixture
def reviewers(tenant):
    return [person(tenant, "data_steward"), person(tenant, "privacy_officer")]


def start(tenant, officer, reviewers, *kinds, **changed):
    facts = {
        "name": "Spring review",
        "kinds": kinds,
        "reviewers": [one.id for one in reviewers],
        "deadline": timezone.now() + WEEK,
    }
    with acting(tenant, officer):
        return start_review(officer, Campaign(**(facts | changed)))


def items_of(tenant, review):
    with acting(tenant):
        return {item.holder: item for item in list_items(review, limit=1000)}


def decide(tenant, review, item, by, verdict):
    with acting(tenant, by):
        return decide_item(by, review_id=review.pk, item_id=item.pk, verdict=verdict, reason="looked at it")


def test_a_kept_lease_goes_on_to_its_own_end_and_a_revoked_one_ends_at_once(tenant, filled, officer, reviewers, events):
    kept, revoked = person(tenant, "viewer"), person(tenant, "viewer")
    leases = {who.id: lease_for(tenant, filled, who, seconds=30 * 86_400) for who in (kept, revoked)}
    review = start(tenant, officer, reviewers, GrantKind.LEASE)
    assert fresh(tenant, leases[kept.id]).expires_at == review.deadline
    items = items_of(tenant, review)
    assert decide(tenant, review, items[kept.id], reviewers[0], Verdict.KEEP).verdict == Verdict.KEEP
    assert decide(tenant, review, items[revoked.id], reviewers[1], Verdict.REVOKE).verdict == Verdict.REVOKE
    assert fresh(tenant, leases[kept.id]).expires_at == leases[kept.id].expires_at
    assert open_as(tenant, filled, kept).is_raw
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, revoked)
    assert {"access.review.started", "access.review.decided"} <= {str(one.event.type) for one in events}


def test_what_nobody_decides_on_ends_with_the_deadline_whether_or_not_a_task_runs(
    tenant, filled, officer, reviewers, events
):
    viewer = person(tenant, "viewer")
    with acting(tenant, reviewers[0]):
        row = grant_permission(reviewers[0], dataset_id=filled.pk, user_id=viewer.id, level="read_raw")
    review = start(tenant, officer, reviewers, GrantKind.PERMISSION, datasets=[filled.pk])
    assert open_as(tenant, filled, viewer).is_raw
    age(row, expires_at=timedelta(seconds=1))
    age(review, deadline=timedelta(seconds=1))
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, viewer)
    with pytest.raises(ReviewClosed):
        decide(tenant, review, items_of(tenant, review)[viewer.id], reviewers[0], Verdict.KEEP)
    assert close_due_reviews() >= 1
    with acting(tenant):
        assert not type(row).objects.filter(pk=row.pk).exists()
        counts = count_verdicts([review.pk])[review.pk]
    assert counts["lapsed"] == 1
    mine = [one.event for one in events if one.tenant_id == tenant.pk]
    closed = [event for event in mine if str(event.type) == "access.review.closed"]
    assert [event.metadata["lapsed"] for event in closed] == [1]


def test_roles_are_kept_and_revoked_like_any_grant(tenant, officer, reviewers):
    kept, revoked = person(tenant, "analyst"), person(tenant, "analyst")
    review = start(tenant, officer, reviewers, GrantKind.ROLE)
    items = items_of(tenant, review)
    decide(tenant, review, items[kept.id], reviewers[0], Verdict.KEEP)
    decide(tenant, review, items[revoked.id], reviewers[0], Verdict.REVOKE)
    with acting(tenant):
        assert RoleBinding.objects.get(user=kept.id).expires_at is None
        assert not User.objects.get(pk=revoked.id).live_roles()
        assert RoleBinding.objects.get(user=officer.id).expires_at == review.deadline


def test_what_ended_before_needs_no_decision(tenant, filled, officer, reviewers):
    viewer = person(tenant, "viewer")
    with acting(tenant, reviewers[0]):
        row = grant_permission(reviewers[0], dataset_id=filled.pk, user_id=viewer.id, level="view")
    review = start(tenant, officer, reviewers, GrantKind.PERMISSION)
    with acting(tenant):
        type(row).objects.filter(pk=row.pk).delete()
    item = decide(tenant, review, items_of(tenant, review)[viewer.id], reviewers[0], Verdict.KEEP)
    assert item.verdict == Verdict.GONE


def test_nobody_decides_on_their_own_grant_twice_or_unasked(tenant, filled, officer, reviewers):
    lease_for(tenant, filled, reviewers[0])
    review = start(tenant, officer, reviewers, GrantKind.LEASE)
    item = items_of(tenant, review)[reviewers[0].id]
    with pytest.raises(SamePerson):
        decide(tenant, review, item, reviewers[0], Verdict.KEEP)
    with pytest.raises(NotReviewer):
        decide(tenant, review, item, person(tenant, "data_steward"), Verdict.KEEP)
    with pytest.raises(ReviewNotFound):
        decide(tenant, review, item, person(tenant, "analyst"), Verdict.KEEP)
    with pytest.raises(InvalidInput):
        decide(tenant, review, item, reviewers[1], Verdict.LAPSED)
    decide(tenant, review, item, reviewers[1], Verdict.KEEP)
    with pytest.raises(AlreadyDecided):
        decide(tenant, review, item, reviewers[1], Verdict.REVOKE)


def test_a_review_closes_when_everything_is_decided(tenant, filled, officer, reviewers):
    viewer = person(tenant, "viewer")
    lease_for(tenant, filled, viewer)
    review = start(tenant, officer, reviewers, GrantKind.LEASE)
    with pytest.raises(ReviewUnfinished) as refusal, acting(tenant, officer):
        close_review(officer, review_id=review.pk)
    assert refusal.value.extra == {"open": 1}
    decide(tenant, review, items_of(tenant, review)[viewer.id], reviewers[0], Verdict.KEEP)
    with acting(tenant, officer):
        assert close_review(officer, review_id=review.pk).closed_at is not None
    with pytest.raises(ReviewClosed), acting(tenant, officer):
        close_review(officer, review_id=review.pk)


def test_what_does_not_fit_is_refused(tenant, rival, officer, reviewers):
    def refused(*kinds, **changed):
        with pytest.raises(InvalidInput) as refusal:
            start(tenant, officer, changed.pop("asked", reviewers), *kinds, **changed)
        return [problem.field for problem in refusal.value.errors]

    foreign = make_dataset(rival)
    assert refused("everything") == ["/kinds"]
    assert refused(GrantKind.LEASE, name=" ") == ["/name"]
    assert refused(GrantKind.LEASE, deadline=timezone.now()) == ["/deadline"]
    assert refused(GrantKind.LEASE, datasets=[foreign.pk]) == ["/datasets"]
    assert refused(GrantKind.LEASE, asked=[person(rival, "data_steward")]) == ["/reviewers"]
    assert refused(GrantKind.LEASE, asked=[person(tenant, "viewer")]) == ["/reviewers"]
    assert refused(GrantKind.ROLE, asked=reviewers[:1]) == ["/reviewers"]


def test_programs_and_other_tenants_take_no_part(tenant, rival, filled, officer, reviewers):
    key, _ = make_api_key(tenant, "tenant_admin")
    with acting(tenant):
        program = replace(api_key_principal(key))
    with pytest.raises(PersonRequired):
        start(tenant, program, reviewers, GrantKind.LEASE)
    lease_for(tenant, filled, person(tenant, "viewer"))
    review = start(tenant, officer, reviewers, GrantKind.LEASE)
    (item,) = items_of(tenant, review).values()
    with pytest.raises(PersonRequired):
        decide(tenant, review, item, program, Verdict.KEEP)
    spy = person(rival, "data_steward")
    with pytest.raises(ReviewNotFound):
        decide(rival, review, item, spy, Verdict.KEEP)


def test_the_report_names_every_grant_and_calculates_nothing(tenant, filled, officer, reviewers):
    viewer = person(tenant, "viewer")
    lease_for(tenant, filled, viewer)
    review = start(tenant, officer, reviewers, GrantKind.LEASE)
    item = items_of(tenant, review)[viewer.id]
    with acting(tenant, reviewers[0]):
        decide_item(reviewers[0], review_id=review.pk, item_id=item.pk, verdict=Verdict.KEEP, reason='=HYPERLINK("x")')
    with acting(tenant):
        heading, line = report_of(review).splitlines()
    assert heading.startswith("kind,grant,holder")
    assert str(viewer.id) in line
    assert "'=HYPERLINK" in line
