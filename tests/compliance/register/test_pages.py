"""The register, its parties and impact assessments in the browser."""

import csv
import io

import orjson
import pytest

from compliance.models import Party
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.consents import agree, mail, rest_on_consent
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from tests.factories.pages import browser_of, events_of, opened

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
PAGE = "/admin/compliance/register/"
PARTIES = f"{PAGE}parties/"
FAR = {"role": "processor", "name": "Far <b>Ltd</b>", "country": "us", "safeguard": "none", "does": "labelling"}


@pytest.fixture
def officer(tenant):
    return browser_of(tenant, "privacy_officer")


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl([{"id": "a", "mail": "ada@example.com"}]))
    read_all(tenant, made)
    return made


def test_the_register_is_shown_as_it_is_now_with_what_is_missing_marked(tenant, officer, dataset) -> None:
    empty = officer.get(PAGE).text
    assert "to be completed." in empty
    assert dataset.name in empty
    assert "email address" in empty.lower()
    rest_on_consent(tenant, subjects="customers", time_limit="two years", description="Train <i>models</i>")
    assert officer.post(PARTIES, FAR).status_code == 302
    shown = officer.get(PAGE).text
    assert "Far &lt;b&gt;Ltd&lt;/b&gt; (US)" in shown
    assert "safeguard to be completed" in shown
    assert [word in shown for word in ("customers", "two years", "Train &lt;i&gt;models&lt;/i&gt;")] == [True] * 3
    assert officer.get(PAGE, {"role": "nobody"}).status_code == 400
    mandates = officer.get(PAGE, {"role": "processor"}).text
    assert "Nothing is processed on behalf of others." in mandates
    officer.post(PARTIES, FAR | {"role": "client", "name": "Client AG", "does": "labelling of texts"})
    assert "labelling of texts" in officer.get(PAGE, {"role": "processor"}).text


def test_the_register_is_saved_as_the_api_gives_it(tenant, officer, dataset) -> None:
    officer.post(PARTIES, FAR)
    api = send(caller(tenant, "privacy_officer", purpose=""), "GET", "/register").json()
    saved = officer.get(f"{PAGE}file/")
    assert saved["Content-Disposition"] == 'attachment; filename="register-controller.json"'
    assert orjson.loads(saved.content)["activities"] == api["activities"]
    rows = list(csv.DictReader(io.StringIO(officer.get(f"{PAGE}file/", {"as": "csv"}).text)))
    assert {row["purpose"] for row in rows} == {one["purpose"] for one in api["activities"]}
    assert officer.get(f"{PAGE}file/", {"as": "pdf"}).status_code == 400
    assert officer.post(f"{PAGE}file/").status_code == 405


def test_a_party_is_added_changed_and_ended(tenant, officer) -> None:
    assert "not even the controller" in officer.get(PARTIES).text
    refused = officer.post(PARTIES, FAR | {"country": "u1"})
    assert (refused.status_code, "labelling" in refused.text) == (400, True)
    officer.post(PARTIES, FAR)
    with acting(tenant):
        party = Party.objects.get()
    page = f"{PARTIES}{party.pk}/"
    assert "no safeguard" in officer.get(page).text
    wrong = officer.post(page, FAR | {"name": " ", "does": "kept as typed"})
    assert (wrong.status_code, "kept as typed" in wrong.text) == (400, True)
    answer, request_id = opened(officer, page, FAR | {"name": "Far Inc", "safeguard": "clauses"}, method="post")
    assert answer.status_code == 302
    told = str([event.body for event in events_of(tenant, request_id)])
    assert ("Far" in told, "name safeguard" in told) == (False, True)
    shown = officer.get(PARTIES).text
    assert ("Far Inc" in shown, "standard contractual clauses" in shown, "v-denied" in shown) == (True, True, False)
    assert officer.post(page, {"do": "end"}).status_code == 302
    assert officer.post(page, {"do": "end"}).status_code == 404
    assert officer.get(page).status_code == 404
    assert officer.post(page, FAR).status_code == 404
    assert "1 that takes part no more" in officer.get(PARTIES).text


def test_a_party_is_changed_by_the_api(tenant, rival) -> None:
    officer = caller(tenant, "privacy_officer", purpose="")
    made = send(officer, "POST", "/processors", {"name": "Far Ltd", "country": "US"}).json()
    path = f"/processors/{made['id']}"
    changed = send(officer, "PUT", path, {"name": "Near Ltd", "country": "DE", "does": "hosting"})
    assert (changed.status_code, changed.json()["name"], changed.json()["is_transfer"]) == (200, "Near Ltd", False)
    assert send(officer, "PUT", path, {"name": "Near Ltd", "country": "germany"}).status_code == 400
    personal = send(officer, "PUT", path, {"name": "Near Ltd", "does": "calls ada@example.com"})
    assert personal.status_code in {400, 422}
    assert send(caller(tenant, "auditor", purpose=""), "PUT", path, {"name": "X"}).status_code == 403
    theirs = send(caller(rival, "privacy_officer", purpose=""), "PUT", path, {"name": "X"})
    assert (theirs.status_code, theirs.json()["code"]) == (404, "VAULT_COMP_8130")


def test_an_assessment_is_shown_filled_in_and_saved(tenant, officer, dataset) -> None:
    rest_on_consent(tenant, subjects="customers")
    agree(tenant, mail("ada@example.com"))
    officer.post(PARTIES, FAR)
    chosen = officer.get(f"{PAGE}assessments/", {"dataset": str(dataset.pk)})
    assert chosen["Location"] == f"{PAGE}assessments/{dataset.pk}/"
    assert dataset.name in officer.get(f"{PAGE}assessments/").text
    shown = officer.get(chosen["Location"]).text
    facts = ("lawful basis consent", "customers", "1 given, 0 withdrawn", "Far &lt;b&gt;Ltd", "7 questions")
    assert [fact for fact in facts if fact not in shown] == []
    assert shown.count(">open</span>") == 7
    saved = officer.get(f"{chosen['Location']}file/")
    assert saved["Content-Type"].startswith("text/markdown")
    assert saved.text.count("TO BE ANSWERED") == 7


def test_readers_see_the_register_and_change_nothing_and_others_see_nothing(tenant, rival, officer, dataset) -> None:
    officer.post(PARTIES, FAR)
    with acting(tenant):
        page = f"{PARTIES}{Party.objects.get().pk}/"
    auditor = browser_of(tenant, "auditor")
    assert "Add a party" not in auditor.get(PARTIES).text
    assert "Save" not in auditor.get(page).text
    assert auditor.post(PARTIES, FAR).status_code == 403
    assert auditor.post(page, {"do": "end"}).status_code == 403
    steward = browser_of(tenant, "data_steward")
    pages = [PAGE, PARTIES, page, f"{PAGE}file/", f"{PAGE}assessments/", f"{PAGE}assessments/{dataset.pk}/"]
    assert {steward.get(one).status_code for one in pages} == {403}
    stranger = browser_of(rival, "privacy_officer")
    assert stranger.get(page).status_code == 404
    assert stranger.get(f"{PAGE}assessments/{dataset.pk}/").status_code == 404
