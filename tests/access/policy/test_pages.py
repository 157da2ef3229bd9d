"""The screens of access policies, decisions, and who can see what."""

from typing import Any
from uuid import uuid4

import pytest

from access.models import AccessPolicy, AccessPolicyVersion, Tenant, User
from access.services import policies, replays
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, make_user, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import make_dataset
from tests.factories.pages import browser_of, events_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

ROOT = "/admin/access-control"
FORBID = 'forbid(principal, action == Action::"export.create", resource);'
FILLED: dict[str, Any] = {
    "name": "masked-research",
    "description": "Research sees masked",
    "effect": "permit",
    "who": "role",
    "who_id": "viewer",
    "actions": ["record.read"],
    "classifications": ["pii"],
    "tags": "gdpr, customer-data",
    "purposes": ["analytics"],
    "from_hour": "8",
    "to_hour": "18",
    "workdays_only": "1",
    "anonymize": "mask",
    "row_limit": "100",
}


def text_of(answer: Any) -> str:
    return str(answer.content.decode())


def test_a_policy_is_written_with_the_readable_form_and_its_cedar_shown(tenant: Tenant) -> None:
    browser = browser_of(tenant, "tenant_admin")
    empty = text_of(browser.get(f"{ROOT}/policies/"))
    assert "No policy yet" in empty
    checked = text_of(browser.post(f"{ROOT}/policies/", {**FILLED, "do": "check"}))
    assert "can be used" in checked
    assert "context.hour &gt;= 8" in checked
    assert "selected>record.read</option>" in checked
    made = browser.post(f"{ROOT}/policies/", {**FILLED, "do": "draft"})
    assert made.status_code == 302
    page = text_of(browser.get(made["Location"]))
    assert "@row_limit(&quot;100&quot;)" in page
    assert "draft" in page
    assert "masked-research" in text_of(browser.get(f"{ROOT}/policies/"))


def test_what_is_wrong_is_said_and_what_was_written_is_kept(tenant: Tenant) -> None:
    browser = browser_of(tenant, "tenant_admin")
    broken = 'permit(principal in Role::"nobody", action, resource);'
    answer = browser.post(f"{ROOT}/policies/", {"name": "broken", "text": broken, "do": "draft"})
    assert answer.status_code == 400
    assert "there is no role" in text_of(answer)
    assert "Role::&quot;nobody&quot;" in text_of(answer)
    checked = text_of(browser.post(f"{ROOT}/policies/", {"name": "x", "text": broken, "do": "check"}))
    assert "cannot be used" in checked
    for given in ({"from_hour": "x"}, {"network": "everywhere"}):
        assert browser.post(f"{ROOT}/policies/", {**FILLED, **given, "do": "draft"}).status_code == 400
    with acting(tenant):
        assert not AccessPolicy.objects.exists()


def test_what_the_form_made_keeps_the_form(tenant: Tenant) -> None:
    browser = browser_of(tenant, "tenant_admin")
    browser.post(f"{ROOT}/policies/", {**FILLED, "do": "check"})
    browser.post(f"{ROOT}/policies/", {**FILLED, "do": "draft"})
    with acting(tenant):
        (version,) = AccessPolicyVersion.objects.all()
    assert (version.form["who_id"], version.form["tags"]) == ("viewer", ["gdpr", "customer-data"])


def test_a_policy_is_put_in_force_by_another_replayed_and_retired(tenant: Tenant) -> None:
    author, other = browser_of(tenant, "tenant_admin"), browser_of(tenant, "security_officer")
    permit = 'permit(principal in Role::"viewer", action == Action::"dataset.delete", resource);'
    place = author.post(f"{ROOT}/policies/", {"name": "viewers", "text": permit, "do": "draft"})["Location"]
    assert author.post(place, {"do": "activate", "number": "1"}).status_code == 403
    assert other.post(place, {"do": "activate", "number": "1"}).status_code == 302
    assert "In force: version 1" in text_of(author.get(place))
    assert author.post(place, {"do": "activate", "number": "1"}).status_code == 409
    assert author.post(place, {"do": "draft", "text": FORBID}).status_code == 302
    replay = author.post(place, {"do": "replay", "number": "2", "days": "7"})
    assert replay.status_code == 302
    assert "queued" in text_of(author.get(replay["Location"]))
    assert other.post(place, {"do": "retire", "number": "1"}).status_code == 302
    assert "No version is in force" in text_of(author.get(place))
    for wrong in ({"do": "explode"}, {"do": "activate", "number": "x"}):
        assert author.post(place, wrong).status_code == 400


