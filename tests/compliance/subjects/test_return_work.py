"""What came back of an erased person is searched for, erased again, or said to stay."""

import threading
from uuid import uuid4

import pytest
from django.db import connections

from audit.models import AuditEvent
from compliance.errors.subjects import (
    ReturnGone,
    ReturnNotFound,
    ReturnNotRead,
    ReturnNotSearched,
    ReturnSettled,
    ReturnUnderSearch,
)
from compliance.models import SubjectErasure, SubjectSearch
from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.identifiers import open_known
from compliance.subjects.returns import dismiss_returns, erase_again, list_returns, search_again
from compliance.subjects.sweep import run_search
from compliance.subjects.work_selectors import returns_to_settle
from datasets.errors import PersonalDataInText
from datasets.models import Dataset, IdentifierReturn, SubjectIndexEntry
from datasets.services import returned
from tests.compliance.holds.test_races import wait_until_stuck
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, read_all, someone, upload
from tests.factories.pages import browser_of, opened
from tests.factories.subjects import ADA, EMAIL, PHONE, erase_person, run_parts, search_for
from tests.factories.upkeep import again, erase
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
from vaultsite.kernel.errors import InvalidInput

PAGE = "/admin/compliance/returns/"
BACK = [{"id": "new", "text": f"Ask {EMAIL.upper()}."}, {"id": "none", "text": "Nobody."}]


def open_returns(tenant):
    with acting(tenant):
        return list(IdentifierReturn.objects.exclude(cause="stays").filter(state="open").order_by("id"))


def state_of(tenant, row):
    return again(tenant, row).state


@pytest.fixture
def other(tenant, dataset):
    """A dataset into which somebody came back who had been erased."""
    assert erase_person(tenant, search_for(tenant, ADA[:2])).status == "succeeded"
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(BACK))
    return made


@pytest.fixture
def back(tenant, other):
    (row,) = open_returns(tenant)
    return row


def searched(tenant, row):
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        search = search_again(officer, return_id=row.pk)
    run_search(tenant.pk, search.pk)
    return again(tenant, search)


def erased_again(tenant, row):
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        erasure = erase_again(officer, return_id=row.pk)
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    run_subject_erasure(tenant.pk, erasure.pk)
    return again(tenant, erasure)


def dismiss(tenant, *rows, ground="They became a customer again"):
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        return dismiss_returns(officer, return_ids=[row.pk for row in rows], ground=ground)


def test_the_identifier_is_read_from_the_record_and_searched_for_sealed(tenant, other, back):
    search = searched(tenant, back)
    assert (search.status, search.counts, search.identifier_types) == ("succeeded", {"record": 1}, ["EMAIL_ADDRESS"])
    with acting(tenant):
        assert [(one.type, one.value) for one in open_known(search).identifiers] == [("EMAIL_ADDRESS", EMAIL.upper())]
        bodies = b"".join(bytes(body) for body in AuditEvent.objects.values_list("body", flat=True))
    assert EMAIL.encode() not in bodies.lower()
    assert EMAIL.encode() not in repr(vars(search)).lower().encode()


def test_one_search_is_for_everything_of_the_person_that_came_back(tenant, other, back):
    upload(tenant, make_dataset(tenant), jsonl([{"id": "call", "text": f"Her number is {PHONE}."}]))
    search = searched(tenant, back)
    assert sorted(search.identifier_types) == ["EMAIL_ADDRESS", "PHONE_NUMBER"]
    assert {row.search for row in open_returns(tenant)} == {search.pk}


def test_the_person_is_erased_again_on_the_ground_of_the_first_time_and_flagged_once_more(tenant, other, back):
    with pytest.raises(ReturnNotSearched):
        erased_again(tenant, back)
    searched(tenant, back)
    erasure = erased_again(tenant, back)
    assert (erasure.status, erasure.legal_basis) == ("succeeded", "art17-1-b")
    assert [record.id for record in read_all(tenant, other)] == ["none"]
    assert (state_of(tenant, back), open_returns(tenant)) == ("erased", [])
    upload(tenant, other, jsonl(BACK[:1]), mode="append")
    (anew,) = open_returns(tenant)
    assert (anew.record_id, anew.pk == back.pk) == ("new", False)


def test_a_record_that_is_erased_by_its_id_is_no_return_any_more(tenant, other, back):
    erase(tenant, other, ["new"])
    assert state_of(tenant, back) == "erased"


