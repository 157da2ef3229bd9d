"""Notices of holds over the API and in browsers: the manager's side, and a custodian's own."""

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import User
from compliance.models import HoldNotice
from tests.compliance.holds.cases import MATTER, disabled_user, place, release, whole
from tests.compliance.holds.test_holds_api import body_for, person
from tests.compliance.holds.test_holds_pages import PAGE, form
from tests.compliance.holds.test_notices import TEXT
from tests.factories.access import acting, make_user
from tests.factories.api import caller, events_of, new_request_id, send
from tests.factories.datasets import make_dataset
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
OWN = "/admin/compliance/hold-notices/"
SAID = {"keep": TEXT.keep, "contact": TEXT.contact}


def id_of(tenant, username: str):
    with acting(tenant):
        return User.objects.get(username=username).pk


def test_a_custodian_is_told_and_answers_over_the_api(tenant) -> None:
    manager, custodian = person(tenant, "legal_counsel"), person(tenant, "viewer")
    me = send(custodian, "GET", "/me").json()["id"]
    scope = {"kind": "dataset", "dataset_id": str(make_dataset(tenant).pk)}
    hold = send(manager, "POST", "/legal-holds", body_for(tenant, scope, custodian=me, notice=SAID)).json()
    assert hold["notices"] == {"told": 1, "acknowledged": 0}
    (mine,) = send(custodian, "GET", "/me/hold-notices").json()["data"]
    assert (mine["matter"], mine["keep"], mine["contact"], mine["acknowledged_at"]) == (MATTER, *SAID.values(), None)
    path, asked = f"/me/hold-notices/{mine['id']}", new_request_id()
    answer = send(custodian, "POST", f"{path}/acknowledge", None, **{"X-Request-ID": asked})
    assert (answer.status_code, bool(answer.json()["acknowledged_at"])) == (200, True)
    assert [event.type for event in events_of(tenant, asked)] == ["legal_hold.notice.acknowledged"]
    assert send(custodian, "GET", path).json() == answer.json()
    listed = send(manager, "GET", f"/legal-holds/{hold['id']}/notices").json()["data"]
    assert [(one["person"], one["keep"], one["reminders"]) for one in listed] == [(me, TEXT.keep, 0)]
    assert send(manager, "GET", f"/legal-holds/{hold['id']}").json()["notices"] == {"told": 1, "acknowledged": 1}
    assert send(custodian, "GET", f"/legal-holds/{hold['id']}").status_code == 403
    again = send(manager, "POST", f"/legal-holds/{hold['id']}/notices", SAID)
    assert (again.status_code, again.json()["code"]) == (409, "VAULT_COMP_8024")


def test_the_notices_of_others_are_as_ones_that_never_were(tenant, rival) -> None:
    client = person(tenant, "legal_counsel")
    place(tenant, whole(make_dataset(tenant)), notice=TEXT)
    place(rival, whole(make_dataset(rival)), notice=TEXT)
    ids = [uuid4()]
    for each in (tenant, rival):
        with acting(each):
            ids.append(HoldNotice.objects.get().pk)
    for method, step in (("GET", ""), ("POST", "/acknowledge")):
        said = [send(client, method, f"/me/hold-notices/{one}{step}").json() | {"trace_id": ""} for one in ids]
        assert said[0] == said[1] == said[2]
        assert said[0]["code"] == "VAULT_COMP_8023"
    asked = new_request_id()
    send(client, "GET", f"/me/hold-notices/{ids[1]}", None, **{"X-Request-ID": asked})
    assert [event.status for event in events_of(tenant, asked)] == ["denied"]


def test_programs_and_readers_of_holds_see_neither_texts_nor_notes(tenant) -> None:
    hold = place(tenant, whole(make_dataset(tenant)), notice=TEXT)
    manager = person(tenant, "legal_counsel")
    (notice,) = send(manager, "GET", f"/legal-holds/{hold.pk}/notices").json()["data"]
    path = f"/legal-holds/{hold.pk}/notices/{notice['id']}/acknowledgement"
    noted = send(manager, "POST", path, {"note": "letter of 3 May"}).json()
    assert (noted["note"], noted["recorded_by"]) == ("letter of 3 May", send(manager, "GET", "/me").json()["id"])
    seen = send(caller(tenant, "auditor"), "GET", f"/legal-holds/{hold.pk}/notices")
    assert not [word for word in ("Zanzibar", "room 3", "letter") if word in seen.content.decode()]
    assert seen.json()["data"][0]["acknowledged_at"] is not None
    assert send(caller(tenant, "auditor"), "GET", "/me/hold-notices").json()["data"] == []


def test_people_told_are_listed_page_by_page(tenant) -> None:
    hold, manager = place(tenant, whole(make_dataset(tenant)), notice=TEXT), person(tenant, "legal_counsel")
    path, people = f"/legal-holds/{hold.pk}/notices", [make_user(tenant).pk for _ in range(2)]
    for one in people:
        assert send(manager, "POST", path, {**SAID, "person": str(one)}).status_code == 201
    first = send(manager, "GET", f"{path}?limit=2").json()
    rest = send(manager, "GET", f"{path}?limit=2&cursor={first['pagination']['next_cursor']}").json()["data"]
    assert [one["person"] for one in first["data"] + rest][1:] == [str(one) for one in people]
    assert send(manager, "GET", f"{path}?cursor=YQ").status_code == 400


