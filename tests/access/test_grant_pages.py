"""Rules of the screens of grants: who sees and may do what on them, their forms, their empty and refused states."""

from datetime import timedelta

import pytest
from django.utils import timezone

from access.models import AccessRequest, AccessReview, BreakGlass, Lease, RequestState, ReviewItem, User
from access.selectors import user_principal
from datasets.models import DatasetUserPermission
from tests.factories.access import acting, make_user
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import HOUR, PURPOSE, WHY, ask, fresh, lease_for, person
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

HOME = "/admin/access-control"
REQUESTS, MINE, EMERGENCIES, REVIEWS = (f"{HOME}/{name}/" for name in ("requests", "mine", "emergencies", "reviews"))


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant, name="A dataset with a name that is long enough to be broken somewhere " * 2)
    upload(tenant, dataset, jsonl(rows_of(3)))
    return dataset


def tab_of(dataset):
    return f"/admin/datasets/dataset/{dataset.pk}/access/"


def user_named(tenant, username):
    with acting(tenant):
        return User.objects.get(username=username)


def test_access_is_asked_for_on_the_datasets_tab_and_approved_in_the_inbox(tenant, filled):
    viewer = browser_of(tenant, "viewer", username="wanda")
    steward = browser_of(tenant, "data_steward")
    assert "Ask for access" in viewer.get(tab_of(filled)).text
    wish = {"do": "ask", "level": "read", "shown": "raw", "purpose": PURPOSE, "seconds": HOUR, "row_quota": "10"}
    answer = viewer.post(tab_of(filled), wish | {"justification": WHY})
    assert answer.status_code == 302, answer.text
    page = viewer.get(MINE).text
    assert WHY in page
    assert "Withdraw" in page
    inbox = steward.get(REQUESTS).text
    assert WHY in inbox
    assert filled.name.strip() in inbox
    with acting(tenant):
        request = AccessRequest.objects.get()
    answer = steward.post(REQUESTS, {"do": "approve", "id": str(request.pk), "reason": "fine"})
    assert answer.status_code == 302, answer.text
    with acting(tenant):
        lease = Lease.objects.get()
    assert (lease.row_quota, lease.holder) == (10, user_named(tenant, "wanda").pk)
    mine = viewer.get(MINE).text
    assert "active" in mine
    assert f"?purpose={PURPOSE}" in mine
    assert "ada.0@example.com" in viewer.get(f"/admin/datasets/dataset/{filled.pk}/records/?purpose={PURPOSE}").text
    assert fresh(tenant, lease).rows_used == 3


def test_who_reads_by_a_grant_alone_is_asked_for_the_purposes_that_it_opens(tenant, filled):
    viewer = browser_of(tenant, "viewer", username="wanda")
    page = f"/admin/datasets/dataset/{filled.pk}/records/"
    tab = f'href="{page}"'
    assert viewer.get(page).status_code == 403
    assert tab not in viewer.get(tab_of(filled)).text
    with acting(tenant):
        wanda = user_principal(User.objects.get(username="wanda"))
    lease_for(tenant, filled, wanda)
    asked = viewer.get(page).text
    assert f'value="{PURPOSE}"' in asked
    assert asked.count('name="purpose"') == 1
    held = viewer.get(tab_of(filled)).text
    assert "What you were given here" in held
    assert tab in held
    assert "ada.0@example.com" in viewer.get(f"{page}?purpose={PURPOSE}").text


def test_what_is_refused_is_said_on_the_form_and_stays_there(tenant, filled):
    viewer = browser_of(tenant, "viewer")
    wish = {"do": "ask", "level": "read", "shown": "raw", "purpose": PURPOSE, "seconds": HOUR}
    answer = viewer.post(tab_of(filled), wish | {"justification": "ask ada@example.com", "row_quota": "many"})
    assert answer.status_code == 400
    assert 'role="alert"' in answer.text
    assert "a whole number" in answer.text
    answer = viewer.post(tab_of(filled), wish | {"justification": "ask ada@example.com"})
    assert "VAULT_DATA_" in answer.text
    with acting(tenant):
        assert not AccessRequest.objects.exists()


def test_who_asked_finds_no_way_to_approve_it(tenant, filled):
    browser = browser_of(tenant, "data_steward", username="stella")
    with acting(tenant):
        stella = user_principal(User.objects.get(username="stella"))
    request = ask(tenant, filled, stella)
    page = browser.get(REQUESTS).text
    assert "somebody else decides" in page
    assert 'value="approve"' not in page
    answer = browser.post(REQUESTS, {"do": "approve", "id": str(request.pk), "reason": "me"})
    assert answer.status_code == 403


def test_who_may_not_read_requests_is_denied_the_inbox(tenant):
    browser = browser_of(tenant, "viewer")
    assert browser.get(REQUESTS).status_code == 403
    assert "You hold no lease" in browser.get(MINE).text
    assert "Access requests" not in browser.get(MINE).text
    assert "Nobody waits for a decision" in browser_of(tenant, "auditor").get(REQUESTS).text


