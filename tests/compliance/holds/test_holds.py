"""The case file: who places, confirms and releases, and what the audit is told."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, connection

from access.errors import AccessDenied, SamePerson
from access.factors.errors import StepUpRequired
from access.leases.errors import PersonRequired
from audit.models import AuditEvent
from audit.selectors import read_body
from compliance.errors.holds import CustodianOfHold, HoldNotFound, HoldStateConflict
from compliance.holds.place import Wanted, confirm_hold
from compliance.holds.release import confirm_release, request_release, withdraw_release
from compliance.holds.selectors import HoldFilter, find_hold, holds_to_confirm, list_holds, releases_to_confirm
from compliance.models import HoldScope, LegalHold
from datasets.errors import DatasetNotFound, PersonalDataInText, VersionNotFound
from datasets.models import Dataset, HoldKind, HoldMark
from datasets.services.holds import HoldScope as Scope
from datasets.services.holds import Identifier
from tests.compliance.holds.cases import MATTER, counsel, custodian_of, place, query, release, subject, version, whole
from tests.factories.access import acting, make_user, principal_with
from tests.factories.datasets import jsonl, make_dataset, purge, upload
from vaultsite.kernel.errors import InvalidInput


def held(tenant, dataset) -> bool:
    with acting(tenant):
        return Dataset.objects.values_list("legal_hold", flat=True).get(pk=dataset.pk)


def again(tenant, hold) -> LegalHold:
    with acting(tenant):
        return LegalHold.objects.get(pk=hold.pk)


def test_a_hold_keeps_from_the_first_persons_word_on_and_a_second_confirms(tenant) -> None:
    dataset = make_dataset(tenant)
    first, second = counsel(tenant), principal_with(tenant, "privacy_officer")
    hold = place(tenant, whole(dataset), by=first)
    assert held(tenant, dataset)
    assert (hold.state, hold.is_overdue) == ("placed", False)
    with acting(tenant, second):
        assert holds_to_confirm(second).count == 1
        assert confirm_hold(second, hold_id=hold.pk).state == "confirmed"
        assert holds_to_confirm(second).count == 0
    with pytest.raises(HoldStateConflict), acting(tenant, counsel(tenant)) as scope:
        confirm_hold(scope.principal, hold_id=hold.pk)


def test_who_placed_a_hold_does_not_confirm_it_and_no_program_does(tenant) -> None:
    first = counsel(tenant)
    hold = place(tenant, whole(make_dataset(tenant)), by=first)
    with acting(tenant, first):
        assert holds_to_confirm(first).count == 0
    for who, error in ((first, SamePerson), (counsel(tenant, kind="service"), PersonRequired)):
        with pytest.raises(error), acting(tenant, who):
            confirm_hold(who, hold_id=hold.pk)
    assert again(tenant, hold).confirmed_at is None


def test_a_hold_that_nobody_confirmed_in_time_still_keeps_and_is_overdue(tenant) -> None:
    dataset = make_dataset(tenant)
    hold = place(tenant, whole(dataset))
    reader = counsel(tenant)
    with acting(tenant, reader):
        assert list_holds(reader, HoldFilter(state="overdue"), limit=9) == []
        LegalHold.objects.filter(pk=hold.pk).update(confirm_by=datetime.now(UTC) - timedelta(seconds=1))
        found = list_holds(reader, HoldFilter(state="overdue"), limit=9)
        assert [(one.pk, one.is_overdue) for one in found] == [(hold.pk, True)]
    assert held(tenant, dataset)


def test_a_hold_ends_when_two_other_people_than_the_custodian_say_so(tenant) -> None:
    dataset = make_dataset(tenant)
    custodian = make_user(tenant, "legal_counsel")
    as_custodian = counsel(tenant, id=custodian.pk)
    first, second = counsel(tenant), counsel(tenant)
    hold = place(tenant, whole(dataset), custodian=custodian.pk)
    with pytest.raises(CustodianOfHold), acting(tenant, as_custodian):
        request_release(as_custodian, hold_id=hold.pk, reason="Mine again")
    with pytest.raises(HoldStateConflict), acting(tenant, second):
        confirm_release(second, hold_id=hold.pk)
    with acting(tenant, first):
        assert request_release(first, hold_id=hold.pk, reason="Settled").state == "releasing"
        assert releases_to_confirm(first).count == 0
    with acting(tenant, as_custodian):
        assert releases_to_confirm(as_custodian).count == 0
    with acting(tenant, second):
        assert releases_to_confirm(second).count == 1
    refused = ((first, SamePerson), (as_custodian, CustodianOfHold), (counsel(tenant, kind="service"), PersonRequired))
    for who, error in refused:
        with pytest.raises(error), acting(tenant, who):
            confirm_release(who, hold_id=hold.pk)
        assert held(tenant, dataset)
    with acting(tenant, second):
        assert confirm_release(second, hold_id=hold.pk).state == "released"
    assert not held(tenant, dataset)
    with pytest.raises(HoldStateConflict), acting(tenant, second):
        confirm_release(second, hold_id=hold.pk)


def test_a_release_that_was_asked_for_can_be_taken_back(tenant) -> None:
    dataset = make_dataset(tenant)
    hold = place(tenant, whole(dataset))
    first, second = counsel(tenant), counsel(tenant)
    with acting(tenant, first):
        request_release(first, hold_id=hold.pk, reason="Settled")
    with pytest.raises(HoldStateConflict), acting(tenant, second):
        request_release(second, hold_id=hold.pk, reason="Settled")
    with acting(tenant, second):
        assert withdraw_release(second, hold_id=hold.pk).state == "placed"
    for change in (confirm_release, withdraw_release):
        with pytest.raises(HoldStateConflict), acting(tenant, second):
            change(second, hold_id=hold.pk)
    assert held(tenant, dataset)


def test_the_database_refuses_one_person_twice_and_the_custodian(tenant) -> None:
    hold = place(tenant, whole(make_dataset(tenant)))
    somebody, other = uuid4(), uuid4()
    for changed in (
        {"confirmed_by": hold.placed_by},
        {"release_requested_by": somebody, "released_by": somebody},
        {"release_requested_by": somebody, "released_by": hold.custodian},
        {"release_requested_by": hold.custodian, "released_by": other},
        {"released_by": other},
    ):
        with pytest.raises(IntegrityError), acting(tenant):
            LegalHold.objects.filter(pk=hold.pk).update(**changed)


def test_the_column_falls_only_with_the_last_of_overlapping_holds(tenant) -> None:
    dataset, other = make_dataset(tenant), make_dataset(tenant)
    one = place(tenant, whole(dataset), whole(other))
    two = place(tenant, whole(dataset), matter="2026-CV-2000")
    release(tenant, one)
    assert (held(tenant, dataset), held(tenant, other)) == (True, False)
    release(tenant, two)
    assert not held(tenant, dataset)
    with acting(tenant):
        assert not HoldMark.objects.exists()
        assert HoldScope.objects.count() == 3  # the case file stays


def test_the_audit_is_told_of_every_step_and_of_no_reason(tenant) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "text": "Write to grace.hopper@example.com"}]))
    hold = place(tenant, subject(dataset, "grace.hopper@example.com"), reason="Zanzibar sued us")
    second = counsel(tenant)
    with acting(tenant, second):
        confirm_hold(second, hold_id=hold.pk)
        request_release(second, hold_id=hold.pk, reason="Zanzibar settled")
        withdraw_release(second, hold_id=hold.pk)
    release(tenant, hold)
    with acting(tenant):
        events = list(AuditEvent.objects.filter(type__startswith="legal_hold.").order_by("id"))
        assert sorted(event.type for event in events) == [
            "legal_hold.confirmed",
            "legal_hold.placed",
            "legal_hold.release.requested",
            "legal_hold.release.requested",
            "legal_hold.release.withdrawn",
            "legal_hold.released",
        ]
        bodies = [read_body(event) for event in events]
    assert {body["metadata"]["matter"] for body in bodies} == {MATTER}
    released = next(body for body in bodies if body["metadata"]["state"] == "released")
    assert released["metadata"]["freed"] == [str(dataset.pk)]
    said = repr(bodies)
    assert not [word for word in ("Zanzibar", "grace.hopper", "settled") if word in said]


def test_nothing_of_why_or_of_whom_lies_in_the_clear(tenant) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "a", "text": "Write to grace.hopper@example.com"}]))
    wanted = subject(dataset, "grace.hopper@example.com"), query(dataset, "text CONTAINS 'zanzibar'")
    hold = place(tenant, *wanted, reason="Zanzibar sued us")
    somebody = counsel(tenant)
    with acting(tenant, somebody):
        request_release(somebody, hold_id=hold.pk, reason="Zanzibar settled")
    tables = ("compliance_legalhold", "compliance_holdscope", "datasets_holdmark", "datasets_heldrecord")
    with acting(tenant), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT t::text FROM {table} t")
            rows = "".join(row[0] for row in cursor.fetchall())
            assert rows
            for word in ("Zanzibar", "zanzibar", "grace"):
                assert word not in rows
                assert word.encode().hex() not in rows


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"matter": " "}, "matter"),
        ({"matter": "x" * 101}, "matter"),
        ({"reason": " "}, "reason"),
        ({"custodian": uuid4()}, "custodian"),
    ],
)
def test_what_a_hold_must_say(tenant, changed, field) -> None:
    dataset = make_dataset(tenant)
    with pytest.raises(InvalidInput) as refused:
        place(tenant, whole(dataset), **changed)
    assert [problem.field for problem in refused.value.errors] == [field]
    assert not held(tenant, dataset)


def test_a_scope_says_what_its_kind_needs_and_nothing_else(tenant) -> None:
    dataset = make_dataset(tenant)
    person = (Identifier("EMAIL_ADDRESS", "a@example.com"),)
    cases = {
        "version": Scope(HoldKind.VERSION),
        "identifiers": Scope(HoldKind.SUBJECT),
        "filter": Scope(HoldKind.QUERY),
        "identifiers/0": Scope(HoldKind.SUBJECT, identifiers=(Identifier("PERSON", "Ada"),)),
    }
    cases |= {
        "version ": Scope(HoldKind.DATASET, version="main"),
        "identifiers ": Scope(HoldKind.DATASET, identifiers=person),
    }
    for field, scope in cases.items():
        with pytest.raises(InvalidInput) as refused:
            place(tenant, Wanted(dataset.pk, scope))
        assert [problem.field for problem in refused.value.errors] == [f"scopes/0/{field.strip()}"]
    with pytest.raises(InvalidInput):
        place(tenant)
    assert not held(tenant, dataset)


def test_a_matter_names_no_person(tenant) -> None:
    with pytest.raises(PersonalDataInText):
        place(tenant, whole(make_dataset(tenant)), matter="About ada.lovelace@example.com")


def test_only_what_is_there_is_held(tenant, rival) -> None:
    dataset, gone = make_dataset(tenant), make_dataset(tenant)
    purge(tenant, gone)
    for wanted, error in (
        (Wanted(uuid4(), Scope(HoldKind.DATASET)), DatasetNotFound),
        (whole(gone), DatasetNotFound),
        (whole(make_dataset(rival)), DatasetNotFound),
        (version(dataset, "v9.0.0"), VersionNotFound),
    ):
        with pytest.raises(error):
            place(tenant, whole(dataset), wanted)
    assert not held(tenant, dataset)


def test_others_than_counsel_place_none_and_a_step_up_is_asked(tenant) -> None:
    dataset = make_dataset(tenant)
    for role in ("tenant_admin", "data_steward", "privacy_officer", "auditor"):
        with pytest.raises(AccessDenied):
            place(tenant, whole(dataset), by=principal_with(tenant, role))
    long_ago = datetime.now(UTC) - timedelta(hours=1)
    with pytest.raises(StepUpRequired):
        place(tenant, whole(dataset), by=counsel(tenant, authenticated_at=long_ago))
    hold = place(tenant, whole(dataset))
    late = counsel(tenant, authenticated_at=long_ago)
    for change in (confirm_hold, withdraw_release, confirm_release):
        with pytest.raises(StepUpRequired), acting(tenant, late):
            change(late, hold_id=hold.pk)


def test_a_credential_held_to_datasets_sees_and_places_holds_on_those_alone(tenant) -> None:
    mine, other = make_dataset(tenant), make_dataset(tenant)
    narrow = counsel(tenant, datasets=frozenset({mine.pk}))
    both, own = place(tenant, whole(mine), whole(other)), place(tenant, whole(mine))
    with acting(tenant, narrow):
        assert [hold.pk for hold in list_holds(narrow, HoldFilter(), limit=9)] == [own.pk]
    with pytest.raises(HoldNotFound), acting(tenant, narrow):
        find_hold(narrow, both.pk)
    with pytest.raises(DatasetNotFound):
        place(tenant, whole(other), by=narrow)


def test_the_custodian_is_a_person_of_this_organization(tenant, rival) -> None:
    stranger = custodian_of(rival)
    with pytest.raises(InvalidInput):
        place(tenant, whole(make_dataset(tenant)), custodian=stranger)
