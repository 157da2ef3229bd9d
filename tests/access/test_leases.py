"""Leases: how they are asked for, approved, extended, suspended and revoked, and what they then open."""

from datetime import timedelta
from itertools import islice

import pytest

from access.errors import AccessDenied, SamePerson, UnknownPurpose
from access.leases.errors import (
    AccessRequestNotFound,
    AlreadyDecided,
    LeaseEnded,
    LeaseNotFound,
    LeaseOver,
    PersonRequired,
    QuotaExhausted,
    RequestClosed,
)
from access.models import RequestState, Shown
from access.selectors import api_key_principal
from access.services.access_requests import (
    approve_request,
    refuse_request,
    request_access,
    request_extension,
    withdraw_request,
)
from access.services.leases import (
    resource_of_lease,
    resume_leases,
    revoke_lease,
    spend_epsilon,
    spend_rows,
    suspend_leases,
)
from datasets.errors import DatasetNotFound, PersonalDataInText
from datasets.services.read import read_records, stream_data
from tests.factories.access import acting, age, make_api_key
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import HOUR, WHY, approve, ask, epsilon, fresh, lease_for, open_as, person, terms
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import RequestFacts


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(30)))
    return dataset


def names(events):
    return [str(recorded.event.type) for recorded in events]


def test_a_lease_shows_a_viewer_the_records_raw_for_its_purpose_alone(tenant, filled, events):
    viewer = person(tenant, "viewer")
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, viewer)
    lease = lease_for(tenant, filled, viewer)
    release = open_as(tenant, filled, viewer)
    assert release.is_raw
    assert "ada.0@example.com" in "".join(str(record.data) for record in read_records(release))
    assert f"lease:{lease.pk}" in release.decision.policy_ids
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, viewer, purpose="analytics")
    assert {"data.access.requested", "data.access.granted"} <= set(names(events))


def test_a_masked_lease_shows_personal_data_masked(tenant, filled):
    viewer = person(tenant, "viewer")
    lease_for(tenant, filled, viewer, shown=Shown.MASK)
    release = open_as(tenant, filled, viewer)
    assert release.operator == "mask"
    assert "ada.0@example.com" not in "".join(str(record.data) for record in read_records(release))


def test_who_reads_masked_by_role_reads_raw_under_a_raw_lease(tenant, filled):
    scientist = person(tenant, "data_scientist")
    assert not open_as(tenant, filled, scientist).is_raw
    lease_for(tenant, filled, scientist)
    assert open_as(tenant, filled, scientist).is_raw


def test_a_lease_is_for_its_dataset_and_its_holder(tenant, filled):
    viewer = person(tenant, "viewer")
    lease_for(tenant, filled, viewer)
    other = make_dataset(tenant)
    upload(tenant, other, jsonl(rows_of(1)))
    with pytest.raises(AccessDenied):
        open_as(tenant, other, viewer)
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, person(tenant, "viewer"))


def test_a_lease_ends_by_the_clock_of_the_database(tenant, filled):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer)
    assert abs((lease.expires_at - lease.starts_at) - timedelta(seconds=HOUR)) < timedelta(seconds=5)
    age(lease, expires_at=timedelta(seconds=1))
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, viewer)


def test_nobody_approves_their_own_request(tenant, filled):
    steward = person(tenant, "data_steward")
    request = ask(tenant, filled, steward)
    with pytest.raises(SamePerson):
        approve(tenant, request, steward)


def test_no_program_approves_since_its_maker_may_be_who_asked(tenant, filled):
    steward = person(tenant, "data_steward")
    request = ask(tenant, filled, steward)
    key, _ = make_api_key(tenant, "data_steward")
    with acting(tenant):
        program = api_key_principal(key)
    with pytest.raises(PersonRequired):
        approve(tenant, request, program)


def test_who_made_a_key_does_not_approve_what_it_asks_for(tenant, filled):
    steward = person(tenant, "data_steward")
    key, _ = make_api_key(tenant, "viewer")
    type(key)._base_manager.using("owner").filter(pk=key.pk).update(created_by=steward.id)
    with acting(tenant):
        program = api_key_principal(key)
    request = ask(tenant, filled, program)
    with pytest.raises(SamePerson):
        approve(tenant, request, steward)


def test_who_may_not_approve_is_denied(tenant, filled):
    request = ask(tenant, filled, person(tenant, "viewer"))
    for role in ("viewer", "auditor"):
        with pytest.raises((AccessDenied, AccessRequestNotFound)):
            approve(tenant, request, person(tenant, role))


