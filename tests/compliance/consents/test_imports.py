"""A file of consents is taken whole or not at all, and once."""

import orjson
import pytest

from compliance.models import Consent
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.consents import mail, withdraw
from tests.factories.datasets import PURPOSE, jsonl

PATH = f"/consents/import?purpose={PURPOSE}"


def line(number, **said):
    who = {"type": "EMAIL_ADDRESS", "value": f"a{number}@example.com"}
    return {"identifiers": [who], "given_at": "2026-01-01T00:00:00Z"} | said


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer", purpose="")


def test_json_lines_are_recorded_once(tenant, officer):
    body = jsonl([line(n, evidence=f"row {n}") for n in range(5)])
    assert send(officer, "POST", PATH, body).json() == {"recorded": 5, "known": 0}
    assert send(officer, "POST", PATH, body + jsonl([line(9)])).json() == {"recorded": 1, "known": 5}


def test_csv_is_recorded_as_its_columns_say(tenant, officer):
    body = b"type,value,given_at,expires_at\nEMAIL_ADDRESS,ada@example.com,2026-01-01T00:00:00Z,2099-01-01T00:00:00Z\n"
    assert send(officer, "POST", f"{PATH}&format=csv", body).json() == {"recorded": 1, "known": 0}
    with acting(tenant):
        assert Consent.objects.get().expires_at.year == 2099


def test_lines_that_are_no_consents_are_named_and_nothing_is_taken(tenant, officer):
    bad = [
        b"{not json",
        orjson.dumps(line(2, given_at="yesterday")),
        orjson.dumps(line(3, identifiers=[{"type": "EMAIL_ADDRESS", "value": "secret@example.com"}], source="NO CODE")),
        orjson.dumps(line(4) | {"what": 1}),
        orjson.dumps(line(5, given_at="2026-01-01T00:00:00")),
    ]
    answer = send(officer, "POST", PATH, orjson.dumps(line(1)) + b"\n" + b"\n".join(bad))
    assert (answer.status_code, answer.json()["code"]) == (422, "VAULT_COMP_8112")
    fields = [one["field"] for one in answer.json()["errors"]]
    assert fields == ["/2", "/3", "/4/source", "/5", "/6/given_at"]
    assert b"secret@" not in answer.content
    with acting(tenant):
        assert not Consent.objects.exists()


def test_a_file_does_not_bring_back_what_was_withdrawn(tenant, officer):
    body = jsonl([line(1), line(2)])
    send(officer, "POST", PATH, body)
    withdraw(tenant, mail("a1@example.com"))
    assert send(officer, "POST", PATH, body).json() == {"recorded": 0, "known": 2}
    found = send(officer, "POST", "/consents/search", {"identifiers": line(1)["identifiers"]}).json()["data"]
    assert [one["state"] for one in found] == ["withdrawn"]
    refused = send(officer, "POST", PATH, jsonl([line(3), line(1, evidence="again")]))
    assert [one["field"] for one in refused.json()["errors"]] == ["/2"]
    with acting(tenant):
        assert Consent.objects.count() == 2


@pytest.mark.parametrize(
    ("query", "body"),
    [
        ("", b""),
        ("&format=csv", b"who,when\na,b\n"),
        ("&format=csv", b"type,value,given_at\nEMAIL_ADDRESS,a@example.com,2026-01-01T00:00:00Z,more\n"),
        ("&format=csv", b"\xff\xfe"),
    ],
)
def test_a_file_of_another_kind_is_refused(tenant, officer, query, body):
    answer = send(officer, "POST", PATH + query, body)
    assert (answer.status_code, answer.json()["code"]) == (422, "VAULT_COMP_8112")