def test_what_was_held_and_is_erased_later_is_flagged_when_it_comes_back(tenant, dataset):
    search = search_for(tenant, ADA[:1])
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    erase_person(tenant, search)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=False)
    erase_person(tenant, search_for(tenant, ADA[:1]))
    upload(tenant, dataset, jsonl([{"id": "mail", "text": f"Ask {EMAIL}."}]), mode="append")
    assert [row.record_id for row in open_returns(tenant)] == ["mail"]


def test_one_that_is_said_to_stay_is_not_flagged_again(tenant, other, back):
    (row,) = dismiss(tenant, back)
    assert (row.state, row.ground) == ("dismissed", "They became a customer again")
    upload(tenant, other, jsonl([{"id": "new", "text": f"Ask {EMAIL} again."}]), mode="upsert")
    assert open_returns(tenant) == []
    with pytest.raises(ReturnSettled):
        dismiss(tenant, back)
    with acting(tenant):
        event = AuditEvent.objects.get(type="data.subject.return_dismissed")
    assert b"customer" not in bytes(event.body)


@pytest.mark.parametrize("ground", ["", "   ", "x" * 1001])
def test_a_return_stays_only_for_a_reason(tenant, back, ground):
    with pytest.raises(InvalidInput):
        dismiss(tenant, back, ground=ground)


def test_a_reason_names_nobody(tenant, back):
    with pytest.raises(PersonalDataInText):
        dismiss(tenant, back, ground=f"{EMAIL} asked for it")


def test_a_person_is_searched_for_by_one_at_a_time(tenant, back):
    officer = someone(tenant, "privacy_officer")
    with acting(tenant, officer):
        search_again(officer, return_id=back.pk)
    with pytest.raises(ReturnUnderSearch), acting(tenant, officer):
        search_again(officer, return_id=back.pk)


def test_a_record_that_went_otherwise_gives_no_search(tenant, other, back):
    with acting(tenant):
        IdentifierReturn.objects.filter(pk=back.pk).update(record_id="none")
    with pytest.raises(ReturnGone):
        searched(tenant, back)


@pytest.fixture
def covered(tenant, other, monkeypatch):
    """What came back says nothing of the person in the versions that are looked at first."""
    monkeypatch.setattr(returned, "_TREES", 2)
    for number in range(2):
        upload(tenant, other, jsonl([{"id": "new", "text": f"clean {number}"}]), mode="upsert")


def test_the_version_that_brought_it_is_looked_at_however_many_came_after(tenant, other, back, covered):
    search = searched(tenant, back)
    assert (search.status, search.identifier_types) == ("succeeded", ["EMAIL_ADDRESS"])


def test_what_was_not_looked_at_is_not_said_to_be_gone(tenant, other, back, covered):
    with acting(tenant):
        SubjectIndexEntry.objects.filter(dataset=other).update(job=uuid4())
    with pytest.raises(ReturnNotRead):
        searched(tenant, back)


def test_two_officers_who_begin_with_different_returns_wait_for_each_other(tenant, other, back):
    upload(tenant, other, jsonl([{"id": "later", "text": f"Ask {EMAIL}."}]), mode="append")
    first, second = sorted(open_returns(tenant), key=lambda row: row.pk)
    raised = []

    def search_from_second():
        officer = someone(tenant, "privacy_officer")
        try:
            with acting(tenant, officer):
                search_again(officer, return_id=second.pk)
        except Exception as error:  # noqa: BLE001 - of another thread: looked at below
            raised.append(error)
        finally:
            connections.close_all()

    officer, thread = someone(tenant, "privacy_officer"), threading.Thread(target=search_from_second)
    with acting(tenant, officer):
        IdentifierReturn.objects.select_for_update(no_key=True).get(pk=first.pk)
        thread.start()
        wait_until_stuck(1)
        search = search_again(officer, return_id=first.pk)
    thread.join(timeout=60)
    assert not thread.is_alive()
    assert [type(error) for error in raised] == [ReturnUnderSearch]
    assert {row.search for row in open_returns(tenant)} == {search.pk}


