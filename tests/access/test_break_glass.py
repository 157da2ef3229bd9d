"""T24: emergencies take two people, end by themselves and are heard by everybody."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, connections

from access.errors import AccessDenied, SamePerson
from access.leases.errors import EmergencyClosed, EmergencyNotFound, LeaseOver, PersonRequired
from access.models import BreakGlass, Lease
from access.selectors import api_key_principal
from access.services.break_glass import (
    call_emergency,
    confirm_emergency,
    end_emergency,
    list_emergencies,
    refuse_emergency,
    review_emergency,
)
from datasets.errors import DatasetNotFound, PersonalDataInText
from datasets.services.read import stream_data
from tests.factories.access import acting, age, make_api_key
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import PURPOSE, fresh, open_as, person
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.tenancy.principal import RequestFacts


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant, classification="restricted")
    upload(tenant, dataset, jsonl(rows_of(3)))
    return dataset


@pytest.fixture
def engineer(tenant):
    return person(tenant, "ml_engineer")


@pytest.fixture
def officer(tenant):
    return person(tenant, "security_officer")


def call(tenant, dataset, caller, **changed):
    facts = {"purpose": PURPOSE, "reason": "A model leaks what it was trained on", "seconds": 600} | changed
    with acting(tenant, caller):
        return call_emergency(caller, dataset_id=dataset.pk, **facts)


def confirm(tenant, made, by):
    with acting(tenant, by):
        return confirm_emergency(by, call_id=made.pk)


def test_without_a_second_person_it_opens_nothing(tenant, filled, engineer):
    call(tenant, filled, engineer)
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, engineer)


def test_the_same_person_twice_is_one_person(tenant, filled):
    steward = person(tenant, "data_steward", "security_officer")
    made = call(tenant, filled, steward)
    with pytest.raises(SamePerson):
        confirm(tenant, made, steward)
    with acting(tenant):
        assert not Lease.objects.exists()


def test_the_database_refuses_the_same_person_twice_as_well(tenant, filled, engineer):
    made = call(tenant, filled, engineer)
    with pytest.raises(IntegrityError, match="access_breakglass_two_people"), acting(tenant):
        BreakGlass.objects.filter(pk=made.pk).update(confirmed_by=engineer.id)


def test_a_program_neither_calls_nor_confirms(tenant, filled, engineer):
    key, _ = make_api_key(tenant, "tenant_admin")
    with acting(tenant):
        program = api_key_principal(key)
    with pytest.raises(PersonRequired):
        call(tenant, filled, program)
    with pytest.raises(PersonRequired):
        confirm(tenant, call(tenant, filled, engineer), program)


def test_two_people_open_the_records_raw_and_everybody_hears_it(tenant, filled, engineer, officer, events):
    made = confirm(tenant, call(tenant, filled, engineer), officer)
    release = open_as(tenant, filled, engineer)
    assert release.is_raw
    assert len(list(stream_data(release, engineer, RequestFacts()))) == 3
    assert made.state == "open"
    assert fresh(tenant, made.lease).rows_used == 3
    loud = [recorded.event for recorded in events if str(recorded.event.type).startswith("data.emergency.")]
    assert [str(event.type) for event in loud] == [
        "data.emergency.requested",
        "data.emergency.granted",
        "data.emergency.used",
    ]
    assert {event.severity for event in loud} == {"critical"}


def test_it_is_for_who_called(tenant, filled, engineer, officer):
    confirm(tenant, call(tenant, filled, engineer), officer)
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, person(tenant, "ml_engineer"))


def test_it_ends_by_itself(tenant, filled, engineer, officer):
    made = confirm(tenant, call(tenant, filled, engineer), officer)
    age(made.lease, expires_at=timedelta(seconds=1))
    with pytest.raises(AccessDenied):
        open_as(tenant, filled, engineer)
    with pytest.raises(LeaseOver), acting(tenant, officer):
        end_emergency(officer, call_id=made.pk)


def test_a_call_that_nobody_confirmed_in_time_is_confirmed_by_nobody(tenant, filled, engineer, officer):
    made = call(tenant, filled, engineer)
    age(made, confirm_by=timedelta(seconds=1))
    with pytest.raises(EmergencyClosed):
        confirm(tenant, made, officer)


def test_what_was_refused_or_confirmed_is_decided(tenant, filled, engineer, officer, events):
    refused = call(tenant, filled, engineer)
    with acting(tenant, officer):
        assert refuse_emergency(officer, call_id=refused.pk).state == "refused"
    with pytest.raises(EmergencyClosed):
        confirm(tenant, refused, person(tenant, "security_officer"))
    made = confirm(tenant, call(tenant, filled, engineer), officer)
    with pytest.raises(EmergencyClosed):
        confirm(tenant, made, person(tenant, "security_officer"))
    assert "data.emergency.refused" in [str(recorded.event.type) for recorded in events]


def test_either_of_the_two_ends_it(tenant, filled, engineer, officer):
    for who in (engineer, officer):
        made = confirm(tenant, call(tenant, filled, engineer), officer)
        with acting(tenant, who):
            assert end_emergency(who, call_id=made.pk).state == "over"
        with pytest.raises(AccessDenied):
            open_as(tenant, filled, engineer)


def test_a_third_person_looks_at_it_afterwards(tenant, filled, engineer, officer, events):
    made = confirm(tenant, call(tenant, filled, engineer), officer)
    with pytest.raises(SamePerson), acting(tenant, officer):
        review_emergency(officer, call_id=made.pk, note="All in order")
    third = person(tenant, "privacy_officer")
    with acting(tenant, third):
        assert review_emergency(third, call_id=made.pk, note="All in order").state == "reviewed"
    with pytest.raises(EmergencyClosed), acting(tenant, third):
        review_emergency(third, call_id=made.pk, note="Again")
    assert "data.emergency.reviewed" in [str(recorded.event.type) for recorded in events]


@pytest.mark.parametrize("changed", [{"seconds": 9 * 3600}, {"seconds": 1}, {"reason": " "}, {"purpose": "fun"}])
def test_what_does_not_fit_is_refused(tenant, filled, engineer, changed):
    with pytest.raises(InvalidInput):
        call(tenant, filled, engineer, **changed)


def test_its_reason_holds_no_personal_data(tenant, filled, engineer):
    with pytest.raises(PersonalDataInText):
        call(tenant, filled, engineer, reason="ada@example.com asks")


def test_others_learn_of_it_only_where_they_oversee(tenant, rival, filled, engineer, officer):
    made = call(tenant, filled, engineer)
    for role in ("viewer", "ml_engineer"):
        stranger = person(tenant, role)
        with acting(tenant, stranger):
            assert list_emergencies(stranger, limit=10) == []
        with pytest.raises(EmergencyNotFound):
            confirm(tenant, made, stranger)
    with acting(tenant, officer):
        assert [row.pk for row in list_emergencies(officer, limit=10)] == [made.pk]
    spy = person(rival, "security_officer")
    with pytest.raises(EmergencyNotFound):
        confirm(rival, made, spy)
    with pytest.raises(DatasetNotFound):
        call(rival, filled, person(rival, "ml_engineer"))
    connections.close_all()
