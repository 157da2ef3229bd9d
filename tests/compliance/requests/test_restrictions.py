"""Restriction and objection: the subject's records are left out of reads, and counted, until the subject is told."""

import json
from uuid import uuid4

import pytest

from anonymization.guarantees.guarantee import Guarantee
from audit.models import AuditEvent
from compliance.tasks import continue_subject_search
from datasets.errors.exports import ExportOutdated
from datasets.models import RestrictedKey, RestrictedRecord
from datasets.services.exports.run import run_export
from datasets.services.families import family_of
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.drafts import make_draft, put
from tests.factories.guaranteed import declare_rules, guaranteed, people, table
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")
JANE = "jane.smithson@example.org"
ROWS = [
    {"id": "mail", "text": f"Write to {JANE} about it."},
    {"id": "name", "text": "Jane Smithson wrote the first letter."},
    {"id": "other", "text": "Nobody is in here, nobody at all."},
]


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    assert upload(tenant, made, jsonl(ROWS)).status == "succeeded"
    return made


@pytest.fixture
def reviewed(tenant, dataset, officer, asked, act):
    """A request whose search has run and whose match by name was accepted."""

    def make(kind):
        request = asked(identity="known", type=kind)
        search = act(request, "search", {})[1]["search"]["id"]
        continue_subject_search(str(tenant.pk), search)
        path = f"/subject-searches/{search}/matches"
        pending = [one["id"] for one in send(officer, "GET", f"{path}?state=pending").json()["data"]]
        send(officer, "POST", path, {"matches": pending, "decision": "accepted"})
        return request

    return make


def ids_of(reader, dataset):
    answer = send(reader, "GET", f"/datasets/{dataset.pk}/versions/main/records").json()
    return [one["id"] for one in answer["data"]], answer.get("records_withheld")


def streamed(reader, dataset):
    answer = send(reader, "GET", f"/datasets/{dataset.pk}/data")
    return len(b"".join(answer.streaming_content).splitlines()), answer.headers.get("X-Vault-Withholds")


def test_a_restriction_leaves_the_subjects_records_out_of_every_read_and_counts_them(tenant, dataset, reviewed, act):
    reader = caller(tenant, "data_steward")
    before = ids_of(reader, dataset)
    assert before == (["mail", "name", "other"], None)
    request = reviewed("restriction")
    assert act(request, "answer", {"message": "Restricted."})[1]["code"] == "VAULT_COMP_8072"
    status, imposed = act(request, "restriction", {})
    assert (status, [one["purpose"] for one in imposed["data"]]) == (200, [""])
    assert ids_of(reader, dataset) == (["other"], {"restriction": 2})
    assert streamed(reader, dataset) == (1, "restriction")
    assert send(reader, "GET", f"/datasets/{dataset.pk}/versions/main/records/mail").status_code == 404
    found = send(reader, "POST", f"/datasets/{dataset.pk}/query", {"filter": "text contains 'Jane'"})
    assert (found.status_code, found.json()["data"]) == (200, [])
    another = caller(tenant, "data_steward", purpose="model-training")
    assert ids_of(another, dataset)[0] == ["other"], "a restriction is for all purposes"
    answered = act(request, "answer", {"message": "Restricted."})[1]
    assert (answered["state"], answered["outcome"]) == ("answered", "fulfilled")


def test_what_comes_later_under_the_same_identifier_is_left_out_as_well(tenant, dataset, reviewed, act):
    act(reviewed("restriction"), "restriction", {})
    reader, other = caller(tenant, "data_steward"), make_dataset(tenant)
    upload(tenant, other, jsonl([{"id": "new", "text": f"Ask {JANE.upper()}."}, {"id": "none", "text": "Nobody."}]))
    assert ids_of(reader, other) == (["none"], {"restriction": 1})
    draft = make_draft(tenant, other)
    put(tenant, draft, [{"id": "staged", "data": {"text": f"Mail {JANE} today."}}])
    shown = send(reader, "GET", f"/drafts/{draft.pk}/records")
    assert "staged" not in [one["id"] for one in shown.json().get("data", [])]


