"""Every failure of a request: one shape, nothing of the inside, nothing left behind."""

import json
import logging
from uuid import uuid4

import pytest
from django.test import Client

from audit.models import AuditEvent
from datasets.models import Dataset
from tests.factories.audit import make_principal
from tests.kernel.views import FOREIGN, OURS
from vaultsite.kernel.tenancy.scope import tenant_scope

pytestmark = pytest.mark.urls("tests.kernel.views")

#: What Django, DRF and the database raise, as the catalogue's errors.
TRANSLATED = {
    "Http404": 404,
    "NotFound": 404,
    "ParseError": 400,
    "MethodNotAllowed": 405,
    "NotAcceptable": 406,
    "UnsupportedMediaType": 415,
    "ValidationError": 400,
    "PermissionDenied": 403,
    "DrfPermissionDenied": 403,
    "SuspiciousOperation": 400,
    "IntegrityError": 500,
    "DataError": 500,
    "OperationalError": 503,
    "RuntimeError": 500,
    "RecursionError": 500,
    "MemoryError": 500,
    "KeyError": 500,
}


def scope_of(tenant):
    return tenant_scope(tenant.pk, make_principal(tenant.pk))


def write_and(client, failure):
    """POST to the view that writes a dataset and then fails; the dataset's name, and the answer."""
    name = f"undone {uuid4()}"
    return name, client.post(f"/fail/{failure}", headers={"X-Dataset": name})


def exists(tenant, name):
    with scope_of(tenant):
        return Dataset.objects.filter(name=name).exists()


def events_of_request(tenant, answer):
    with scope_of(tenant):
        return list(AuditEvent.objects.filter(request_id=answer["X-Request-ID"]))


def test_without_a_failure_the_row_stays(tenant, client):
    """Else the tests below would prove nothing."""
    name, answer = write_and(client, "none")
    assert answer.status_code == 200, answer.content
    assert exists(tenant, name)