@pytest.mark.parametrize("classification", ["pii", "restricted"])
def test_some_classifications_take_two_approvers_who_are_two(tenant, classification):
    dataset = make_dataset(tenant, classification=classification)
    upload(tenant, dataset, jsonl(rows_of(3)))
    viewer = person(tenant, "viewer")
    request = ask(tenant, dataset, viewer)
    first = person(tenant, "data_steward")
    assert approve(tenant, request, first).state == RequestState.PENDING
    with pytest.raises(AccessDenied):
        open_as(tenant, dataset, viewer)
    with pytest.raises(AlreadyDecided):
        approve(tenant, request, first)
    assert approve(tenant, request, person(tenant, "privacy_officer")).state == RequestState.APPROVED
    assert open_as(tenant, dataset, viewer).is_raw


def test_a_dataset_that_became_personal_takes_the_second_approver_as_well(tenant, filled):
    request = ask(tenant, filled, person(tenant, "viewer"))
    type(filled)._base_manager.using("owner").filter(pk=filled.pk).update(classification="pii")
    assert approve(tenant, request, person(tenant, "data_steward")).state == RequestState.PENDING


def test_one_refusal_is_enough(tenant, filled, events):
    request = ask(tenant, filled, person(tenant, "viewer"))
    steward = person(tenant, "data_steward")
    with acting(tenant, steward):
        assert refuse_request(steward, request_id=request.pk, reason="Not now").state == RequestState.REFUSED
    with pytest.raises(RequestClosed):
        approve(tenant, request, person(tenant, "data_steward"))
    assert "data.access.refused" in names(events)


def test_a_withdrawn_request_is_approved_by_nobody_and_only_its_maker_withdraws_it(tenant, filled):
    viewer = person(tenant, "viewer")
    request = ask(tenant, filled, viewer)
    stranger = person(tenant, "viewer")
    with pytest.raises(AccessRequestNotFound), acting(tenant, stranger):
        withdraw_request(stranger, request_id=request.pk)
    with acting(tenant, viewer):
        assert withdraw_request(viewer, request_id=request.pk).state == RequestState.WITHDRAWN
    with pytest.raises(RequestClosed):
        approve(tenant, request, person(tenant, "data_steward"))


def test_a_request_nobody_decided_on_in_time_has_lapsed(tenant, filled):
    request = ask(tenant, filled, person(tenant, "viewer"))
    age(request, decide_by=timedelta(seconds=1))
    with pytest.raises(RequestClosed):
        approve(tenant, request, person(tenant, "data_steward"))


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"purpose": "curiosity"}, "/purpose"),
        ({"level": "everything"}, "/level"),
        ({"seconds": 1}, "/seconds"),
        ({"seconds": 91 * 24 * HOUR}, "/seconds"),
        ({"row_quota": 0}, "/row_quota"),
        ({"level": "view", "row_quota": 5}, "/row_quota"),
        ({"epsilon": epsilon("1")}, "/epsilon"),
        ({"level": "statistics", "epsilon": epsilon("0.0000001")}, "/epsilon"),
        ({"level": "statistics", "epsilon": epsilon("NaN")}, "/epsilon"),
    ],
)
def test_terms_that_do_not_fit_are_named(tenant, filled, changed, field):
    with pytest.raises(InvalidInput) as refusal:
        ask(tenant, filled, person(tenant, "viewer"), **changed)
    assert field in [problem.field for problem in refusal.value.errors]


def test_a_justification_holds_no_personal_data(tenant, filled):
    viewer = person(tenant, "viewer")
    with pytest.raises(PersonalDataInText), acting(tenant, viewer):
        request_access(viewer, dataset_id=filled.pk, terms=terms(), justification="ask ada@example.com")


def test_nobody_asks_for_what_they_may_not_know_of(tenant, rival, filled):
    spy = person(rival, "data_steward")
    for unknown in (filled.pk, uuid7()):
        with pytest.raises(DatasetNotFound):
            ask(rival, unknown, spy)


def test_an_extension_is_approved_by_somebody_else_and_moves_the_end(tenant, filled, events):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer, row_quota=10)
    with acting(tenant, viewer):
        request = request_extension(viewer, lease_id=lease.pk, seconds=5 * HOUR, row_quota=7, justification=WHY)
    assert fresh(tenant, lease).expires_at == lease.expires_at
    approve(tenant, request, person(tenant, "data_steward"))
    longer = fresh(tenant, lease)
    assert longer.expires_at - lease.expires_at > timedelta(seconds=3 * HOUR)
    assert longer.row_quota == 17
    assert "data.access.extended" in names(events)


def test_what_is_over_is_not_extended(tenant, filled):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer)
    with acting(tenant, viewer):
        request = request_extension(viewer, lease_id=lease.pk, seconds=5 * HOUR, row_quota=None, justification=WHY)
        revoke_lease(viewer, lease_id=lease.pk, reason="done")
    with pytest.raises(LeaseOver):
        approve(tenant, request, person(tenant, "data_steward"))
    with pytest.raises(LeaseOver), acting(tenant, viewer):
        request_extension(viewer, lease_id=lease.pk, seconds=HOUR, row_quota=None, justification=WHY)


