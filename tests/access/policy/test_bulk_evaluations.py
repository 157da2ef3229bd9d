"""Many questions at once: answered by a worker, as the single one would be."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from django.test import Client

from access.models import BulkEvaluation, BulkQuestion, Tenant
from access.services import bulk_evaluations
from access.services.bulk_evaluations import answers_of, run_evaluation, start_evaluation
from access.services.inquiries import Asked
from datasets.models import Dataset
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, make_user, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import make_dataset
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType, Recorded

PATH = "/policy/evaluations"
SCREEN = "/admin/access-control/evaluations/"


@pytest.fixture
def dataset(tenant: Tenant) -> Dataset:
    return make_dataset(tenant, classification="pii")


def question(who: Any, dataset: Dataset, action: str = "read") -> dict[str, Any]:
    principal = who if isinstance(who, dict) else {"id": str(who.pk)}
    resource = {"dataset_id": str(dataset.pk)}
    return {"principal": principal, "resource": resource, "action": action, "context": {"purpose": "analytics"}}


def test_every_question_is_answered_as_it_would_be_alone(tenant: Tenant, dataset: Dataset) -> None:
    officer = caller(tenant, "security_officer", purpose="")
    people = [make_user(tenant, role) for role in ("viewer", "data_steward", "data_scientist")]
    claimed = {"id": "somebody@example.org", "roles": ["analyst"]}
    asked = [question(who, dataset, action) for who in [*people, claimed] for action in ("read", "delete")]
    begun = send(officer, "POST", PATH, {"evaluations": asked})
    assert (begun.status_code, begun.json()["status"]) == (202, "queued")
    assert begun["Location"] == f"/api/v1{PATH}/{begun.json()['id']}"
    run_evaluation(tenant.pk, begun.json()["id"])
    done = send(officer, "GET", f"{PATH}/{begun.json()['id']}").json()
    assert (done["status"], done["progress"], done["is_current"]) == ("succeeded", {"percent": 100}, True)
    alone = [send(officer, "POST", "/policy/evaluate", one).json() for one in asked]
    answers = send(officer, "GET", f"{PATH}/{done['id']}/answers").json()["data"]
    assert [{name: one[name] for name in ("decision", "obligations", "ttl")} for one in answers] == alone
    counted = [done["allowed"], done["conditional"], done["denied"]]
    decisions = [one["decision"] for one in alone]
    assert counted == [decisions.count(word) for word in ("ALLOW", "ALLOW_WITH_CONDITIONS", "DENY")]


def test_answers_come_in_pages_and_of_one_kind(tenant: Tenant, dataset: Dataset) -> None:
    officer = caller(tenant, "security_officer", purpose="")
    steward = make_user(tenant, "data_steward")
    asked = [question(steward if number % 2 else {"id": "x"}, dataset) for number in range(7)]
    bulk = send(officer, "POST", PATH, {"evaluations": asked}).json()["id"]
    assert send(officer, "GET", f"{PATH}/{bulk}/answers").json()["data"] == []
    run_evaluation(tenant.pk, bulk)
    seen, cursor = [], ""
    while cursor is not None:
        answer = send(officer, "GET", f"{PATH}/{bulk}/answers?decision=DENY&limit=2&cursor={cursor}").json()
        seen += [one["index"] for one in answer["data"]]
        cursor = answer["pagination"]["next_cursor"]
    assert seen == [0, 2, 4, 6]
    assert send(officer, "GET", f"{PATH}/{bulk}/answers?decision=MAYBE").status_code == 400


def asked_of(dataset: Dataset, count: int) -> list[Asked]:
    return [
        Asked(f"person-{number}", "read", roles=("analyst",), resource_id=str(dataset.pk), purpose="analytics")
        for number in range(count)
    ]


def test_it_goes_on_where_it_stopped_and_answers_nothing_twice(
    tenant: Tenant, dataset: Dataset, events: list[Recorded], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_evaluations, "PAGE", 3)
    officer = principal_with(tenant, "security_officer")
    with acting(tenant, officer):
        bulk = start_evaluation(officer, asked=asked_of(dataset, 10))
        BulkEvaluation.objects.filter(pk=bulk.pk).update(checkpoint={"answered": 6}, conditional=6)
        BulkQuestion.objects.filter(bulk=bulk, number__lt=6).update(effect="allow_with_conditions", reason="kept")
    for _ in range(2):
        run_evaluation(tenant.pk, bulk.pk)
    with acting(tenant, officer):
        bulk.refresh_from_db()
        reasons = [one.reason for one in answers_of(bulk, limit=20)]
    assert (bulk.status, bulk.conditional, bulk.denied) == ("succeeded", 10, 0)
    assert reasons.count("kept") == 6
    (told,) = [one.event for one in events if one.event.type is EventType.POLICY_EVALUATED]
    assert told.metadata["questions"] == 10


def test_answers_of_other_policies_than_todays_say_so(tenant: Tenant, dataset: Dataset) -> None:
    officer = caller(tenant, "security_officer", purpose="")
    steward = make_user(tenant, "data_steward")
    bulk = send(officer, "POST", PATH, {"evaluations": [question(steward, dataset)]}).json()["id"]
    run_evaluation(tenant.pk, bulk)
    put_in_force(tenant, 'forbid(principal, action == Action::"record.read", resource);')
    assert send(officer, "GET", f"{PATH}/{bulk}").json()["is_current"] is False


def test_what_was_claimed_of_people_is_not_stored_in_the_clear(tenant: Tenant, dataset: Dataset) -> None:
    officer = principal_with(tenant, "security_officer")
    with acting(tenant, officer):
        bulk = start_evaluation(officer, asked=asked_of(dataset, 1))
        row = BulkQuestion.objects.get(bulk=bulk)
        assert b"person-0" not in bytes(row.sealed)
        assert bulk_evaluations.question_in(row) == asked_of(dataset, 1)[0]


def test_only_who_asked_reads_the_answers(tenant: Tenant, rival: Tenant, dataset: Dataset) -> None:
    officer = caller(tenant, "security_officer", purpose="")
    bulk = send(officer, "POST", PATH, {"evaluations": [question({"id": "x"}, dataset)]}).json()["id"]
    told = []
    for other in (caller(tenant, "security_officer"), caller(rival, "security_officer")):
        for name in (bulk, str(uuid4())):
            answer = send(other, "GET", f"{PATH}/{name}")
            told.append((answer.status_code, answer.json()["code"]))
    assert set(told) == {(404, "VAULT_AUTHZ_2270")}
    assert send(caller(tenant, "viewer"), "POST", PATH, {"evaluations": []}).status_code in {400, 403}
    assert send(caller(tenant, "viewer"), "GET", f"{PATH}/{bulk}").status_code == 403


def test_none_and_too_many_are_refused(tenant: Tenant, dataset: Dataset) -> None:
    client: Client = caller(tenant, "security_officer", purpose="")
    assert send(client, "POST", PATH, {"evaluations": []}).status_code == 400
    assert send(client, "POST", PATH, {"evaluations": [{"action": "read"}]}).status_code == 400
    officer = principal_with(tenant, "security_officer")
    with acting(tenant, officer), pytest.raises(InvalidInput):
        start_evaluation(officer, asked=asked_of(dataset, 1) * 10_001)


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_in_the_browser_questions_are_lines_and_answers_a_table(tenant: Tenant, dataset: Dataset) -> None:
    browser = browser_of(tenant, "auditor")
    assert "Nothing yet" in browser.get(SCREEN).content.decode()
    viewer, steward = make_user(tenant, "viewer"), make_user(tenant, "data_steward", full_name="Grace Hopper")
    lines = f"{viewer.pk}, record.read, {dataset.pk}, analytics\n\n{steward.pk} record.read {dataset.pk} analytics\n"
    asked = browser.post(SCREEN, {"questions": lines})
    assert asked.status_code == 302
    waiting = browser.get(asked["Location"]).content.decode()
    assert ("No answer of this kind yet" in waiting, "queued" in waiting) == (True, True)
    run_evaluation(tenant.pk, UUID(asked["Location"].rstrip("/").rpartition("/")[2]))
    page = browser.get(asked["Location"]).content.decode()
    assert ("Grace Hopper" in page, dataset.name in page, "no role permits it" in page) == (True, True, True)
    denied = browser.get(asked["Location"], {"effect": "deny"}).content.decode()
    assert ("Grace Hopper" in denied, "no role permits it" in denied) == (False, True)
    put_in_force(tenant, 'forbid(principal, action == Action::"record.read", resource);')
    assert "have changed since" in browser.get(asked["Location"]).content.decode()
    assert asked["Location"] in browser.get(SCREEN).content.decode()


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_a_line_that_is_no_question_is_named_and_kept(tenant: Tenant, dataset: Dataset) -> None:
    browser = browser_of(tenant, "auditor")
    refused = browser.post(SCREEN, {"questions": f"x record.read {dataset.pk}\nwho knows what"})
    assert refused.status_code == 400
    assert ("line 2" in refused.content.decode(), "who knows what" in refused.content.decode()) == (True, True)