@pytest.mark.parametrize("said", [{}, {"keep": "a"}, {"keep": " ", "contact": "b"}, {**SAID, "until": "2030"}])
def test_a_notice_says_what_to_keep_and_whom_to_ask(tenant, said) -> None:
    hold = place(tenant, whole(make_dataset(tenant)))
    assert send(person(tenant, "legal_counsel"), "POST", f"/legal-holds/{hold.pk}/notices", said).status_code == 400


def test_a_custodian_acknowledges_on_a_page_of_their_own(tenant) -> None:
    manager, custodian = browser_of(tenant, "legal_counsel"), browser_of(tenant, "viewer", username="mallory")
    assert "You were told of no legal hold." in custodian.get(OWN).text
    wanted = form(tenant, make_dataset(tenant), custodian=str(id_of(tenant, "mallory")), **SAID)
    page = manager.post(PAGE, wanted)["Location"]
    assert "not yet" in manager.get(page).text
    assert "0 of 1 told" in manager.get(PAGE).text
    assert "Legal holds that wait for your acknowledgement" in custodian.get("/admin/").text
    assert "waits for you" in custodian.get(OWN).text
    with acting(tenant):
        mine = f"{OWN}{HoldNotice.objects.get().pk}/"
    assert not [word for word in (TEXT.keep, TEXT.contact, MATTER) if word not in custodian.get(mine).text]
    assert custodian.post(mine)["Location"] == mine
    shown = custodian.get(mine).text
    assert ("I have read this" in shown, "Acknowledged" in shown) == (False, True)
    assert "wait for your acknowledgement" not in custodian.get("/admin/").text
    assert "not yet" not in manager.get(page).text
    assert "1 of 1 told" in manager.get(PAGE).text
    assert custodian.get(page).status_code == 403
    assert [manager.get(one).status_code for one in (mine, f"{OWN}{uuid4()}/")] == [404, 404]


def test_who_manages_a_hold_tells_more_people_and_writes_down_what_they_said(tenant) -> None:
    hold, browser = place(tenant, whole(make_dataset(tenant))), browser_of(tenant, "legal_counsel")
    page, gone = f"{PAGE}{hold.pk}/", disabled_user(tenant)
    offered = browser.get(page).text
    assert "Nobody was told of this hold." in offered
    assert re.search(rf'value="{hold.custodian}"\s+selected', offered)
    told = browser.post(page, {"do": "tell", "person": str(gone), **SAID}, follow=True).text
    assert ("could not tell them" in told, "not reached" in told, TEXT.keep in told) == (True, True, True)
    with acting(tenant):
        notice = HoldNotice.objects.get()
    assert browser.post(page, {"do": "record", "notice": str(notice.pk), "note": " "}).status_code == 400
    noted = browser.post(page, {"do": "record", "notice": str(notice.pk), "note": "letter <3>"}, follow=True).text
    assert ("letter &lt;3&gt;" in noted, "recorded by" in noted) == (True, True)
    read = browser_of(tenant, "auditor").get(page).text
    assert ("People told" in read, "letter" in read, "Tell them" in read) == (True, False, False)
    assert browser_of(tenant, "auditor").post(page, {"do": "tell", "person": str(gone), **SAID}).status_code == 403


def test_the_page_of_a_hold_that_is_over_says_so_to_who_was_told(tenant) -> None:
    browser = browser_of(tenant, "viewer", username="mallory")
    hold = place(tenant, whole(make_dataset(tenant)), custodian=id_of(tenant, "mallory"), notice=TEXT)
    release(tenant, hold)
    with acting(tenant):
        mine = f"{OWN}{HoldNotice.objects.get().pk}/"
    shown = browser.get(mine).text
    assert ("The hold is over" in shown, "I have read this" in shown) == (True, False)
    assert browser.post(mine).status_code == 409
    assert "over" in browser.get(OWN).text


def test_lists_of_holds_count_who_answered_without_reading_a_text(tenant) -> None:
    place(tenant, whole(make_dataset(tenant)), notice=TEXT)
    place(tenant, whole(make_dataset(tenant)))
    client = person(tenant, "legal_counsel")
    with CaptureQueriesContext(connection) as asked:
        holds = send(client, "GET", "/legal-holds").json()["data"]
    assert [hold["notices"] for hold in holds] == [{"told": 0, "acknowledged": 0}, {"told": 1, "acknowledged": 0}]
    (counted,) = [query["sql"] for query in asked if "compliance_holdnotice" in query["sql"]]
    assert ("COUNT" in counted, '"text"' in counted, '"note"' in counted) == (True, False, False)


def test_pages_say_that_they_offer_the_first_people_only(tenant, monkeypatch) -> None:
    hold, browser = place(tenant, whole(make_dataset(tenant))), browser_of(tenant, "legal_counsel")
    pages = (PAGE, f"{PAGE}{hold.pk}/")
    assert not [page for page in pages if "people by name can be chosen" in browser.get(page).text]
    monkeypatch.setattr("compliance.pages.holds._OFFERED", 1)
    assert not [page for page in pages if "Only the first 1 people by name can be chosen" not in browser.get(page).text]
