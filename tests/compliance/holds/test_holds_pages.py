"""Legal holds in the browser."""

import pytest

from access.models import User
from compliance.holds.release import request_release
from compliance.models import LegalHold
from datasets.models import Dataset, HoldMark
from datasets.services.hold_search import find_records_of
from tests.compliance.holds.cases import MATTER, counsel, custodian_of, place, query, subject, whole
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
PAGE = "/admin/compliance/holds/"
ADA = "ada.lovelace@example.com"


def form(tenant, of, **changed):
    facts = {"matter": MATTER, "reason": "A claim", "custodian": str(custodian_of(tenant)), "dataset": str(of.pk)}
    return facts | {"kind": "dataset", "version": "", "type": "EMAIL_ADDRESS", "identifier": "", "filter": ""} | changed


def test_a_hold_is_placed_confirmed_and_released_in_two_browsers(tenant) -> None:
    dataset = make_dataset(tenant)
    first, second = browser_of(tenant, "legal_counsel"), browser_of(tenant, "legal_counsel")
    assert "No hold is in force." in first.get(PAGE).text
    placed = first.post(PAGE, form(tenant, dataset))
    assert placed.status_code == 302
    page = placed["Location"]
    assert "Confirm: it is right" not in first.get(page).text
    assert "Legal holds to confirm" in second.get("/admin/").text
    assert "Confirm: it is right" in second.get(page).text
    second.post(page, {"do": "confirm"})
    second.post(page, {"do": "ask", "reason": "Settled"})
    assert "Release it as the second person" not in second.get(page).text
    assert "Release it as the second person" in first.get(page).text
    first.post(page, {"do": "withdraw"})
    first.post(page, {"do": "ask", "reason": "Settled after all"})
    assert "Settled after all" in second.get(page).text
    second.post(page, {"do": "agree"})
    with acting(tenant):
        assert LegalHold.objects.get().state == "released"
    shown = second.get(page).text
    assert [step in shown for step in ("Placed", "Confirmed", "Release asked for", "Released")] == [True] * 4
    assert "What it kept" in shown
    assert MATTER not in first.get(PAGE).text
    assert MATTER in first.get(PAGE, {"state": "released"}).text


def test_a_form_that_says_too_little_is_shown_again_with_what_was_said(tenant) -> None:
    dataset, browser = make_dataset(tenant), browser_of(tenant, "legal_counsel")
    for changed in ({"kind": "version"}, {"dataset": ""}, {"custodian": "x"}, {"kind": "?"}, {"filter": "a ="}):
        answer = browser.post(PAGE, form(tenant, dataset, **changed))
        assert answer.status_code == 400
        assert MATTER in answer.text
    assert browser.get(PAGE, {"state": "gone"}).status_code == 400
    with acting(tenant):
        assert not LegalHold.objects.exists()


def test_the_page_of_a_hold_says_what_it_keeps_and_readers_see_no_reason(tenant) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r0", "kind": "zanzibar", "text": f"Write to {ADA}"}]))
    hold = place(tenant, subject(dataset, ADA), query(dataset, "kind = 'zanzibar'"), reason="They sued <b>us</b>")
    page = f"{PAGE}{hold.pk}/"
    shown = browser_of(tenant, "legal_counsel").get(page).text
    assert "They sued &lt;b&gt;us&lt;/b&gt;" in shown
    assert "being looked for" in shown
    assert "zanzibar" in shown
    assert ADA not in shown
    with acting(tenant):
        mark = HoldMark.objects.get(kind="query")
    find_records_of(tenant.pk, mark.pk)
    read = browser_of(tenant, "auditor").get(page).text
    assert not [word for word in ("sued", "zanzibar", "being looked for", "Ask for its release") if word in read]


def test_the_badge_leads_who_may_read_holds_to_them_and_others_nowhere(tenant) -> None:
    dataset = make_dataset(tenant)
    place(tenant, whole(dataset))
    target = f"{PAGE}?dataset={dataset.pk}"
    counsels, stewards = browser_of(tenant, "legal_counsel"), browser_of(tenant, "data_steward")
    page = f"/admin/datasets/dataset/{dataset.pk}/"
    with acting(tenant):
        assert Dataset.objects.get(pk=dataset.pk).legal_hold
    for browser, is_led in ((counsels, True), (stewards, False)):
        shown = browser.get(page).text
        assert "legal hold" in shown
        assert (target in shown) == is_led
    assert MATTER in counsels.get(target).text
    assert MATTER not in counsels.get(f"{PAGE}?dataset={make_dataset(tenant).pk}").text
    assert stewards.get(PAGE).status_code == 403
    assert "Legal holds" not in stewards.get("/admin/").text


def test_the_custodian_is_not_offered_a_say(tenant) -> None:
    dataset = make_dataset(tenant)
    browser = browser_of(tenant, "legal_counsel", username="mallory")
    with acting(tenant):
        custodian = User.objects.get(username="mallory").pk
    hold, asker = place(tenant, whole(dataset), custodian=custodian), counsel(tenant)
    page = f"{PAGE}{hold.pk}/"
    assert "Ask for its release" not in browser.get(page).text
    with acting(tenant, asker):
        request_release(asker, hold_id=hold.pk, reason="Settled")
    assert "Release it as the second person" not in browser.get(page).text
    assert browser.post(page, {"do": "agree"}).status_code == 403
    with acting(tenant):
        assert LegalHold.objects.get().released_at is None