@pytest.mark.parametrize("code", sorted(OURS))
def test_after_every_error_of_the_catalogue_no_row_is_left(tenant, client, code):
    name, answer = write_and(client, code)
    problem = answer.json()
    assert (answer.status_code, problem["status"], problem["code"]) == (OURS[code].status, OURS[code].status, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert problem["trace_id"] == answer["X-Request-ID"]
    assert answer["Cache-Control"] == "no-store"
    assert not exists(tenant, name)


@pytest.mark.parametrize("kind", sorted(FOREIGN))
def test_after_every_other_exception_no_row_is_left(tenant, client, kind):
    name, answer = write_and(client, kind)
    assert answer.status_code == TRANSLATED[kind]
    assert answer.json()["code"].startswith("VAULT_")
    assert b"canary-value" not in answer.content
    assert not exists(tenant, name)


def test_a_real_integrity_error_leaves_no_row(tenant, client):
    name, answer = write_and(client, "real-integrity-error")
    assert answer.status_code == 500
    assert name not in answer.content.decode()
    assert not exists(tenant, name)


@pytest.mark.parametrize(
    ("failure", "status", "kind"),
    [
        ("VAULT_AUTHZ_2001", "denied", "data.access.denied"),
        ("VAULT_DATA_4007", "failure", "data.access.write"),
        ("RuntimeError", "failure", "data.access.write"),
        ("Http404", "failure", "data.access.write"),
    ],
)
def test_a_request_that_failed_before_a_decision_left_one_event(tenant, client, failure, status, kind):
    _, answer = write_and(client, failure)
    (event,) = events_of_request(tenant, answer)
    assert (event.status, event.type, event.resource_type) == (status, kind, "dataset")


def test_a_failed_read_is_recorded_as_a_read(tenant, client):
    answer = client.get("/fail/VAULT_DATA_4002")
    (event,) = events_of_request(tenant, answer)
    assert (event.type, event.failure_reason) == ("data.access.read", "VAULT_DATA_4002")


@pytest.mark.parametrize("failure", ["RuntimeError", "IntegrityError", "OperationalError"])
def test_a_fault_is_logged_with_its_place_and_without_its_text(client, failure, logged):
    write_and(client, failure)
    text = logged.getvalue()
    assert f"vault.problem VAULT_SYS_{'9002' if failure == 'OperationalError' else '9001'}" in text
    assert "tests/kernel/views.py" in text
    assert "canary-value" not in text


def test_a_refusal_is_not_logged_as_a_fault(client, caplog):
    with caplog.at_level(logging.INFO, logger="vault.problem"):
        write_and(client, "VAULT_DATA_4007")
    assert [record for record in caplog.records if record.name == "vault.problem"] == []


def test_waiting_helps_where_the_header_says_so(client):
    answer = write_and(client, "VAULT_SYS_9003")[1]
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "Retry-After" not in write_and(client, "VAULT_SYS_9001")[1]


def test_who_is_not_known_is_challenged(vault_database):
    for client in (Client(), Client(headers={"Authorization": "Bearer ldv_wrong"})):
        answer = client.get("/fail/Http404")
        assert (answer.status_code, answer["WWW-Authenticate"]) == (401, 'Bearer realm="vault"')


@pytest.mark.parametrize("method", ["put", "patch", "delete", "trace"])
def test_a_method_that_is_not_there_is_named(client, method):
    answer = getattr(client, method)("/fail/none")
    assert (answer.status_code, answer.json()["code"]) == (405, "VAULT_VALID_3003")


@pytest.mark.parametrize("accept", ["application/xml", "text/html", "image/*"])
def test_no_other_representation_is_to_be_had(client, accept):
    answer = client.get("/fail/Http404", headers={"Accept": accept})
    assert (answer.status_code, answer["Content-Type"]) == (406, "application/problem+json")


class TestRequestIds:
    @pytest.mark.parametrize("given", ["request-0001", "A.b_c-12", "x" * 64])
    def test_an_id_of_the_right_shape_is_kept(self, client, given):
        answer = client.get("/fail/Http404", headers={"X-Request-ID": given})
        assert answer["X-Request-ID"] == given == answer.json()["trace_id"]

    @pytest.mark.parametrize(
        "given", ["", "short", "x" * 65, "with space", "new\nline", "quote'\"", "\u0661" * 10, "\x1b[31mred"]
    )
    def test_any_other_is_replaced(self, client, given):
        answer = client.get("/fail/Http404", headers={"X-Request-ID": given})
        assert answer["X-Request-ID"] != given
        assert len(answer["X-Request-ID"]) == 36

    def test_every_request_has_its_own(self, client):
        assert client.get("/fail/Http404")["X-Request-ID"] != client.get("/fail/Http404")["X-Request-ID"]


class TestValidation:
    def test_each_wrong_member_is_named_by_its_pointer(self, client):
        problem = post(client, "/validated", {"color": "green", "tags": ["abc", "abcd"], "id": "x"}).json()
        assert {entry["field"] for entry in problem["errors"]} == {"/color", "/tags/1", "/id"}

    @pytest.mark.parametrize("member", ["color", "id", "tags"])
    def test_the_refused_value_is_not_repeated(self, client, member):
        answer = post(client, "/validated", {"color": "red", member: 'canary"value\nmore'})
        assert answer.status_code == 400
        assert "canary" not in answer.content.decode()

    def test_what_a_message_would_quote_is_called_the_value(self, client):
        answer = post(client, "/validated", {"color": 'canary"value\nmore'})
        assert answer.json()["errors"][0]["detail"] == "The value is not a valid choice."

    def test_a_pointer_escapes_what_it_must(self, client):
        problem = post(client, "/validated", {"a/b~c": 1}).json()
        assert problem["errors"][0]["field"] == "/a~1b~0c"

    @pytest.mark.parametrize("body", ["[]", '"text"', "7", "null"])
    def test_another_kind_of_document_is_refused(self, client, body):
        answer = client.post("/validated", body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")


def post(client, path, document):
    return client.post(path, json.dumps(document), content_type="application/json")


class TestBodies:
    @pytest.mark.parametrize(
        "body",
        [
            b"{",
            b"{'a': 1}",
            b'{"a": NaN}',
            b'{"a": Infinity}',
            b'{"a": 1,}',
            b'{"a": "\xff"}',
            b'{"a": "\\ud800"}',
            b'{"a": 1, "a": 2}',
            b'{"outer": {"a": 1, "\\u0061": 2}}',
            b"\xef\xbb\xbf{}",
            b"[" * 100_000,
            b"[" * 100_000 + b"]" * 100_000,
            b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
            b'{"a": 01}',
            b'{"a": "line\nbreak"}',
            b'{"a": "\x00"}',
        ],
        ids=range(16),
    )
    def test_what_is_not_strict_json_is_refused(self, client, body):
        answer = client.post("/echo", body, content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3002")

    def test_nothing_of_a_malformed_body_is_repeated(self, client):
        answer = client.post("/echo", b'{"canary-value": oops}', content_type="application/json")
        assert answer.status_code == 400
        assert b"canary" not in answer.content
        assert (answer.json()["line"], answer.json()["column"]) == (1, 18)

    @pytest.mark.parametrize(
        "kind",
        ["application/json", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"],
    )
    def test_the_stated_type_does_not_matter(self, client, kind):
        assert client.post("/echo", b'{"a":1}', content_type=kind).json() == {"given": {"a": 1}}

    def test_a_body_may_have_eight_mebibytes(self, client):
        answer = client.post("/echo", b'"' + b"x" * (8 << 20) + b'"', content_type="application/json")
        assert (answer.status_code, answer.json()["code"]) == (413, "VAULT_VALID_3006")

    def test_a_number_of_five_thousand_digits_harms_nobody(self, client):
        assert client.post("/echo", b'{"a":' + b"9" * 5000 + b"}", content_type="application/json").status_code < 500

    def test_numbers_keep_their_value(self, client):
        answer = client.post("/echo", b'{"a":9007199254740993,"b":0.1}', content_type="application/json")
        assert answer.content == b'{"given":{"a":9007199254740993,"b":0.1}}'


@pytest.mark.parametrize("path", ["/fail/x%00", "/listing?cursor=%00", "/listing?%00=1"])
def test_a_nul_names_nothing(client, path):
    answer = client.get(path)
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")
