"""REST: legal holds."""

from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from access.models import Tenant
from compliance.models import LegalHold
from datasets.models import Dataset, HoldMark
from datasets.services.hold_search import find_records_of
from tests.compliance.holds.cases import MATTER, custodian_of, place, query, subject, whole
from tests.factories.access import PASSWORD, acting, make_user
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.vaultsite.conftest import quick_passwords  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("quick_passwords")
ADA = "ada.lovelace@example.com"
STEPS = (
    ("POST", "confirm", None),
    ("POST", "release", {"reason": "Settled"}),
    ("DELETE", "release", None),
    ("POST", "release/confirm", None),
)


def person(tenant: Tenant, role: str) -> Client:
    """Somebody who signed in with their password, and calls with the token they got."""
    user = make_user(tenant, role)
    body = {"grant_type": "password", "organization": tenant.slug, "username": user.username, "password": PASSWORD}
    issued = send(Client(), "POST", "/auth/token", body).json()
    return Client(headers={"Authorization": f"Bearer {issued['access_token']}"})


def body_for(tenant: Tenant, *scopes: dict[str, Any], **changed: Any) -> dict[str, Any]:
    facts = {"matter": MATTER, "reason": "A claim was announced", "custodian": str(custodian_of(tenant))}
    return facts | {"scopes": list(scopes)} | changed


def test_a_hold_is_placed_confirmed_and_released_over_the_api(tenant: Tenant) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r0", "text": f"Write to {ADA}"}]))
    first, second = person(tenant, "legal_counsel"), person(tenant, "legal_counsel")
    scopes = (
        {"kind": "subject", "dataset_id": str(dataset.pk), "identifiers": [{"type": "EMAIL_ADDRESS", "value": ADA}]},
        {"kind": "query", "dataset_id": str(dataset.pk), "filter": {"id": "r0"}},
        {"kind": "version", "dataset_id": str(dataset.pk), "version": "main"},
    )
    answer = send(first, "POST", "/legal-holds", body_for(tenant, *scopes))
    assert answer.status_code == 201, answer.content
    made = answer.json()
    path = answer["Location"].removeprefix("/api/v1")
    assert path == f"/legal-holds/{made['id']}"
    assert (made["matter"], made["state"], made["is_overdue"]) == (MATTER, "placed", False)
    by_kind = {scope["kind"]: scope for scope in made["scopes"]}
    assert (by_kind["subject"]["identifiers"], by_kind["subject"]["records"]) == (1, 1)
    assert by_kind["query"]["is_searching"]
    assert by_kind["query"]["filter"] == {"/id": {"eq": "r0"}}
    assert (by_kind["version"]["version"], by_kind["version"]["records"]) == ("v1.0.0", None)
    assert ADA not in answer.content.decode()
    assert send(first, "GET", f"/datasets/{dataset.pk}").json()["legal_hold"] is True
    assert send(first, "POST", f"{path}/confirm").status_code == 403
    states = [send(second, "POST", f"{path}/confirm").json()["state"]]
    states.append(send(second, "POST", f"{path}/release", {"reason": "Settled"}).json()["state"])
    assert send(second, "POST", f"{path}/release/confirm").status_code == 403
    assert send(first, "DELETE", f"{path}/release").status_code == 204
    states.append(send(first, "GET", path).json()["state"])
    states.append(send(first, "POST", f"{path}/release", {"reason": "Settled"}).json()["state"])
    states.append(send(second, "POST", f"{path}/release/confirm").json()["state"])
    assert states == ["confirmed", "releasing", "confirmed", "releasing", "released"]
    ended = send(first, "GET", path).json()
    assert (ended["release_reason"], ended["scopes"][0]["records"]) == ("Settled", None)
    assert send(second, "POST", f"{path}/confirm").json()["code"] == "VAULT_COMP_8021"
    assert send(first, "GET", f"/datasets/{dataset.pk}").json()["legal_hold"] is False


def test_who_only_reads_holds_sees_neither_reasons_nor_filters(tenant: Tenant) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r0", "kind": "zanzibar"}]))
    hold = place(tenant, query(dataset, "kind = 'zanzibar'"), reason="Zanzibar sued us")
    with acting(tenant):
        mark = HoldMark.objects.get()
    find_records_of(tenant.pk, mark.pk)
    seen = send(caller(tenant, "auditor"), "GET", f"/legal-holds/{hold.pk}")
    assert "anzibar" not in seen.content.decode()
    assert (seen.json()["reason"], seen.json()["scopes"][0]["filter"]) == ("", None)
    assert (seen.json()["scopes"][0]["records"], seen.json()["scopes"][0]["is_searching"]) == (1, False)
    opened = send(person(tenant, "legal_counsel"), "GET", f"/legal-holds/{hold.pk}").json()
    assert (opened["reason"], opened["scopes"][0]["filter"]) == ("Zanzibar sued us", {"/data/kind": {"eq": "zanzibar"}})


