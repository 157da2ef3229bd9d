"""A request searches for its subject, is reviewed, and ends in what was found."""

import io
import json
import zipfile

import pytest

from access.models import Role
from compliance.models import SubjectErasure, SubjectMatch, SubjectSearch
from compliance.requests.package_work import run_package
from compliance.requests.sealed import SubjectFacts
from compliance.requests.wanted import identifiers_of, too_short
from compliance.subjects import sweep
from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.search import forget_identifiers
from compliance.tasks import continue_subject_search
from datasets.models import Dataset
from datasets.services.erasure import work as record_work
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from tests.factories.drafts import make_draft, put
from tests.factories.pages import browser_of
from tests.factories.subjects import run_parts
from tests.factories.upkeep import again
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
JANE = "jane.smithson@example.org"
ROWS = [
    {"id": "mail", "text": f"Write to {JANE} about it."},
    {"id": "number", "text": "Customer C-1029 called."},
    {"id": "name", "text": "Jane Smithson wrote the first letter."},
    {"id": "other", "text": "Nobody is in here, nobody at all."},
]


@pytest.fixture(autouse=True)
def patient_readers(monkeypatch):
    monkeypatch.setattr(record_work, "PLACE_SECONDS", 0.0)


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl(ROWS)).status == "succeeded"
    return made


@pytest.fixture
def searched(tenant, dataset, asked, act):
    """A verified request whose search has run."""

    def make(body=None, **changed):
        request = asked(identity="known", **changed)
        status, begun = act(request, "search", body or {})
        assert status == 202, begun
        continue_subject_search(str(tenant.pk), begun["search"]["id"])
        return request, begun["search"]["id"]

    return make


def review(officer, search, decision="accepted"):
    path = f"/subject-searches/{search}/matches"
    pending = [one["id"] for one in send(officer, "GET", f"{path}?state=pending").json()["data"]]
    assert send(officer, "POST", path, {"matches": pending, "decision": decision}).status_code == 200
    return len(pending)


def erased(tenant, act, request, **body):
    status, begun = act(request, "erasure", {"legal_basis": "art17-1-a"} | body)
    assert status == 202, begun
    with acting(tenant):
        erasure = SubjectErasure.objects.get(pk=begun["erasure"]["id"])
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    run_subject_erasure(tenant.pk, erasure.pk)
    return again(tenant, erasure)


def test_what_is_known_of_the_subject_is_searched_for_by_its_kind() -> None:
    facts = SubjectFacts("Jane Smithson", JANE, ("C-1029", "+49 30 1234567", "4111 1111 1111 1111", "x1"))
    kinds = {one.value: one.type for one in identifiers_of(facts)}
    assert kinds == {
        "Jane Smithson": "PERSON",
        JANE: "EMAIL_ADDRESS",
        "C-1029": "OTHER",
        "+49 30 1234567": "PHONE_NUMBER",
        "4111 1111 1111 1111": "CREDIT_CARD",
    }
    assert too_short(facts) == 1
    assert too_short(SubjectFacts("Jane", "Rose Lane 7")) == 1


def test_a_search_starts_from_the_request_and_its_matches_are_the_requests(tenant, dataset, officer, searched, act):
    request, search = searched()
    status, shown = act(request, "search", method="GET")
    assert (status, shown["search"]["status"], shown["undecided"], shown["skipped"]) == (200, "succeeded", 1, 0)
    assert shown["search"]["request_id"] == request["id"]
    assert act(request, "", method="GET")[1]["state"] == "review", "the end of the search puts it in review"
    assert act(request, "matches", method="GET")[1]["data"] == [
        {"dataset_id": str(dataset.pk), "record_ids": ["mail", "number"]}
    ]
    for what, body in (("package", None), ("move", {"to": "executing"}), ("answer", {"message": "Here."})):
        status, refusal = act(request, what, body)
        assert (status, refusal["code"], refusal["undecided"]) == (409, "VAULT_COMP_8084", 1), what
    assert review(officer, search) == 1
    assert act(request, "matches", method="GET")[1]["data"][0]["record_ids"] == ["mail", "name", "number"]


def test_the_package_holds_what_was_found_and_entered_and_says_what_lies_elsewhere(
    tenant, dataset, officer, searched, act
):
    put(tenant, make_draft(tenant, dataset), [{"id": "staged", "data": {"text": f"Mail {JANE} today."}}])
    request, search = searched()
    review(officer, search, "rejected")
    body = {"matches": [{"dataset_id": str(dataset.pk), "record_ids": ["other"]}]}
    act(request, "matches", body, "PUT")
    status, package = act(request, "package")
    assert status == 202
    run_package(tenant.pk, package["id"])
    answer = send(officer, "GET", f"/subject-requests/{request['id']}/package/file")
    archive = zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content)))
    said = json.loads(archive.read("data.json"))
    assert [one["id"] for one in said["datasets"][0]["records"]] == ["mail", "number", "other"]
    assert said["elsewhere"] == {"drafts": 1}
    assert "drafts: 1" in archive.read("your-data.html").decode()


