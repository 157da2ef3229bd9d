"""Exports beyond the countries of a region need a recipient that the register covers; each is logged, as is each no."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from access.models import Tenant
from compliance.models import Transfer
from datasets.models import Dataset, Export
from datasets.services.exports.run import run_export
from tests.factories.access import acting
from tests.factories.api import caller, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.pages import browser_of, opened
from tests.factories.regions import declare_regions

CLAUSES = {"country": "US", "safeguard": "clauses", "contract_reference": "SCC-2026-4"}


@pytest.fixture(autouse=True)
def folders(settings: Any, tmp_path: Path) -> dict[str, Path]:
    return declare_regions(settings, tmp_path)


@pytest.fixture
def dataset(tenant: Tenant) -> Dataset:
    made = make_dataset(tenant, region="eu")
    upload(tenant, made, jsonl(rows_of(7)))
    return made


@pytest.fixture
def steward(tenant: Tenant) -> Client:
    return caller(tenant, "data_steward")


@pytest.fixture
def officer(tenant: Tenant) -> Client:
    return caller(tenant, "privacy_officer", purpose="")


def party(officer: Client, **facts: Any) -> str:
    made = send(officer, "POST", "/processors", {"name": "Far Ltd", "role": "recipient"} | facts)
    assert made.status_code == 201, made.content
    return str(made.json()["id"])


def ask(client: Client, dataset: Dataset, **body: Any) -> Any:
    return send(client, "POST", f"/datasets/{dataset.pk}/exports", body, **{"X-Request-ID": new_request_id()})


def written(tenant: Tenant, client: Client, dataset: Dataset, recipient: str) -> str:
    asked = ask(client, dataset, recipient=recipient)
    assert asked.status_code == 202, asked.content
    run_export(tenant.pk, asked.json()["id"])
    return str(asked.json()["id"])


def download(client: Client, export_id: str, **headers: str) -> Any:
    address = send(client, "POST", f"/exports/{export_id}/download-url", {})
    if address.status_code != 200:
        return address
    answer = client.get(address.json()["url"], headers=headers)
    return answer, b"".join(answer.streaming_content)


def log(officer: Client, query: str = "") -> list[dict[str, Any]]:
    answer = send(officer, "GET", f"/compliance/transfers{query}")
    assert answer.status_code == 200, answer.content
    return list(answer.json()["data"])


def test_a_covered_transfer_is_logged_with_what_has_gone(
    tenant: Tenant, dataset: Dataset, steward: Client, officer: Client
) -> None:
    recipient = party(officer, **CLAUSES)
    export_id = written(tenant, steward, dataset, recipient)
    assert log(officer) == []  # nothing has gone yet
    request_id = new_request_id()
    _, body = download(steward, export_id, **{"X-Request-ID": request_id})
    assert body
    (one,) = log(officer)
    assert {
        name: one[name] for name in ("outcome", "region", "country", "safeguard", "records", "bytes", "reason")
    } == {
        "outcome": "made",
        "region": "eu",
        "country": "US",
        "safeguard": "clauses",
        "records": 7,
        "bytes": len(body),
        "reason": "",
    }
    assert (one["party_id"], one["party_name"], one["dataset_name"]) == (recipient, "Far Ltd", dataset.name)
    told = next(event for event in events_of(tenant, request_id) if event.type == "data.transfer.made")
    assert str(told.id) == one["event_id"]
    assert "Far Ltd" not in str(told.__dict__)


def test_the_register_tells_of_the_transfers_that_were_made(
    tenant: Tenant, dataset: Dataset, steward: Client, officer: Client
) -> None:
    export_id = written(tenant, steward, dataset, party(officer, **CLAUSES))
    for _ in range(2):
        download(steward, export_id)
    ask(steward, dataset)
    activities = send(officer, "GET", "/register").json()["activities"]
    (made,) = next(one for one in activities if one["purpose"] == "evaluation")["transfers_made"]
    assert made.pop("last_at")
    assert made == {
        "to": "Far Ltd",
        "country": "US",
        "safeguard": "standard contractual clauses (Art. 46(2)(c))",
        "downloads": 2,
        "records": 14,
    }


@pytest.mark.parametrize("country", ["DE", "FR"])
def test_what_stays_in_the_countries_of_the_region_needs_no_safeguard(
    tenant: Tenant, dataset: Dataset, steward: Client, officer: Client, country: str
) -> None:
    answer, _ = download(steward, written(tenant, steward, dataset, party(officer, country=country)))
    assert answer.status_code == 200
    assert log(officer) == []


@pytest.mark.parametrize(
    ("facts", "reason"),
    [
        ({"country": "US"}, "no_safeguard"),
        ({"country": "US", "safeguard": "derogation"}, "no_ground"),
        ({}, "no_country"),
        ({"safeguard": "clauses"}, "no_country"),
    ],
)
def test_a_transfer_that_nothing_covers_is_refused_and_logged(
    tenant: Tenant, dataset: Dataset, officer: Client, facts: dict[str, str], reason: str
) -> None:
    refused = ask(caller(tenant, "data_steward"), dataset, recipient=party(officer, **facts))
    assert (refused.status_code, refused.json()["code"], refused.json()["reason"]) == (403, "VAULT_COMP_8221", reason)
    (one,) = log(officer)
    assert (one["outcome"], one["reason"], one["bytes"]) == ("refused", reason, 0)
    told = [event for event in events_of(tenant, refused["X-Request-ID"]) if event.type == "data.transfer.refused"]
    assert [str(event.id) for event in told] == [one["event_id"]]
    with acting(tenant):
        assert not Export.objects.exists()


def test_a_derogation_with_its_ground_covers(
    tenant: Tenant, dataset: Dataset, steward: Client, officer: Client
) -> None:
    facts = {"country": "US", "safeguard": "derogation", "contract_reference": "Art. 49(1)(e): claim 12/26"}
    download(steward, written(tenant, steward, dataset, party(officer, **facts)))
    assert [one["safeguard"] for one in log(officer)] == ["derogation"]


def test_who_receives_has_to_be_said(dataset: Dataset, steward: Client, officer: Client) -> None:
    refused = ask(steward, dataset)
    assert (refused.status_code, refused.json()["code"]) == (422, "VAULT_COMP_8220")
    assert [one["reason"] for one in log(officer)] == ["no_recipient"]


def test_another_organizations_party_is_none(
    tenant: Tenant, rival: Tenant, dataset: Dataset, steward: Client, officer: Client
) -> None:
    foreign = party(caller(rival, "privacy_officer", purpose=""), **CLAUSES)
    answers = [ask(steward, dataset, recipient=one) for one in (foreign, str(uuid4()))]
    assert [answer.status_code for answer in answers] == [403, 403]
    assert answers[0].json()["detail"] == answers[1].json()["detail"]
    assert [(one["reason"], one["party_id"]) for one in log(officer)] == [("unknown_party", None)] * 2
    assert log(caller(rival, "privacy_officer", purpose="")) == []


def test_cover_is_asked_for_again_at_the_download(
    tenant: Tenant, dataset: Dataset, steward: Client, officer: Client
) -> None:
    recipient = party(officer, **CLAUSES)
    export_id = written(tenant, steward, dataset, recipient)
    assert send(officer, "DELETE", f"/processors/{recipient}").status_code == 204
    refused = download(steward, export_id)
    assert (refused.status_code, refused.json()["code"]) == (403, "VAULT_COMP_8221")
    assert [one["outcome"] for one in log(officer)] == ["refused"]


def test_without_regions_nobody_is_named(tenant: Tenant, settings: Any, steward: Client, officer: Client) -> None:
    settings.VAULT = {**settings.VAULT, "REGIONS": {}}
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(3)))
    assert ask(steward, dataset).status_code == 202
    assert log(officer) == []


def test_the_log_is_filtered_and_paged(tenant: Tenant, dataset: Dataset, steward: Client, officer: Client) -> None:
    for facts in (CLAUSES, {"country": "BR"}, {"country": "IN"}):
        ask(steward, dataset, recipient=party(officer, **facts))
    assert [one["country"] for one in log(officer)] == ["IN", "BR"]
    assert [one["country"] for one in log(officer, "?country=BR")] == ["BR"]
    assert log(officer, "?outcome=made") == []
    first = send(officer, "GET", "/compliance/transfers?limit=1").json()
    second = send(officer, "GET", f"/compliance/transfers?limit=1&cursor={first['pagination']['next_cursor']}").json()
    assert [one["country"] for one in (*first["data"], *second["data"])] == ["IN", "BR"]
    assert second["pagination"]["next_cursor"] is None
    for wrong in ("outcome=maybe", "country=usa", "dataset_id=x", "cursor=x", "strange=1"):
        assert send(officer, "GET", f"/compliance/transfers?{wrong}").status_code == 400, wrong


def test_the_log_takes_the_right_to_the_register(tenant: Tenant, steward: Client) -> None:
    assert send(caller(tenant, "viewer", purpose=""), "GET", "/compliance/transfers").status_code == 403
    assert send(caller(tenant, "auditor", purpose=""), "GET", "/compliance/transfers").status_code == 200


def test_a_row_of_the_log_is_never_changed(tenant: Tenant, dataset: Dataset, steward: Client, officer: Client) -> None:
    ask(steward, dataset)
    with acting(tenant), pytest.raises(Exception, match="permission denied"):
        Transfer.objects.update(outcome="made")
    with acting(tenant), pytest.raises(Exception, match="permission denied"):
        Transfer.objects.all().delete()


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_page_tells_who_sent_what_where_and_why_not(
    tenant: Tenant, dataset: Dataset, steward: Client, officer: Client
) -> None:
    browser = browser_of(tenant, "privacy_officer")
    empty, _ = opened(browser, "/admin/compliance/transfers/")
    assert "Nothing has left a region" in empty.content.decode()
    download(steward, written(tenant, steward, dataset, party(officer, **CLAUSES)))
    ask(steward, dataset, recipient=party(officer, name="Uncovered plc", country="BR"))
    page = opened(browser, "/admin/compliance/transfers/")[0].content.decode()
    for shown in (
        dataset.name,
        "Far Ltd",
        "Uncovered plc",
        "standard contractual clauses",
        "nothing covers the transfer",
    ):
        assert shown in page
    only = opened(browser, "/admin/compliance/transfers/", {"country": "br"})[0].content.decode()
    assert "Uncovered plc" in only
    assert "Far Ltd" not in only
    assert opened(browser, "/admin/compliance/transfers/", {"outcome": "maybe"})[0].status_code == 400


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_wizard_asks_for_the_recipient(tenant: Tenant, dataset: Dataset, officer: Client) -> None:
    recipient = party(officer, **CLAUSES)
    browser = browser_of(tenant, "data_steward", purpose="evaluation")
    path = f"/admin/datasets/dataset/{dataset.pk}/exports/new/"
    asked = opened(browser, path)[0]
    assert asked.status_code == 200, asked.content
    assert f'<option value="{recipient}"' in asked.content.decode()
    form = {"do": "create", "purpose": "evaluation", "format": "jsonl", "version": "main"}
    assert browser.post(path, form).status_code == 422
    made = browser.post(path, form | {"recipient": recipient})
    assert made.status_code == 302
    assert "Far Ltd" in browser.get(made["Location"]).content.decode()


@pytest.mark.usefixtures("plain_static", "quick_passwords")
def test_the_form_offers_the_declared_regions(tenant: Tenant, dataset: Dataset) -> None:
    browser = browser_of(tenant, "data_steward")
    form = opened(browser, "/admin/datasets/dataset/add/")[0].content.decode()
    assert '<option value="eu" selected>' in form
    assert '<option value="us">' in form
    given = {"name": "made in a browser", "classification": "internal", "region": "us"}
    browser.post("/admin/datasets/dataset/add/", given)
    with acting(tenant):
        made = Dataset.objects.get(name="made in a browser")
    assert made.region == "us"
    browser.post(f"/admin/datasets/dataset/{made.pk}/change/", given | {"region": "eu", "description": "moved?"})
    with acting(tenant):
        made.refresh_from_db()
    assert (made.region, made.description) == ("us", "moved?")