def test_nobody_extends_or_revokes_somebody_elses_lease(tenant, filled):
    lease = lease_for(tenant, filled, person(tenant, "viewer"))
    stranger = person(tenant, "viewer")
    with pytest.raises(LeaseNotFound), acting(tenant, stranger):
        request_extension(stranger, lease_id=lease.pk, seconds=HOUR, row_quota=None, justification=WHY)
    with pytest.raises(LeaseNotFound), acting(tenant, stranger):
        revoke_lease(stranger, lease_id=lease.pk, reason="mine")
    auditor = person(tenant, "auditor")
    with pytest.raises(AccessDenied), acting(tenant, auditor):
        revoke_lease(auditor, lease_id=lease.pk, reason="mine")


def test_a_revoked_lease_opens_nothing_and_stops_a_stream_within_a_page(tenant, events):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(1000)))
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, dataset, viewer)
    stream = stream_data(open_as(tenant, dataset, viewer), viewer, RequestFacts())
    assert len(list(islice(stream, 50))) == 50
    steward = person(tenant, "data_steward")
    with acting(tenant, steward):
        revoke_lease(steward, lease_id=lease.pk, reason="over")
    more = 0
    with pytest.raises(LeaseEnded):
        for _ in stream:
            more += 1
    assert more <= 200
    with pytest.raises(AccessDenied):
        open_as(tenant, dataset, viewer)
    assert "data.access.revoked" in names(events)


def test_suspended_leases_open_again_for_the_same_cause_alone(tenant, filled, events):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer)
    with acting(tenant):
        resource = resource_of_lease(lease)
        assert suspend_leases(resource, cause="quarantine") == 1
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, viewer)
    with acting(tenant):
        assert resume_leases(resource, cause="other") == 0
        assert resume_leases(resource, cause="quarantine") == 1
    assert open_as(tenant, filled, viewer).is_raw
    assert {"data.access.suspended", "data.access.resumed"} <= set(names(events))


def test_a_quota_is_spent_to_the_last_row_and_then_says_so(tenant, filled, events):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer, row_quota=5)
    with acting(tenant, viewer):
        assert spend_rows(lease.pk, 3) == 3
        assert spend_rows(lease.pk, 3) == 2
        with pytest.raises(QuotaExhausted):
            spend_rows(lease.pk, 1)
    assert fresh(tenant, lease).rows_used == 5
    assert "data.access.exhausted" in names(events)


def test_what_was_spent_outlives_a_refusal(tenant, filled):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer, row_quota=5)
    with pytest.raises(UnknownPurpose), acting(tenant, viewer):
        spend_rows(lease.pk, 4)
        raise UnknownPurpose
    assert fresh(tenant, lease).rows_used == 4


def test_a_stream_stops_at_the_quota_and_what_it_did_not_hand_out_is_not_spent(tenant, filled):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer, row_quota=12)
    first = stream_data(open_as(tenant, filled, viewer), viewer, RequestFacts())
    assert len(list(islice(first, 5))) == 5
    first.close()
    assert fresh(tenant, lease).rows_used == 5
    handed = []
    with pytest.raises(QuotaExhausted):
        handed.extend(stream_data(open_as(tenant, filled, viewer), viewer, RequestFacts()))
    second = stream_data(open_as(tenant, filled, viewer), viewer, RequestFacts())
    with pytest.raises(QuotaExhausted):
        next(second)
    assert fresh(tenant, lease).rows_used == 12


def test_epsilon_is_spent_whole_or_not_at_all(tenant, filled):
    viewer = person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer, level="statistics", epsilon=epsilon("0.5"))
    with acting(tenant, viewer):
        spend_epsilon(lease.pk, epsilon("0.4"))
        with pytest.raises(QuotaExhausted):
            spend_epsilon(lease.pk, epsilon("0.2"))
        spend_epsilon(lease.pk, epsilon("0.1"))
    assert fresh(tenant, lease).epsilon_used == epsilon("0.5")


def test_another_tenant_finds_no_lease(tenant, rival, filled):
    lease = lease_for(tenant, filled, person(tenant, "viewer"))
    spy = person(rival, "data_steward")
    with pytest.raises(LeaseNotFound), acting(rival, spy):
        revoke_lease(spy, lease_id=lease.pk, reason="mine")
    with pytest.raises(LeaseEnded), acting(rival, spy):
        spend_rows(lease.pk, 1)


def test_who_asks_and_approves_is_recorded_once_for_each_request(tenant, filled, events):
    lease_for(tenant, filled, person(tenant, "viewer"))
    decided = [recorded.event for recorded in events if recorded.event.metadata.get("action", "").startswith("access.")]
    assert [event.metadata["action"] for event in decided] == ["access.request", "access.approve"]
    assert approve_request.__doc__