def test_a_request_is_searched_once_verified_and_one_search_at_a_time(tenant, asked, act):
    assert act(asked(), "search", {})[1]["code"] == "VAULT_COMP_8051"
    request = asked(identity="known", contact="Rose Lane 7, Ulm")
    assert act(request, "search", method="GET")[1]["code"] == "VAULT_COMP_8067"
    _, first = act(request, "search", {})
    status, refusal = act(request, "search", {})
    assert (status, refusal["code"], refusal["search"]) == (409, "VAULT_COMP_8069", first["search"]["id"])
    assert act(request, "move", {"to": "review"})[0] == 200
    assert act(request, "answer", {"message": "Here."})[1]["code"] == "VAULT_COMP_8069"


def test_a_search_that_found_too_much_is_acted_on_by_nobody_and_made_anew_for_less(searched, act, monkeypatch):
    monkeypatch.setattr(sweep, "MAX_MATCHES", 1)
    request, _ = searched(type="erasure")
    assert act(request, "erasure", {"legal_basis": "art17-1-a"})[1]["code"] == "VAULT_COMP_8091"
    monkeypatch.undo()
    narrow = {"identifiers": [{"type": "EMAIL_ADDRESS", "value": JANE}]}
    status, begun = act(request, "search", narrow)
    assert (status, begun["search"]["identifier_types"]) == (202, ["EMAIL_ADDRESS"])
    assert act(request, "search", {"identifiers": [{"type": "EMAIL_ADDRESS", "value": "x"}]})[0] == 409


def test_a_subject_of_whom_nothing_can_be_looked_for_is_told_so(asked, act):
    request = asked(identity="known", name="Jane", contact="Ulm", identifiers=[])
    status, refusal = act(request, "search", {})
    assert (status, refusal["errors"][0]["field"]) == (400, "/identifiers")


def test_an_erasure_ends_in_a_receipt_and_only_then_is_the_request_answered(tenant, dataset, searched, act, mailed):
    officer = caller(tenant, "privacy_officer")
    request, search = searched(type="erasure")
    assert act(request, "erasure", method="GET")[1]["code"] == "VAULT_COMP_8068"
    assert act(request, "erasure", {"legal_basis": "art17-1-a"})[1]["code"] == "VAULT_COMP_8084"
    review(officer, search, "rejected")
    status, refusal = act(request, "answer", {"message": "Done."})
    assert (status, refusal["code"], refusal["reason"]) == (409, "VAULT_COMP_8070", "not_erased")
    act(request, "matches", {"matches": [{"dataset_id": str(dataset.pk), "record_ids": ["other"]}]}, "PUT")
    erasure = erased(tenant, act, request)
    assert (erasure.status, str(erasure.case)) == ("succeeded", request["id"])
    assert [record.id for record in read_all(tenant, dataset)] == ["name"], "what was entered by hand goes as well"
    shown = act(request, "erasure", method="GET")[1]
    assert (shown["has_receipt"], shown["conflicts"], shown["recipients"]) == (True, [], 0)
    assert act(request, "erasure", {"legal_basis": "art17-1-a"})[1]["code"] == "VAULT_COMP_8086"
    answered = act(request, "answer", {"message": "You are erased."})[1]
    assert (answered["state"], answered["outcome"], answered["refusal_ground"]) == ("answered", "fulfilled", "")
    assert mailed()[-1].body == "You are erased."
    assert act(request, "move", {"to": "closed"})[1]["closed_at"]


def test_an_erasure_under_way_answers_nothing(tenant, dataset, officer, searched, act):
    request, search = searched(type="erasure")
    review(officer, search)
    act(request, "erasure", {"legal_basis": "art17-1-a"})
    assert act(request, "answer", {"message": "Done."})[1]["reason"] == "queued"


def test_what_is_kept_is_answered_with_its_ground(tenant, dataset, searched, act, mailed):
    officer = caller(tenant, "privacy_officer")
    request, search = searched(type="erasure")
    review(officer, search)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    erased(tenant, act, request)
    (conflict,) = act(request, "erasure", method="GET")[1]["conflicts"]
    assert (conflict["dataset_id"], conflict["records"], conflict["conflict"]) == (
        str(dataset.pk),
        3,
        "VAULT_DATA_4006",
    )
    status, refusal = act(request, "answer", {"message": "Erased."})
    assert (status, refusal["code"], refusal["kept"]) == (409, "VAULT_COMP_8071", 3)
    answered = act(request, "answer", {"message": "We had to keep it.", "ground": "legal_claims"})[1]
    assert (answered["outcome"], answered["refusal_ground"]) == ("partly", "legal_claims")
    (mail,) = mailed()
    assert "Art. 17(3)(e)" in mail.body
    assert "supervisory authority" in mail.body


