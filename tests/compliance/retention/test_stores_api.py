"""The REST API of terms over stores, and their page."""

import pytest

from access.terms import Store
from tests.compliance.retention.stores import MAKERS, aged, set_days, stands
from tests.factories.api import caller, send
from tests.factories.pages import browser_of
from tests.factories.retention import run_now
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
PATH = "/retention/stores/exports"
PAGE = "/admin/compliance/retention/stores/exports/"
BODY = {"days": 5, "grace_days": 0, "legal_basis": "Storage limitation (GDPR, article 5)"}


def test_a_term_is_tried_set_worded_anew_and_ended(tenant) -> None:
    old = aged(tenant, Store.EXPORTS, MAKERS[Store.EXPORTS](tenant), 6)
    manager, auditor = caller(tenant, "privacy_officer"), caller(tenant, "auditor")
    listed = send(auditor, "GET", "/retention/stores").json()["data"]
    assert {one["store"]: one["term"] for one in listed} == dict.fromkeys(store.value for store in Store)
    before = send(auditor, "GET", PATH).json()
    assert (before["standing"], before["held"], before["term"]) == (1, 0, None)
    would = send(auditor, "POST", f"{PATH}/preview", {"days": 5, "grace_days": 0}).json()
    assert (would["shortened"], would["ending"], would["standing"]) == (1, 1, 1)
    assert send(auditor, "POST", f"{PATH}/preview", {"days": 5, "grace_days": 3}).json()["ending"] == 0
    ahead = {"days": 5, "grace_days": 3, "ahead_days": 4}
    assert send(auditor, "POST", f"{PATH}/preview", ahead).json()["ending"] == 1
    made = send(manager, "PUT", PATH, BODY).json()
    assert BODY.items() <= made["term"].items()
    assert send(manager, "PUT", PATH, BODY | {"days": 4}).json()["term"]["revision"] == 2
    run = run_now(tenant)
    (step,) = send(auditor, "GET", f"/retention/runs/{run.pk}/stores").json()["data"]
    assert (step["store"], step["days"], step["ended"], step["standing"]) == ("exports", 4, 1, 0)
    assert not stands(tenant, Store.EXPORTS, old)
    assert send(manager, "DELETE", PATH).status_code == 204
    gone = send(manager, "DELETE", PATH)
    assert (gone.status_code, gone.json()["code"]) == (404, "VAULT_COMP_8005")
    assert send(auditor, "GET", PATH).json()["term"] is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"days": 0}, "/days"),
        ({"days": 9_999}, "/days"),
        ({"grace_days": 400}, "/grace_days"),
        ({"legal_basis": " "}, "/legal_basis"),
        ({"store": "drafts"}, "/store"),
    ],
)
def test_what_does_not_fit_is_named(tenant, changed, field) -> None:
    answer = send(caller(tenant, "privacy_officer"), "PUT", PATH, BODY | changed)
    assert (answer.status_code, [one["field"] for one in answer.json()["errors"]]) == (400, [field])


def test_the_basis_of_a_term_holds_no_personal_data(tenant) -> None:
    answer = send(caller(tenant, "privacy_officer"), "PUT", PATH, BODY | {"legal_basis": "ada.lovelace@example.com"})
    assert answer.status_code in {400, 422}
    assert "ada" not in answer.text


def test_there_is_no_other_store_and_who_reads_sets_nothing(tenant, rival) -> None:
    set_days(tenant, Store.EXPORTS, 5)
    auditor = caller(tenant, "auditor")
    for method, body in (("PUT", BODY), ("DELETE", None)):
        assert send(auditor, method, PATH, body).status_code == 403
    other = send(auditor, "GET", "/retention/stores/datasets")
    assert (other.status_code, other.json()["code"]) == (404, "VAULT_COMP_8005")
    assert send(caller(rival, "auditor"), "GET", PATH).json()["term"] is None
    assert send(caller(tenant, "data_steward"), "GET", PATH).status_code == 403


def test_the_page_tries_sets_and_ends_a_term(tenant) -> None:
    aged(tenant, Store.EXPORTS, MAKERS[Store.EXPORTS](tenant), 6)
    officer = browser_of(tenant, "privacy_officer")
    home = officer.get("/admin/compliance/retention/")
    assert PAGE in home.text
    form = {name: str(value) for name, value in BODY.items()}
    tried = officer.post(PAGE, form | {"do": "preview"})
    assert "1</strong> would end earlier" in " ".join(tried.text.split())
    assert "no policy" in " ".join(officer.get(PAGE).text.split())
    assert officer.post(PAGE, form | {"do": "save"}).status_code == 302
    assert "5 days by policy" in " ".join(officer.get("/admin/compliance/retention/").text.split())
    run = run_now(tenant)
    report = " ".join(officer.get(f"/admin/compliance/retention/runs/{run.pk}/").text.split())
    assert "Files of exports" in report
    refused = officer.post(PAGE, form | {"do": "save", "days": "many"})
    assert (refused.status_code, "a whole number" in refused.text) == (400, True)
    assert officer.post(PAGE, {"do": "end"}).status_code == 302
    assert "5 days by policy" not in " ".join(officer.get("/admin/compliance/retention/").text.split())
    assert officer.post(PAGE, {"do": "nothing"}).status_code == 400
    assert officer.get("/admin/compliance/retention/stores/datasets/").status_code == 404


def test_who_reads_the_page_has_no_buttons(tenant) -> None:
    set_days(tenant, Store.EXPORTS, 5)
    auditor = browser_of(tenant, "auditor")
    page = auditor.get(PAGE)
    assert (page.status_code, ">Save<" in page.text, "Take the policy back" in page.text) == (200, False, False)
    assert auditor.post(PAGE, {"do": "end"}).status_code == 403
