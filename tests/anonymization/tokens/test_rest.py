"""Tokens over REST: what is given out, what is refused, what the audit says."""

import json
from uuid import uuid4

import pytest

from access.models import EncryptionKey
from anonymization.models import Token, TokenUse
from anonymization.services.token_vault import issue
from anonymization.tokens.text import is_token
from tests.factories.access import acting
from tests.factories.api import caller, events_of, new_request_id, send
from tests.factories.datasets import make_dataset

PURPOSE = "evaluation"


@pytest.fixture
def dataset(tenant):
    return make_dataset(tenant)


@pytest.fixture
def maker(tenant):
    return caller(tenant, "data_steward")


@pytest.fixture
def officer(tenant):
    return caller(tenant, "privacy_officer")


def narrow(dataset, purpose=PURPOSE):
    return {"dataset_id": str(dataset.pk), "purpose": purpose}


def tokenize(client, values, **members):
    answer = send(client, "POST", "/tokenize", {"values": values, **members})
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def detokenize(client, tokens, **members):
    answer = send(client, "POST", "/detokenize", {"tokens": tokens, **members})
    assert answer.status_code == 200, answer.content
    return answer.json()["results"]


def test_random_tokens_open_and_differ(tenant, maker, officer):
    values = ["Ada Lovelace", "Ada Lovelace", "Grace Hopper", "\x00 ünïcode \U0001f600\x80"]
    results = tokenize(maker, values, kind="random")
    tokens = [one["token"] for one in results]
    assert len(set(tokens)) == 4
    assert all(map(is_token, tokens))
    assert [one["value"] for one in detokenize(officer, tokens)] == values


def test_deterministic_tokens_stay_the_same(tenant, maker, officer, dataset):
    scope = narrow(dataset)
    first = tokenize(maker, ["Ada Lovelace", "Grace Hopper"], scope=scope)
    again = tokenize(maker, ["Grace Hopper", "Ada Lovelace", "Ada Lovelace"], scope=scope, kind="deterministic")
    assert [one["token"] for one in again] == [first[1]["token"], first[0]["token"], first[0]["token"]]
    other = tokenize(maker, ["Ada Lovelace"], scope=scope, prefix="person")
    assert other[0]["token"].startswith("person_1_")
    assert [one["value"] for one in detokenize(officer, [first[0]["token"], other[0]["token"]], scope=scope)] == [
        "Ada Lovelace",
        "Ada Lovelace",
    ]
    with acting(tenant):
        assert Token.objects.count() == 3


@pytest.mark.parametrize("kind", ["deterministic", "format"])
@pytest.mark.parametrize("scope", [{}, {"purpose": PURPOSE}, {"dataset_id": None}])
def test_what_joins_values_needs_a_narrow_scope(maker, kind, scope):
    shape = {"format": "digits"} if kind == "format" else {}
    answer = send(maker, "POST", "/tokenize", {"values": ["4155550132"], "scope": scope, "kind": kind, **shape})
    assert (answer.status_code, answer.json()["code"]) == (422, "VAULT_ANON_6030")


def test_a_dataset_alone_is_not_narrow_enough(maker, dataset):
    body = {"values": ["Ada Lovelace"], "scope": {"dataset_id": str(dataset.pk)}, "kind": "deterministic"}
    assert send(maker, "POST", "/tokenize", body).json()["code"] == "VAULT_ANON_6030"


def test_small_domains_are_refused_value_by_value(maker, dataset):
    results = tokenize(maker, ["12345", "Bob", "Ada Lovelace", "no", "123-45-6789"], scope=narrow(dataset))
    codes = [one.get("error", {}).get("code") for one in results]
    assert codes == ["VAULT_ANON_6031", "VAULT_ANON_6031", None, "VAULT_ANON_6031", None]
    short = tokenize(maker, ["12345", "123456", "12-34-56", "Bob"], scope=narrow(dataset), format="digits")
    codes = [one.get("error", {}).get("code") for one in short]
    assert codes == ["VAULT_ANON_6031", None, None, "VAULT_ANON_6033"]


def test_a_frequent_value_is_refused(tenant, maker, dataset):
    values = [f"person number {index}" for index in range(200)]
    results = tokenize(maker, values + ["the usual suspect"] * 11, scope=narrow(dataset))
    refused = [one for one in results if "error" in one]
    assert len(refused) == 11
    assert {one["error"]["code"] for one in refused} == {"VAULT_ANON_6032"}
    with acting(tenant):
        use = TokenUse.objects.get(kind="d")
        assert (use.issued, use.refused) == (200, 11)


def test_a_frequent_value_is_refused_one_request_at_a_time_too(maker, dataset):
    tokenize(maker, [f"person number {index}" for index in range(100)], scope=narrow(dataset))
    codes = [tokenize(maker, ["the usual suspect"], scope=narrow(dataset))[0] for _ in range(12)]
    assert ["error" in one for one in codes] == [False] * 10 + [True] * 2