def test_holds_are_listed_by_state_and_dataset_page_by_page(tenant: Tenant) -> None:
    one, two = make_dataset(tenant), make_dataset(tenant)
    placed = [place(tenant, whole(dataset)).pk for dataset in (one, two, one)]
    client = caller(tenant, "auditor")

    def found(**given: Any) -> list[str]:
        query = "&".join(f"{name}={value}" for name, value in given.items())
        return [hold["id"] for hold in send(client, "GET", f"/legal-holds?{query}").json()["data"]]

    newest_first = [str(pk) for pk in reversed(placed)]
    assert found() == found(state="in-force") == found(state="placed") == newest_first
    assert found(state="confirmed") == found(state="releasing") == found(state="released") == []
    assert found(dataset_id=two.pk) == [str(placed[1])]
    first = send(client, "GET", "/legal-holds?limit=2").json()
    assert [hold["id"] for hold in first["data"]] == newest_first[:2]
    assert found(cursor=first["pagination"]["next_cursor"]) == newest_first[2:]
    for wrong in ("state=gone", "dataset_id=a", "matter=a", "cursor=YQ"):
        assert send(client, "GET", f"/legal-holds?{wrong}").status_code == 400


def test_a_hold_of_another_organization_is_as_one_that_never_was(tenant: Tenant, rival: Tenant) -> None:
    theirs = place(rival, whole(make_dataset(rival)))
    client = person(tenant, "legal_counsel")
    for method, step, body in (("GET", "", None), *STEPS):
        answers = [send(client, method, f"/legal-holds/{pk}/{step}".rstrip("/"), body) for pk in (theirs.pk, uuid4())]
        assert {answer.status_code for answer in answers} == {404}
        said = [{name: value for name, value in one.json().items() if name != "trace_id"} for one in answers]
        assert said[0] == said[1]
        assert said[0]["code"] == "VAULT_COMP_8020"


def test_programs_place_holds_and_release_none(tenant: Tenant) -> None:
    dataset = make_dataset(tenant)
    program = caller(tenant, "legal_counsel")
    made = send(program, "POST", "/legal-holds", body_for(tenant, {"kind": "dataset", "dataset_id": str(dataset.pk)}))
    assert made.status_code == 201
    for method, step, body in STEPS[:2] + STEPS[3:]:
        answer = send(program, method, f"/legal-holds/{made.json()['id']}/{step}", body)
        assert answer.status_code in {403, 409}, step
    with acting(tenant):
        assert LegalHold.objects.get().state == "placed"
        assert Dataset.objects.get(pk=dataset.pk).legal_hold


def test_a_refused_deletion_names_the_matter_only_to_who_may_read_holds(tenant: Tenant) -> None:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r0", "text": f"Write to {ADA}"}]))
    place(tenant, subject(dataset, ADA))
    asked = {"record_ids": ["r0"], "reason": "asked for"}
    for roles, matters in ((("data_steward",), None), (("data_steward", "auditor"), [MATTER])):
        client = caller(tenant, *roles)
        answers = [
            send(client, "DELETE", f"/datasets/{dataset.pk}"),
            send(client, "POST", f"/datasets/{dataset.pk}/erasures", asked),
        ]
        for answer in answers:
            assert (answer.status_code, answer.json()["code"]) == (409, "VAULT_DATA_4006")
            assert answer.json().get("matters") == matters


@pytest.mark.parametrize(
    "changed",
    [
        {"scopes": []},
        {"scopes": [{"kind": "all", "dataset_id": str(uuid4())}]},
        {"scopes": [{"kind": "query", "dataset_id": str(uuid4()), "filter": {"a": {"near": 1}}}]},
        {"scopes": [{"kind": "query", "dataset_id": str(uuid4()), "filter": {}}]},
        {"scopes": [{"kind": "dataset", "dataset_id": str(uuid4()), "until": "2030"}]},
        {"state": "released"},
        {"confirmed_by": str(uuid4())},
    ],
)
def test_what_makes_no_sense_places_nothing(tenant: Tenant, changed: dict[str, Any]) -> None:
    client = caller(tenant, "legal_counsel")
    assert send(client, "POST", "/legal-holds", body_for(tenant) | changed).status_code == 400
    with acting(tenant):
        assert not LegalHold.objects.exists()