def test_an_objection_is_against_the_purposes_that_it_names(tenant, dataset, reviewed, act):
    request = reviewed("objection")
    assert act(request, "restriction", {"purposes": ["whim"]})[1]["errors"][0]["field"] == "/purposes"
    status, imposed = act(request, "restriction", {"purposes": ["model-training"]})
    assert (status, [one["purpose"] for one in imposed["data"]]) == (200, ["model-training"])
    assert ids_of(caller(tenant, "data_steward", purpose="model-training"), dataset) == (["other"], {"restriction": 2})
    assert ids_of(caller(tenant, "data_steward"), dataset) == (["mail", "name", "other"], None)


def test_an_export_leaves_them_out_and_one_made_before_is_no_more_downloaded(tenant, dataset, reviewed, act):
    steward = caller(tenant, "data_steward")

    def exported():
        made = send(steward, "POST", f"/datasets/{dataset.pk}/exports", {"format": "jsonl"}).json()
        run_export(tenant.pk, made["id"])
        return made["id"]

    def fetched(export):
        asked = send(steward, "POST", f"/exports/{export}/download-url", {"file": "export.jsonl"})
        if asked.status_code != 200:
            return asked.json()["code"]
        answer = send(steward, "GET", asked.json()["url"].partition("/api/v1")[2])
        return b"".join(answer.streaming_content) if answer.streaming else answer.json()["code"]

    early = exported()
    assert len(fetched(early).splitlines()) == 3
    act(reviewed("restriction"), "restriction", {})
    assert fetched(early) == ExportOutdated.code
    late = exported()
    assert [json.loads(line)["id"] for line in fetched(late).splitlines()] == ["other"]
    progress = send(steward, "GET", f"/exports/{late}").json()["progress"]
    assert progress["records_withheld"] == {"restriction": 2}


def restricted(act, asked, tenant, contact):
    """A request of somebody who is known by an address alone, in force."""
    request = asked(identity="known", type="restriction", contact=contact, identifiers=[])
    continue_subject_search(str(tenant.pk), act(request, "search", {})[1]["search"]["id"])
    status, imposed = act(request, "restriction", {})
    assert (status, len(imposed["data"])) == (200, 1)


def test_a_query_and_its_aggregates_are_about_the_others_and_say_how_many_are_left_out(tenant, dataset, reviewed, act):
    act(reviewed("restriction"), "restriction", {})
    reader, path = caller(tenant, "data_steward"), f"/datasets/{dataset.pk}/query"
    found = send(reader, "POST", path, {"filter": "text contains 'o'"}).json()
    assert ([one["id"] for one in found["data"]], found["records_withheld"]) == (["other"], {"restriction": 2})
    counted = send(reader, "POST", path, {"aggregate": ["count"]}).json()
    assert (counted["data"][0]["values"], counted["records_withheld"]) == ({"count": 1}, {"restriction": 2})


def test_a_table_under_a_guarantee_is_made_of_the_others_and_counts_those_left_out(tenant, asked, act):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(people(60, each=2)))
    declare_rules(tenant, made)
    restricted(act, asked, tenant, "ada3@example.com")
    done = guaranteed(tenant, made, guarantee=Guarantee(2, suppression=0.5))
    assert (done.status, done.error) == ("succeeded", None)
    assert done.counts["records_restricted"] == 2
    assert 0 < len(table(tenant, done)) <= 118


def test_statistics_are_about_the_others_and_say_so_but_not_how_many(tenant, asked, act, officer):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl([{"id": f"r{n}", "mail": f"ada{n}@example.com"} for n in range(40)]))
    declare_rules(tenant, made, subject="mail", sensitive=())
    loss = {"epsilon": "1000", "delta": "0.0001"}
    with acting(tenant):
        family = family_of(made.pk)
    budget = {"total": loss, "recipient": loss, "reason": "a study"}
    assert send(officer, "PUT", f"/privacy/budgets/{family}", budget).status_code == 200
    client, path = caller(tenant, "data_steward"), f"/datasets/{made.pk}/statistics"
    body = {"subject": "mail", "queries": [{"type": "count", "epsilon": "50"}]}
    before = send(client, "POST", path, body).json()
    assert (round(before["results"][0]["value"]), "left_out" in before["privacy"]) == (40, False)
    restricted(act, asked, tenant, "ada3@example.com")
    after = send(client, "POST", path, body).json()
    assert round(after["results"][0]["value"]) == 39
    assert after["privacy"]["left_out"] == "records restricted by their people"
    with acting(tenant):
        told = AuditEvent.objects.filter(type="data.access.completed", dataset_id=made.pk).order_by("-time")[0]
    assert json.loads(bytes(told.body))["metadata"]["records_withheld"] == {"restriction": 1}