def test_a_credential_held_to_datasets_has_the_returns_of_those_alone(tenant, other, back):
    upload(tenant, make_dataset(tenant), jsonl([{"id": "call", "text": f"Her number is {PHONE}."}]))
    elsewhere = next(row for row in open_returns(tenant) if row.pk != back.pk)
    narrow = principal_with(tenant, "privacy_officer", purpose="evaluation", datasets=frozenset({other.pk}))
    with acting(tenant, narrow):
        assert [row.pk for row in list_returns(narrow, limit=9)] == [back.pk]
        assert returns_to_settle(narrow).count == 1
    for act in (search_again, erase_again):
        with pytest.raises(ReturnNotFound), acting(tenant, narrow):
            act(narrow, return_id=elsewhere.pk)
    for chosen in ([elsewhere.pk], [back.pk, elsewhere.pk]):
        with pytest.raises(ReturnNotFound), acting(tenant, narrow):
            dismiss_returns(narrow, return_ids=chosen, ground="A customer again")
    assert {state_of(tenant, row) for row in (back, elsewhere)} == {"open"}
    with acting(tenant, narrow):
        search = search_again(narrow, return_id=back.pk)
    assert search.identifier_types == ["EMAIL_ADDRESS"]
    assert (again(tenant, back).search, again(tenant, elsewhere).search) == (search.pk, None)
    with acting(tenant, narrow):
        dismiss_returns(narrow, return_ids=[back.pk], ground="A customer again")
    with acting(tenant):
        decided = AuditEvent.objects.filter(resource_type="subject_return", resource_id=str(back.pk))
        assert {event.dataset_id for event in decided} == {other.pk}


def test_returns_by_the_api(tenant, other, back):
    officer, path = caller(tenant, "privacy_officer"), f"/subject-returns/{back.pk}"
    (listed,) = send(officer, "GET", "/subject-returns?state=open").json()["data"]
    assert (listed["record_id"], listed["cause"], listed["state"]) == ("new", "ingest", "open")
    assert listed["dataset_id"] == str(other.pk)
    early = send(officer, "POST", f"{path}/erase", {})
    assert (early.status_code, early.json()["code"]) == (409, "VAULT_COMP_8097")
    begun = send(officer, "POST", f"{path}/search")
    assert (begun.status_code, begun["Location"]) == (202, f"/api/v1/subject-searches/{begun.json()['id']}")
    run_search(tenant.pk, begun.json()["id"])
    erasing = send(officer, "POST", f"{path}/erase", {"legal_basis": "art17-1-d"})
    assert (erasing.status_code, erasing.json()["legal_basis"]) == (202, "art17-1-d")
    with acting(tenant):
        assert SubjectErasure.objects.filter(pk=erasing.json()["id"]).exists()
    said = send(officer, "POST", f"{path}/dismiss", {"ground": "Kept for a contract"})
    assert (said.status_code, said.json()["ground"]) == (200, "Kept for a contract")
    assert send(officer, "GET", "/subject-returns?state=open").json()["data"] == []
    assert send(officer, "GET", "/subject-returns?state=gone").status_code == 400
    assert send(caller(tenant, "data_scientist"), "GET", "/subject-returns").status_code == 403


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_returns_in_the_browser(tenant, dataset):
    officer = browser_of(tenant, "privacy_officer")
    assert "Nothing of an erased person has come back" in opened(officer, PAGE)[0].text
    erase_person(tenant, search_for(tenant, ADA[:1]))
    other = make_dataset(tenant)
    upload(tenant, other, jsonl([*BACK, {"id": "again", "text": f"And {EMAIL}."}]))
    again_row, new = sorted(open_returns(tenant), key=lambda row: row.record_id)
    shown = opened(officer, PAGE)[0].text
    assert f"/admin/datasets/dataset/{other.pk}/records/new/" in shown
    assert EMAIL not in shown.lower()
    stay = shown[shown.index('<form method="post" id="stay"') :]
    assert 'name="search"' not in stay[: stay.index("</form>")]
    assert shown.count('form="stay"') == 2
    assert "Records of erased people that came back" in opened(officer, "/admin/")[0].text
    refused, _ = opened(officer, PAGE, {"do": "dismiss", "return": [str(new.pk)], "ground": ""}, method="post")
    assert refused.status_code == 400
    stays = {"do": "dismiss", "return": [str(new.pk)], "ground": "They asked to be kept"}
    assert opened(officer, PAGE, stays, method="post")[0].status_code == 302
    begun, _ = opened(officer, PAGE, {"search": str(again_row.pk)}, method="post")
    with acting(tenant):
        search = SubjectSearch.objects.order_by("-id")[0]
    assert begun["Location"] == f"/admin/compliance/subjects/searches/{search.pk}/"
    run_search(tenant.pk, search.pk)
    assert "Review, and erase again" in opened(officer, PAGE)[0].text
    settled = opened(officer, f"{PAGE}?state=dismissed")[0].text
    assert "They asked to be kept" in settled