@pytest.mark.parametrize(
    ("shape", "value"),
    [
        ("digits", "+1 (415) 555-0132"),
        ("alnum", "DE89 3704 0044 0532 0130 00"),
        ("card", "4111 1111 1111 1111"),
        ("AA-9999-aa99", "QX-1234-zz12"),
        ("\\A99999999*", "A12345678k"),
    ],
)
def test_formats_are_kept(maker, officer, dataset, shape, value):
    (one,) = tokenize(maker, [value], scope=narrow(dataset), format=shape)
    token = one["token"]
    assert token != value
    for old, new in zip(value, token, strict=True):
        assert old.isdigit() == new.isdigit() or (old.isalnum() and new.isalnum())
        assert old == new or old.isalnum()
    assert tokenize(maker, [value], scope=narrow(dataset), format=shape) == [one]
    assert detokenize(officer, [token], scope=narrow(dataset)) == [{"value": value}]


def test_a_value_without_the_format_is_refused(maker, dataset):
    results = tokenize(
        maker, ["4111 1111 1111 1112", "411", "Ada", "4111\u0664111"], scope=narrow(dataset), format="card"
    )
    assert {one["error"]["code"] for one in results} == {"VAULT_ANON_6033"}


def test_other_scopes_open_nothing_and_tell_nothing(tenant, maker, officer, dataset):
    token = tokenize(maker, ["Ada Lovelace"], scope=narrow(dataset))[0]["token"]
    unknown = {"error": {"code": "VAULT_ANON_6034", "title": "No such token in this scope"}}
    assert detokenize(officer, [token]) == [unknown]
    assert detokenize(officer, [token], scope={"dataset_id": str(dataset.pk)}) == [unknown]
    assert detokenize(officer, [token, "nonsense", ""[:0] or "x"], scope=narrow(make_dataset(tenant))) == [unknown] * 3


def test_another_purpose_is_denied_and_recorded(tenant, maker, dataset):
    token = tokenize(maker, ["Ada Lovelace"], scope=narrow(dataset))[0]["token"]
    other = caller(tenant, "privacy_officer", purpose="debugging")
    request_id = new_request_id()
    body = {"tokens": [token], "scope": narrow(dataset)}
    answer = send(other, "POST", "/detokenize", body, **{"X-Request-ID": request_id})
    assert (answer.status_code, answer.json()["code"]) == (403, "VAULT_ANON_6037")
    (event,) = events_of(tenant, request_id)
    assert (event.status, event.failure_reason) == ("denied", "VAULT_ANON_6037")
    assert detokenize(other, [token], scope=narrow(dataset, "debugging"))[0]["error"]["code"] == "VAULT_ANON_6034"


def test_revealing_needs_its_own_permission_and_a_purpose(tenant, maker, dataset):
    token = tokenize(maker, ["Ada Lovelace"], kind="random")[0]["token"]
    for client, code in [
        (maker, "VAULT_AUTHZ_2001"),
        (caller(tenant, "tenant_admin"), "VAULT_AUTHZ_2001"),
        (caller(tenant, "privacy_officer", purpose=""), None),
    ]:
        answer = send(client, "POST", "/detokenize", {"tokens": [token]})
        assert answer.status_code in (400, 403), answer.content
        assert code in (None, answer.json()["code"])
        assert b"Ada" not in answer.content
    viewer = send(caller(tenant, "viewer"), "POST", "/tokenize", {"values": ["x" * 20]})
    assert viewer.status_code == 403


def test_another_tenants_dataset_is_none(tenant, rival, maker):
    foreign = make_dataset(rival)
    bodies = [
        {"values": ["Ada Lovelace"], "scope": {"dataset_id": str(pk), "purpose": PURPOSE}}
        for pk in (foreign.pk, uuid4())
    ]
    answers = [send(maker, "POST", "/tokenize", body) for body in bodies]
    assert [one.status_code for one in answers] == [404, 404]
    assert answers[0].json()["code"] == answers[1].json()["code"]


def test_another_tenant_opens_nothing(tenant, rival, maker):
    token = tokenize(maker, ["Ada Lovelace"], kind="random")[0]["token"]
    theirs = caller(rival, "privacy_officer")
    assert detokenize(theirs, [token])[0]["error"]["code"] == "VAULT_ANON_6034"