def test_a_request_of_whom_nothing_is_stored_is_fulfilled_by_its_search(tenant, dataset, searched, act):
    request, _ = searched(type="erasure", name="Zoe Nobody", contact="zoe@example.net", identifiers=[])
    assert act(request, "erasure", {"legal_basis": "art17-1-a"})[1]["code"] == "VAULT_COMP_8085"
    assert act(request, "answer", {"message": "We hold nothing of you."})[1]["outcome"] == "fulfilled"


def test_only_a_request_for_erasure_erases(tenant, officer, searched, act, asked):
    request, search = searched()
    review(officer, search)
    assert act(request, "erasure", {"legal_basis": "art17-1-a"})[1]["code"] == "VAULT_COMP_8064"
    bare = asked(identity="known", type="erasure", contact="Rose Lane 7, Ulm")
    act(bare, "move", {"to": "searching"})
    act(bare, "move", {"to": "review"})
    assert act(bare, "erasure", {"legal_basis": "art17-1-a"})[1]["code"] == "VAULT_COMP_8061"
    assert act(bare, "answer", {"message": "Done."})[1]["reason"] == "not_searched"


def test_the_search_of_a_request_is_not_erased_past_it(tenant, officer, searched):
    request, search = searched(type="erasure")
    review(officer, search)
    answer = send(officer, "POST", "/subject-erasures", {"search_id": search, "legal_basis": "art17-1-a"})
    assert (answer.status_code, answer.json()["code"], answer.json()["request"]) == (
        409,
        "VAULT_COMP_8092",
        request["id"],
    )


def test_a_request_that_is_over_lets_its_search_forget(tenant, searched, act):
    request, search = searched()
    act(request, "move", {"to": "closed"})
    assert forget_identifiers() >= 1
    with acting(tenant):
        assert SubjectSearch.objects.get(pk=search).identifiers is None


def test_who_answers_requests_but_may_not_search_starts_none(tenant, dataset, asked):
    with acting(tenant):
        Role.objects.create(code="clerk", name="Clerk", permissions=["subject_request.manage"])
    request = asked(identity="known")
    answer = send(caller(tenant, "clerk"), "POST", f"/subject-requests/{request['id']}/search", {})
    assert answer.status_code == 403
    with acting(tenant):
        assert not SubjectSearch.objects.filter(case=request["id"]).exists()


def test_the_way_of_an_erasure_in_the_browser(tenant, dataset, officer, asked):
    request = asked(identity="known", type="erasure")
    browser = browser_of(tenant, "privacy_officer", purpose="evaluation")
    page = f"/admin/compliance/requests/{request['id']}/"
    assert "Search for the person" in browser.get(page).text
    assert browser.post(page, {"do": "search"}).status_code == 302
    assert "Under way" in browser.get(page).text
    with acting(tenant):
        search = SubjectSearch.objects.get(case=request["id"])
    continue_subject_search(str(tenant.pk), str(search.pk))
    shown = browser.get(page).text
    for said in ("1 to decide", "First decide on the matches that wait.", "records of versions"):
        assert said in shown
    looked = browser.get(f"/admin/compliance/subjects/searches/{search.pk}/").text
    assert "The request that this search belongs to" in looked
    assert "Erase the person" not in looked
    review(officer, search.pk)
    erase = {"do": "erase", "basis": "art17-1-b", "confirmed": "1"}
    assert browser.post(page, erase | {"confirmed": ""}).status_code == 400
    assert browser.post(page, erase | {"basis": "whim"}).status_code == 400
    assert browser.post(page, erase).status_code == 302
    with acting(tenant):
        erasure = SubjectErasure.objects.get(case=request["id"])
    assert "How far it is, dataset by dataset" in browser.get(page).text
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    run_subject_erasure(tenant.pk, erasure.pk)
    assert "Signed receipt" in browser.get(page).text
    assert browser.post(page, {"do": "answer", "text": "You are erased."}).status_code == 302
    assert browser.post(page, {"do": "move", "to": "closed"}).status_code == 302
    auditor = browser_of(tenant, "auditor").get(page).text
    assert "Signed receipt" in auditor
    assert JANE not in auditor
    with acting(tenant):
        assert SubjectMatch.objects.filter(search=search, reason="entered").count() == 0
