"""Rules of what callers are not told, and of methods without meaning."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.test import Client

from access.services.api_keys import revoke_api_key
from access.services.tenants import operator
from tests.factories.access import acting, age, make_api_key
from tests.factories.api import API, caller, new_request_id, send
from tests.factories.datasets import make_dataset, upload

ROW = b'{"id": "r1", "text": "a"}\n'
#: Every path that names a dataset or an ingest, with every method it has.
NAMED = [
    ("GET", "/datasets/{dataset}", None),
    ("PUT", "/datasets/{dataset}", {"name": "x"}),
    ("PATCH", "/datasets/{dataset}", {"name": "x"}),
    ("DELETE", "/datasets/{dataset}", None),
    ("GET", "/datasets/{dataset}/data", None),
    ("POST", "/datasets/{dataset}/data", ROW),
    ("GET", "/datasets/{dataset}/versions", None),
    ("GET", "/datasets/{dataset}/versions/main", None),
    ("GET", "/datasets/{dataset}/versions/main/records", None),
    ("GET", "/datasets/{dataset}/versions/main/records/r1", None),
    ("GET", "/ingests/{ingest}", None),
    ("GET", "/ingests/{ingest}/rejects", None),
]
ALL = [*NAMED, ("GET", "/datasets", None), ("POST", "/datasets", {"name": "x"})]


@pytest.fixture
def place(tenant):
    dataset = make_dataset(tenant)
    ingest = upload(tenant, dataset, ROW + b"{broken\n", on_error="reject")
    return {"dataset": dataset.pk, "ingest": ingest.pk}


def _public(response):
    """All but what counts requests."""
    headers = {name: value for name, value in response.headers.items() if "RateLimit" not in name}
    return response.status_code, response.content, headers


def test_what_belongs_to_another_tenant_is_answered_like_what_never_was(tenant, rival, place):
    spy = caller(rival, "data_steward")
    for method, path, body in NAMED:
        request_id = new_request_id()
        foreign, random = (
            send(spy, method, path.format(**names), body, **{"X-Request-ID": request_id})
            for names in (place, {"dataset": uuid4(), "ingest": uuid4()})
        )
        assert foreign.status_code == 404, (method, path)
        assert _public(foreign) == _public(random), (method, path)


def test_a_role_that_may_not_know_of_datasets_is_answered_like_a_stranger(tenant, place):
    client = caller(tenant, "security_officer")
    for method, path, body in NAMED:
        assert send(client, method, path.format(**place), body).status_code == 404, (method, path)


def test_who_may_look_but_not_act_is_denied(tenant, place):
    client = caller(tenant, "viewer")
    allowed = {"/datasets/{dataset}", "/datasets/{dataset}/versions", "/datasets/{dataset}/versions/main", "/datasets"}
    for method, path, body in ALL:
        answer = send(client, method, path.format(**place), body)
        expected = (200, None) if method == "GET" and path in allowed else (403, "VAULT_AUTHZ_2001")
        if path.startswith("/ingests"):
            expected = (404, "VAULT_DATA_4004")  # who may not see uploads does not learn of one
        code = None if answer.status_code == 200 else answer.json()["code"]
        assert (answer.status_code, code) == expected, (method, path)
    unchanged = send(caller(tenant, "data_steward"), "GET", f"/datasets/{place['dataset']}/data")
    assert unchanged.getvalue() == b'{"id":"r1","text":"a"}\n'


def _bad_credentials(tenant):
    good = make_api_key(tenant, "data_steward")
    revoked, expired = make_api_key(tenant, "data_steward"), make_api_key(tenant, "data_steward")
    with acting(tenant):
        revoke_api_key(operator(tenant.pk), key_id=revoked[0].pk)
    age(expired[0], expires_at=timedelta(days=400))
    token = good[1]
    return {
        "none": ({}, "VAULT_AUTH_1001"),
        "empty": ({"Authorization": ""}, "VAULT_AUTH_1002"),
        "another scheme": ({"Authorization": "Basic dTpw"}, "VAULT_AUTH_1002"),
        "no key": ({"Authorization": "Bearer ldv_nonsense"}, "VAULT_AUTH_1002"),
        "one letter changed": (
            {"Authorization": f"Bearer {token[:-9]}{'a' if token[-9] != 'a' else 'b'}{token[-8:]}"},
            "VAULT_AUTH_1002",
        ),
        "revoked": ({"Authorization": f"Bearer {revoked[1]}"}, "VAULT_AUTH_1004"),
        "expired": ({"X-API-Key": expired[1]}, "VAULT_AUTH_1003"),
        "a key that does not hold beside one that does": (
            {"Authorization": "Bearer ldv_x", "X-API-Key": token},
            "VAULT_AUTH_1002",
        ),
    }


def test_without_a_credential_that_holds_nothing_is_answered(tenant, place):
    for name, (headers, code) in _bad_credentials(tenant).items():
        for method, path, body in ALL if name in {"none", "revoked"} else ALL[:2]:
            answer = send(Client(headers=headers), method, path.format(**place), body)
            assert (answer.status_code, answer.json()["code"]) == (401, code), (name, method, path)
            assert answer["Content-Type"] == "application/problem+json"
            assert answer["WWW-Authenticate"].startswith("Bearer")
            assert answer["Cache-Control"] == "no-store"
            assert answer.json()["trace_id"] == answer["X-Request-ID"]


def test_a_suspended_upload_keeps_nothing_of_a_stranger(tenant, place):
    answer = send(Client(), "POST", f"/datasets/{place['dataset']}/data", ROW * 1000)
    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "methods"),
    [
        ("/datasets", {"GET", "POST"}),
        ("/datasets/{dataset}", {"GET", "PUT", "PATCH", "DELETE"}),
        ("/datasets/{dataset}/data", {"GET", "POST", "PATCH"}),
        ("/datasets/{dataset}/versions", {"GET", "POST"}),
        ("/datasets/{dataset}/versions/main", {"GET", "DELETE"}),
        ("/datasets/{dataset}/versions/main/records", {"GET", "POST", "DELETE"}),
        ("/datasets/{dataset}/versions/main/records/r1", {"GET", "DELETE"}),
        ("/ingests/{ingest}", {"GET"}),
        ("/ingests/{ingest}/rejects", {"GET"}),
    ],
)
def test_other_methods_are_refused_and_the_known_ones_are_told(tenant, place, path, methods):
    client = caller(tenant, "data_steward")
    for method in {"GET", "POST", "PUT", "PATCH", "DELETE", "TRACE", "PROPFIND"} - methods:
        answer = client.generic(method, API + path.format(**place), b"{}", content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (405, "VAULT_VALID_3003"), method
    options = client.options(API + path.format(**place))
    assert options.status_code == 405
    assert {name.strip() for name in options["Allow"].split(",")} == methods | {"HEAD"}
    assert Client().options(API + path.format(**place)).status_code == 401


def test_head_is_get_without_a_body(tenant, place):
    client = caller(tenant, "data_steward")
    for method, path, _ in ALL:
        if method != "GET":
            continue
        got, head = client.get(API + path.format(**place)), client.head(API + path.format(**place))
        assert head.status_code == got.status_code == 200, path
        assert head.getvalue() == b""
        assert head["Content-Type"] == got["Content-Type"]
        assert got.getvalue()


@pytest.mark.parametrize(
    "path",
    ["/datasets/", "/datasets/x", "/datasets/x/data", "/nothing", "/datasets/{dataset}/", "/ingests", "/ingests/7", ""],
)
def test_an_unknown_path_is_a_problem_too(tenant, place, path):
    answer = send(caller(tenant, "data_steward"), "GET", path.format(**place))
    assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
    assert answer.json()["code"] == "VAULT_VALID_3007"


@pytest.mark.parametrize("accept", ["text/html", "application/xml", "image/*", "application/x-ndjson"])
def test_json_is_answered_whatever_is_accepted_or_a_clear_refusal(tenant, place, accept):
    answer = send(caller(tenant, "data_steward"), "GET", f"/datasets/{place['dataset']}", Accept=accept)
    assert answer.status_code in {200, 406}
    assert answer["Content-Type"] in {"application/json", "application/problem+json"}


@pytest.mark.parametrize(
    "header", ["X-Request-ID", "User-Agent", "X-Vault-Purpose", "Idempotency-Key", "Accept-Language"]
)
@pytest.mark.parametrize(
    "value",
    [
        "\x1b[31mred",
        "a\x7fb",
        "é" * 50,
        "x" * 5000,
        "'; DROP TABLE audit_event; --",
        "%00",
        "\N{BANKNOTE WITH YEN SIGN}",
    ],
)
def test_no_header_breaks_a_request(tenant, header, value):
    answer = send(caller(tenant, "data_steward"), "POST", "/datasets", {"name": "x"}, **{header: value})
    assert answer.status_code in {201, 400, 403}
    assert answer["X-Request-ID"] != value