def test_the_audit_counts_and_quotes_nothing(tenant, maker, officer):
    request_id = new_request_id()
    tokens = [one["token"] for one in tokenize(maker, ["Ada Lovelace", "Grace Hopper"], kind="random")]
    body = {"tokens": [*tokens, "unknown"]}
    answer = send(officer, "POST", "/detokenize", body, **{"X-Request-ID": request_id})
    assert (answer.json()["refused"], answer["Cache-Control"]) == (1, "no-store")
    events = {event.type: event for event in events_of(tenant, request_id)}
    assert set(events) == {"data.access.read", "data.token.revealed", "data.token.refused"}
    metadata = json.loads(bytes(events["data.token.revealed"].body))["metadata"]
    assert (metadata["revealed"], metadata["refused"]) == (2, {"VAULT_ANON_6034": 1})
    assert json.loads(bytes(events["data.access.read"].body))["metadata"]["count"] == 3
    with acting(tenant):
        assert list(Token.objects.values_list("reveals", flat=True)) == [1, 1]


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"values": []},
        {"values": ["x"] * 1001},
        {"values": [""]},
        {"values": ["x" * 4097]},
        {"values": [1]},
        {"values": {"a": "b"}},
        {"values": ["x"], "surplus": 1},
        {"values": ["x"], "prefix": "Tok"},
        {"values": ["x"], "prefix": "sk"},
        {"values": ["x"], "kind": "format"},
        {"values": ["x"], "kind": "random", "format": "digits"},
        {"values": ["x"], "kind": "format", "format": "---"},
        {"values": ["x"], "kind": "format", "format": "9" * 65},
        {"values": ["x"], "expires_in_seconds": 0},
        {"values": ["x"], "scope": {"dataset_id": "nothing"}},
    ],
)
def test_what_is_malformed_is_refused_by_field(maker, body):
    answer = send(maker, "POST", "/tokenize", body)
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")
    assert answer.json()["errors"]


def test_the_vault_holds_nothing_readable(tenant, maker, dataset):
    tokens = tokenize(maker, ["Ada Lovelace"], scope=narrow(dataset)) + tokenize(
        maker, ["4111111111111111"], scope=narrow(dataset), format="card"
    )
    with acting(tenant):
        for row in Token.objects.all():
            content = b"".join(bytes(getattr(row, name)) for name in ("value_index", "slot", "token_index", "sealed"))
            for secret in ("Ada", "411111", *(one["token"] for one in tokens)):
                assert secret.encode() not in content
        assert {"token", "token_index", "format"} <= set(EncryptionKey.objects.values_list("purpose", flat=True))


def test_scopes_are_listed_rotated_expired_and_excepted(tenant, maker, officer, dataset):
    token = tokenize(maker, ["Ada Lovelace"], scope=narrow(dataset))[0]["token"]
    tokenize(maker, ["Ada Lovelace"], kind="random")
    answer = send(officer, "GET", "/tokens/scopes?limit=1").json()
    (one,) = answer["data"]
    assert (one["dataset_id"], one["purpose"], one["generation"]) == (str(dataset.pk), PURPOSE, 1)
    assert one["counts"]["deterministic"]["issued"] == 1
    cursor = answer["pagination"]["next_cursor"]
    rest = send(officer, "GET", f"/tokens/scopes?cursor={cursor}").json()
    assert [scope["dataset_id"] for scope in rest["data"]] == [None]
    assert send(officer, "GET", "/tokens/scopes?cursor=WyJ4Il0").status_code == 400
    path = f"/tokens/scopes/{one['id']}"
    rotated = send(officer, "POST", f"{path}/rotation")
    assert (rotated.status_code, rotated.json()["status"]) == (202, "queued")
    assert send(maker, "PUT", f"{path}/frequent-value", {"reason": "Synthetic"}).status_code == 204
    listed = send(officer, "GET", "/tokens/scopes").json()["data"][0]
    assert (listed["generation"], listed["frequent_reason"]) == (2, "Synthetic")
    assert send(maker, "DELETE", f"{path}/frequent-value").status_code == 204
    assert send(officer, "POST", f"{path}/expiry").status_code == 204
    assert detokenize(officer, [token], scope=narrow(dataset))[0]["error"]["code"] == "VAULT_ANON_6035"
    assert send(officer, "POST", f"/tokens/scopes/{uuid4()}/rotation").json()["code"] == "VAULT_ANON_6038"
    assert send(maker, "POST", f"{path}/rotation").status_code == 403


def test_a_token_expires_after_its_seconds(maker, officer):
    (one,) = tokenize(maker, ["Ada Lovelace"], kind="random", expires_in_seconds=3600)
    assert one["expires_at"]
    assert detokenize(officer, [one["token"]]) == [{"value": "Ada Lovelace"}]


def test_no_token_is_left_in_a_full_domain(tenant, maker, dataset, monkeypatch):
    """A million tokens are too many for a test; none to try is the same."""
    monkeypatch.setattr(issue, "_ROUNDS", 0)
    (one,) = tokenize(maker, ["123456"], scope=narrow(dataset), format="digits")
    assert one["error"]["code"] == "VAULT_ANON_6036"