def test_the_subject_still_has_a_copy_of_what_is_restricted(tenant, dataset, reviewed, act):
    act(reviewed("restriction"), "restriction", {})
    request = reviewed("access")
    assert act(request, "package")[0] == 202


def test_a_restriction_is_lifted_with_notice_to_the_subject(tenant, dataset, reviewed, act, mailed):
    request = reviewed("restriction")
    assert act(request, "restriction/lift", {"message": "It is over."})[1]["code"] == "VAULT_COMP_8072"
    act(request, "restriction", {})
    act(request, "answer", {"message": "Restricted."})
    mailed()
    officer = caller(tenant, "privacy_officer")
    answer = send(officer, "POST", f"/subject-requests/{request['id']}/restriction/lift", {"message": "It is over."})
    assert answer.status_code == 204
    (mail,) = mailed()
    assert (mail.to, mail.body) == ([JANE], "It is over.")
    assert ids_of(caller(tenant, "data_steward"), dataset) == (["mail", "name", "other"], None)
    assert act(request, "restriction", method="GET")[1]["data"] == []
    with acting(tenant):
        told = list(AuditEvent.objects.filter(type__startswith="subject.restrict").order_by("id"))
    assert [event.type for event in told] == ["subject.restricted", "subject.restriction.lifted"]
    assert all(JANE.encode() not in bytes(event.body) for event in told)


def test_who_else_restricted_the_same_record_keeps_it_out(tenant, dataset, reviewed, act):
    one, other = reviewed("restriction"), reviewed("objection")
    act(one, "restriction", {})
    act(other, "restriction", {"purposes": ["evaluation"]})
    officer = caller(tenant, "privacy_officer")
    send(officer, "POST", f"/subject-requests/{one['id']}/restriction/lift", {"message": "It is over."})
    assert ids_of(caller(tenant, "data_steward"), dataset)[0] == ["other"]


def test_another_organization_reads_on(tenant, rival, dataset, reviewed, act):
    theirs = make_dataset(rival)
    upload(rival, theirs, jsonl(ROWS))
    act(reviewed("restriction"), "restriction", {})
    assert ids_of(caller(rival, "data_steward"), theirs) == (["mail", "name", "other"], None)
    with acting(rival):
        assert not RestrictedKey.objects.exists()
        assert not RestrictedRecord.objects.exists()


def test_only_these_two_kinds_of_requests_restrict(tenant, dataset, reviewed, act, asked):
    assert act(reviewed("access"), "restriction", {})[1]["code"] == "VAULT_COMP_8064"
    request = reviewed("restriction")
    assert act(request, "restriction", {"purposes": ["model-training"]})[0] == 400
    bare = asked(identity="known", type="restriction", name="Zoe", contact="Ulm", identifiers=[])
    act(bare, "move", {"to": "searching"})
    act(bare, "move", {"to": "review"})
    assert act(bare, "restriction", {})[1]["code"] == "VAULT_COMP_8061"
    officer = caller(tenant, "privacy_officer")
    never = send(officer, "POST", f"/subject-requests/{uuid4()}/restriction", {})
    assert (never.status_code, never.json()["code"]) == (404, "VAULT_COMP_8050")


def test_the_way_of_an_objection_in_the_browser(tenant, dataset, reviewed):
    request = reviewed("objection")
    browser = browser_of(tenant, "privacy_officer", purpose="evaluation")
    page = f"/admin/compliance/requests/{request['id']}/"
    assert "The records are still read for every purpose." in browser.get(page).text
    assert browser.post(page, {"do": "restrict", "purpose": ["evaluation"]}).status_code == 302
    assert "Left out of reads for evaluation since" in browser.get(page).text
    reader = browser_of(tenant, "data_steward", purpose="evaluation")
    shown = reader.get(f"/admin/datasets/dataset/{dataset.pk}/records/").text
    assert "2 records among these are left out" in " ".join(shown.split())
    assert browser.post(page, {"do": "lift", "text": "It is over."}).status_code == 302
    assert "The records are still read for every purpose." in browser.get(page).text