def test_own_leases_are_extended_and_given_back(tenant, filled):
    browser = browser_of(tenant, "viewer", username="wanda")
    with acting(tenant):
        wanda = user_principal(User.objects.get(username="wanda"), purpose=PURPOSE)
    lease = lease_for(tenant, filled, wanda, row_quota=5)
    form = {"do": "extend", "id": str(lease.pk), "seconds": 86_400, "row_quota": "5", "justification": WHY}
    assert browser.post(MINE, form).status_code == 302
    assert "5 more" in browser.get(MINE).text
    assert browser.post(MINE, {"do": "revoke", "id": str(lease.pk)}).status_code == 302
    assert fresh(tenant, lease).revoked_at is not None
    refused = browser.post(MINE, {"do": "revoke", "id": str(lease.pk)})
    assert (refused.status_code, "VAULT_AUTHZ_2236" in refused.text) == (409, True)


def test_the_tab_shows_who_has_what_to_those_who_may_know(tenant, filled):
    lease_for(tenant, filled, person(tenant, "viewer"))
    steward, auditor, viewer = (browser_of(tenant, role) for role in ("data_steward", "auditor", "viewer"))
    page = steward.get(tab_of(filled)).text
    assert "Standing permissions" in page
    assert "Revoke" in page
    seen = auditor.get(tab_of(filled)).text
    assert "Leases" in seen
    assert 'value="revoke"' not in seen
    assert "Standing permissions" not in viewer.get(tab_of(filled)).text


def test_permissions_are_given_and_taken_on_the_tab(tenant, filled):
    browser, holder = browser_of(tenant, "data_steward"), make_user(tenant, "viewer")
    until = (timezone.now() + timedelta(days=3)).date().isoformat()
    form = {"user": str(holder.pk), "level": "read_masked"}
    assert browser.post(tab_of(filled), form | {"do": "grant", "until": until}).status_code == 302
    assert "Read masked" in browser.get(tab_of(filled)).text
    assert browser.post(tab_of(filled), form | {"do": "take"}).status_code == 302
    with acting(tenant):
        assert not DatasetUserPermission.objects.exists()
    assert browser.post(tab_of(filled), {"do": "grant", "user": "nobody"}).status_code == 400
    assert browser.post(tab_of(filled), {"do": "dance"}).status_code == 400


def test_an_emergency_takes_two_browsers(tenant, filled):
    engineer, officer, third = (
        browser_of(tenant, role) for role in ("ml_engineer", "security_officer", "privacy_officer")
    )
    form = {"do": "call", "id": str(filled.pk), "purpose": PURPOSE, "seconds": HOUR, "reason": "A leak"}
    assert engineer.post(EMERGENCIES, form).status_code == 302
    assert "waiting" in engineer.get(EMERGENCIES).text
    assert 'value="confirm"' not in engineer.get(EMERGENCIES).text
    with acting(tenant):
        call = str(BreakGlass.objects.get().pk)
    assert engineer.post(EMERGENCIES, {"do": "confirm", "id": call}).status_code == 403
    assert officer.post(EMERGENCIES, {"do": "confirm", "id": call}).status_code == 302
    assert "open" in officer.get(EMERGENCIES).text
    assert officer.post(EMERGENCIES, {"do": "end", "id": call}).status_code == 302
    assert "What became of it" in third.get(EMERGENCIES).text
    assert third.post(EMERGENCIES, {"do": "review", "id": call, "note": "All in order"}).status_code == 302
    assert "All in order" in third.get(EMERGENCIES).text
    assert browser_of(tenant, "viewer").get(EMERGENCIES).status_code == 403


def test_a_review_is_started_decided_on_reported_and_closed(tenant, filled):
    lease_for(tenant, filled, person(tenant, "viewer"))
    officer, steward = browser_of(tenant, "security_officer"), browser_of(tenant, "data_steward", username="stella")
    assert "No review was started yet" in officer.get(REVIEWS).text
    day = (timezone.now() + timedelta(days=9)).date().isoformat()
    form = {"name": "Spring", "kinds": ["lease"], "deadline": day, "reviewers": [str(user_named(tenant, "stella").pk)]}
    refused = officer.post(REVIEWS, form | {"deadline": "soon"})
    assert (refused.status_code, "a day" in refused.text) == (400, True)
    started = officer.post(REVIEWS, form)
    assert started.status_code == 302, started.text
    with acting(tenant):
        review, item = AccessReview.objects.get(), ReviewItem.objects.get()
    page = f"{REVIEWS}{review.pk}/"
    assert started["Location"] == page
    assert 'value="keep"' in steward.get(page).text
    assert 'value="keep"' not in officer.get(page).text
    form = {"do": "keep", "id": str(item.pk), "reason": "still needed"}
    assert officer.post(page, form).status_code == 403
    assert steward.post(page, form).status_code == 302
    assert "still needed" in officer.get(f"{page}?verdict=keep").text
    report = officer.get(f"{page}?report=1")
    assert report["Content-Type"].startswith("text/csv")
    assert officer.post(page, {"do": "close"}).status_code == 302
    assert "closed" in officer.get(REVIEWS).text


@pytest.mark.parametrize("state", list(RequestState))
def test_every_state_of_requests_has_its_page(tenant, state):
    assert browser_of(tenant, "data_steward").get(REQUESTS, {"state": state}).status_code == 200


def test_an_address_that_names_nothing_is_an_error_page(tenant):
    browser = browser_of(tenant, "data_steward")
    assert browser.get(REQUESTS, {"state": "lost"}).status_code == 400
    assert browser.get(REQUESTS, {"after": "here"}).status_code == 400
    assert browser.get(f"{REVIEWS}01900000-0000-7000-8000-000000000000/").status_code == 404