def test_a_replay_shows_who_would_lose_what(tenant: Tenant) -> None:
    dataset = make_dataset(tenant)
    admin, officer = principal_with(tenant, "tenant_admin"), browser_of(tenant, "security_officer")
    client = caller(tenant, "data_steward")
    assert send(client, "GET", f"/datasets/{dataset.pk}").status_code == 200
    with acting(tenant, admin):
        forbid = 'forbid(principal, action == Action::"dataset.read", resource);'
        version = policies.draft_policy(admin, name="hide-all", text=forbid)
        job = replays.start_replay(admin, policy_id=version.policy_id, number=1, days=1)
    replays.run_replay(tenant.pk, job.pk)
    page = text_of(officer.get(f"{ROOT}/replays/{job.pk}/"))
    assert "succeeded" in page
    assert str(dataset.pk) in page
    assert page.index("Would lose") < page.index(str(dataset.pk)) < page.index("Shown otherwise")
    assert officer.get(f"{ROOT}/replays/{uuid4()}/").status_code == 404


def test_the_log_leads_to_the_reason(tenant: Tenant) -> None:
    dataset = make_dataset(tenant)
    put_in_force(tenant, 'forbid(principal, action == Action::"record.read", resource);', name="closed")
    client = caller(tenant, "data_steward", purpose="analytics")
    assert send(client, "GET", f"/datasets/{dataset.pk}/versions/main/records").status_code == 403
    browser = browser_of(tenant, "auditor")
    log = text_of(browser.get(f"{ROOT}/decisions/?denied=1"))
    assert "policy closed, version 1" in log
    link = log[log.index(f"{ROOT}/decisions/", log.index("<tbody>")) :].split('"')[0]
    page = text_of(browser.get(link))
    assert "a policy forbids it" in page
    assert "Nothing that could be granted would change this answer" in page
    assert "data_steward" in page
    assert browser.get(f"{ROOT}/decisions/{uuid4()}/").status_code == 404
    assert "allowed" in text_of(browser.get(f"{ROOT}/decisions/"))


def test_the_matrix_shows_who_reads_and_how(tenant: Tenant) -> None:
    dataset = make_dataset(tenant)
    people = {role: make_user(tenant, role) for role in ("data_steward", "analyst", "viewer")}
    browser = browser_of(tenant, "auditor")
    assert "Choose a dataset" in text_of(browser.get(f"{ROOT}/who/"))
    page = text_of(browser.get(f"{ROOT}/who/", {"dataset": str(dataset.pk), "purpose": "analytics"}))
    rows = {role: row_of(page, user) for role, user in people.items()}
    assert "redacted" in rows["analyst"]
    assert rows["data_steward"].count("yes") >= 4
    assert rows["viewer"].count("no<") >= 4
    reach = text_of(browser.get(f"{ROOT}/who/", {"person": str(people["analyst"].pk), "purpose": "analytics"}))
    assert f">{dataset.name}" in " ".join(reach.split()).replace("> ", ">")
    assert f"What {people['analyst'].username} reaches" in reach
    assert browser.get(f"{ROOT}/who/", {"dataset": str(uuid4())}).status_code == 404
    assert browser.get(f"{ROOT}/who/", {"person": str(uuid4())}).status_code == 404
    assert browser.get(f"{ROOT}/who/", {"dataset": "x"}).status_code == 400


def row_of(page: str, user: User) -> str:
    start = page.index(user.username, page.index("<tbody>"))
    return page[start : page.index("</tr>", start)]


@pytest.mark.parametrize("path", ["policies/", "decisions/", "who/"])
def test_the_screens_are_not_for_everybody(tenant: Tenant, path: str) -> None:
    answer, request_id = opened(browser_of(tenant, "data_scientist"), f"{ROOT}/{path}")
    assert answer.status_code == 403
    assert [event.status for event in events_of(tenant, request_id)] == ["denied"]


def test_who_only_inquires_sees_no_buttons(tenant: Tenant) -> None:
    version = put_in_force(tenant, FORBID)
    browser = browser_of(tenant, "auditor")
    page = text_of(browser.get(f"{ROOT}/policies/{version.policy_id}/"))
    assert 'value="retire"' not in page
    assert "New policy" not in text_of(browser.get(f"{ROOT}/policies/"))
    assert browser.post(f"{ROOT}/policies/{version.policy_id}/", {"do": "retire", "number": "1"}).status_code == 403


def test_a_policy_of_a_rival_does_not_exist(tenant: Tenant, rival: Tenant) -> None:
    version = put_in_force(rival, FORBID)
    browser = browser_of(tenant, "tenant_admin")
    theirs = browser.get(f"{ROOT}/policies/{version.policy_id}/")
    nobodys = browser.get(f"{ROOT}/policies/{uuid4()}/")
    assert (theirs.status_code, nobodys.status_code) == (404, 404)
