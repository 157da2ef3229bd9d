"""REST of grants: shapes, codes, and T15: nothing of others by an id."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from access.selectors import user_principal
from tests.factories.access import acting, make_user, sign_in
from tests.factories.api import caller, events_of, new_request_id, send
from tests.factories.datasets import jsonl, make_dataset, rows_of, upload
from tests.factories.leases import HOUR, PURPOSE, WHY, lease_for


@pytest.fixture
def filled(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(30)))
    return dataset


class Person:
    """Somebody signed in with a browser who uses the API."""

    def __init__(self, tenant, *roles):
        self.user = make_user(tenant, *roles)
        self.client = Client(headers={"X-Vault-Purpose": PURPOSE}, SERVER_NAME="localhost")
        self.client.cookies[settings.SESSION_COOKIE_NAME] = sign_in(tenant, self.user)
        with acting(tenant):
            self.principal = user_principal(self.user, purpose=PURPOSE)

    def send(self, method, path, body=None, **headers):
        return send(self.client, method, path, body, **headers)


def wish(dataset, **changed):
    return {"dataset_id": str(dataset.pk), "purpose": PURPOSE, "justification": WHY, "seconds": HOUR} | changed


def test_a_request_becomes_a_lease_that_is_used_up_and_revoked(tenant, filled):
    viewer, steward = Person(tenant, "viewer"), Person(tenant, "data_steward")
    made = viewer.send("POST", "/access-requests", wish(filled, row_quota=25, shown="raw"))
    assert made.status_code == 201, made.content
    request = made.json()
    assert (request["state"], request["approvals_needed"], request["level"]) == ("pending", 1, "read")
    assert made["Location"] == f"/api/v1/access-requests/{request['id']}"
    assert viewer.send("POST", f"/access-requests/{request['id']}/approve", {"reason": "me"}).status_code == 403
    approved = steward.send("POST", f"/access-requests/{request['id']}/approve", {"reason": "fine"})
    assert approved.status_code == 200, approved.content
    lease = approved.json()["lease"]
    records = f"/datasets/{filled.pk}/versions/main/records?limit=20"
    first = viewer.send("GET", records)
    assert len(first.json()["data"]) == 20
    second = viewer.send("GET", records)
    assert len(second.json()["data"]) == 5
    third = viewer.send("GET", records)
    assert (third.status_code, third.json()["code"]) == (403, "VAULT_AUTHZ_2234")
    seen = viewer.send("GET", f"/leases/{lease}").json()
    assert (seen["state"], seen["rows_used"], seen["rows_left"]) == ("exhausted", 25, 0)
    more = viewer.send("POST", f"/leases/{lease}/extend", {"seconds": HOUR, "row_quota": 5, "justification": WHY})
    assert more.status_code == 201, more.content
    steward.send("POST", f"/access-requests/{more.json()['id']}/approve", {"reason": "fine"})
    assert viewer.send("GET", records).status_code == 200
    revoked = steward.send("POST", f"/leases/{lease}/revoke", {"reason": "over"})
    assert revoked.json()["state"] == "revoked"
    assert viewer.send("GET", records).status_code == 403


def test_one_record_costs_one_and_a_query_is_not_met_under_a_quota(tenant, filled):
    viewer = Person(tenant, "viewer")
    lease = lease_for(tenant, filled, viewer.principal, row_quota=3)
    listed = viewer.send("GET", f"/datasets/{filled.pk}/versions/main/records?limit=1").json()["data"]
    assert viewer.send("GET", f"/datasets/{filled.pk}/versions/main/records/{listed[0]['id']}").status_code == 200
    assert viewer.send("GET", f"/leases/{lease.pk}").json()["rows_used"] == 2
    query = viewer.send("POST", f"/datasets/{filled.pk}/query", {"filter": {}})
    assert (query.status_code, query.json()["code"]) == (403, "VAULT_DATA_4013")


def test_a_request_is_withdrawn_by_who_made_it(tenant, filled):
    viewer = Person(tenant, "viewer")
    request = viewer.send("POST", "/access-requests", wish(filled)).json()
    assert viewer.send("DELETE", f"/access-requests/{request['id']}").status_code == 204
    assert viewer.send("GET", f"/access-requests/{request['id']}").json()["state"] == "withdrawn"
    listed = viewer.send("GET", "/access-requests?state=withdrawn&mine=1").json()
    assert [row["id"] for row in listed["data"]] == [request["id"]]


def test_lists_go_on_from_page_to_page(tenant, filled):
    viewer = Person(tenant, "viewer")
    made = [viewer.send("POST", "/access-requests", wish(filled)).json()["id"] for _ in range(3)]
    first = viewer.send("GET", "/access-requests?limit=2").json()
    rest = viewer.send("GET", f"/access-requests?limit=2&cursor={first['pagination']['next_cursor']}").json()
    assert [row["id"] for row in first["data"] + rest["data"]] == made[::-1]
    assert rest["pagination"]["next_cursor"] is None


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"level": "everything"}, "/level"),
        ({"seconds": 1}, "/seconds"),
        ({"approvals_needed": 0}, "/approvals_needed"),
        ({"requester": str(uuid4())}, "/requester"),
        ({"state": "approved"}, "/state"),
        ({"epsilon": "NaN"}, "/epsilon"),
    ],
)
def test_what_does_not_fit_is_named(tenant, filled, changed, field):
    answer = send(caller(tenant, "viewer"), "POST", "/access-requests", wish(filled, **changed))
    assert (answer.status_code, answer.json()["code"]) == (400, "VAULT_VALID_3001")
    assert field in [problem["field"] for problem in answer.json()["errors"]]


def test_permissions_of_a_dataset_are_given_listed_and_taken(tenant, filled):
    steward, holder = caller(tenant, "data_steward"), make_user(tenant, "viewer")
    path = f"/datasets/{filled.pk}/permissions"
    until = (timezone.now() + timedelta(days=1)).isoformat()
    body = {"user": str(holder.pk), "permission": "read_masked", "expires_at": until}
    made = send(steward, "POST", path, body)
    assert made.status_code == 201, made.content
    assert (made.json()["permission"], made.json()["username"]) == ("read_masked", holder.username)
    listed = send(caller(tenant, "auditor"), "GET", path).json()["data"]
    assert [row["id"] for row in listed] == [made.json()["id"]]
    assert send(caller(tenant, "ml_engineer"), "GET", path).status_code == 403
    assert send(caller(tenant, "ml_engineer"), "POST", path, body).status_code == 403
    assert send(steward, "DELETE", f"{path}/{holder.pk}").status_code == 204
    gone = send(steward, "DELETE", f"{path}/{holder.pk}")
    assert (gone.status_code, gone.json()["code"]) == (404, "VAULT_AUTHZ_2242")


def test_an_emergency_is_called_confirmed_closed_and_reviewed(tenant, filled):
    engineer, officer, third = (Person(tenant, role) for role in ("ml_engineer", "security_officer", "privacy_officer"))
    body = {"dataset_id": str(filled.pk), "purpose": PURPOSE, "reason": "A leak", "seconds": 600}
    made = engineer.send("POST", "/break-glass", body)
    assert (made.status_code, made.json()["state"]) == (201, "waiting"), made.content
    path = f"/break-glass/{made.json()['id']}"
    assert officer.send("POST", f"{path}/confirm").json()["state"] == "open"
    records = engineer.send("GET", f"/datasets/{filled.pk}/versions/main/records?limit=1")
    assert records.status_code == 200
    assert engineer.send("DELETE", path).status_code == 204
    assert third.send("POST", f"{path}/review", {"note": "All in order"}).json()["state"] == "reviewed"
    assert [row["id"] for row in officer.send("GET", "/break-glass").json()["data"]] == [made.json()["id"]]
    second = engineer.send("POST", "/break-glass", body).json()
    assert officer.send("POST", f"/break-glass/{second['id']}/refuse").json()["state"] == "refused"
    assert engineer.send("GET", f"/break-glass/{second['id']}").json()["state"] == "refused"


def test_a_review_is_started_decided_reported_and_closed(tenant, filled):
    officer, steward, viewer = (Person(tenant, role) for role in ("security_officer", "data_steward", "viewer"))
    lease_for(tenant, filled, viewer.principal)
    body = {
        "name": "Spring review",
        "kinds": ["lease"],
        "reviewers": [str(steward.user.pk)],
        "deadline": (timezone.now() + timedelta(days=7)).isoformat(),
    }
    made = officer.send("POST", "/access-reviews", body)
    assert made.status_code == 201, made.content
    path = f"/access-reviews/{made.json()['id']}"
    (item,) = officer.send("GET", f"{path}/items?verdict=open").json()["data"]
    unfinished = officer.send("POST", f"{path}/close")
    assert (unfinished.status_code, unfinished.json()["open"]) == (409, 1)
    decided = steward.send("POST", f"{path}/items/{item['id']}", {"verdict": "revoke", "reason": "not used"})
    assert decided.json()["verdict"] == "revoke"
    assert officer.send("POST", f"{path}/close").json()["counts"]["revoke"] == 1
    report = officer.send("GET", f"{path}/report")
    assert report["Content-Type"].startswith("text/csv")
    assert str(viewer.user.pk) in report.content.decode()
    assert [row["id"] for row in officer.send("GET", "/access-reviews").json()["data"]] == [made.json()["id"]]
    assert officer.send("GET", path).json()["closed_at"]


ROUTES = [
    ("GET", "/access-requests/{}", None),
    ("DELETE", "/access-requests/{}", None),
    ("POST", "/access-requests/{}/approve", {"reason": "x"}),
    ("POST", "/access-requests/{}/refuse", {"reason": "x"}),
    ("GET", "/leases/{}", None),
    ("POST", "/leases/{}/revoke", {"reason": "x"}),
    ("POST", "/leases/{}/extend", {"seconds": HOUR, "justification": "x"}),
    ("GET", "/break-glass/{}", None),
    ("DELETE", "/break-glass/{}", None),
    ("POST", "/break-glass/{}/confirm", None),
    ("POST", "/break-glass/{}/refuse", None),
    ("POST", "/break-glass/{}/review", {"note": "x"}),
    ("GET", "/access-reviews/{}", None),
    ("GET", "/access-reviews/{}/items", None),
    ("GET", "/access-reviews/{}/report", None),
    ("POST", "/access-reviews/{}/items/" + str(uuid4()), {"verdict": "keep", "reason": "x"}),
    ("POST", "/access-reviews/{}/close", None),
]


@pytest.mark.parametrize("asked", ROUTES)
def test_t15_what_is_anothers_answers_like_what_never_was(tenant, rival, filled, asked):
    """Inside the tenant with a lesser role, and from another tenant with the mightiest: the same bytes."""
    method, route, body = asked
    owner = Person(tenant, "ml_engineer")
    lease = lease_for(tenant, filled, owner.principal)
    call = {"dataset_id": str(filled.pk), "purpose": PURPOSE, "reason": "A leak", "seconds": 600}
    ids = {
        "access-requests": owner.send("POST", "/access-requests", wish(filled)).json()["id"],
        "leases": str(lease.pk),
        "break-glass": owner.send("POST", "/break-glass", call).json()["id"],
    }
    kind = route.split("/")[1]
    if kind == "access-reviews":
        ids[kind] = _review(tenant)
    spies = [(rival, caller(rival, "tenant_admin", "data_steward", "privacy_officer"))]
    if kind != "access-reviews":
        spies.append((tenant, caller(tenant, "viewer")))
    for home, spy in spies:
        answers = []
        for identifier in (ids[kind], str(uuid4())):
            request_id = new_request_id()
            answer = send(spy, method, route.format(identifier), body, **{"X-Request-ID": request_id})
            answers.append((answer.status_code, answer.content.replace(request_id.encode(), b"")))
            (event,) = events_of(home, request_id)
            assert event.status == "denied"
        assert answers[0] == answers[1]
        assert answers[0][0] == 404


def _review(tenant):
    officer, steward = Person(tenant, "security_officer"), Person(tenant, "data_steward")
    body = {
        "name": "Spring review",
        "kinds": ["lease"],
        "reviewers": [str(steward.user.pk)],
        "deadline": (timezone.now() + timedelta(days=7)).isoformat(),
    }
    return officer.send("POST", "/access-reviews", body).json()["id"]


def test_one_decision_is_recorded_for_each_request(tenant, filled):
    spoken = caller(tenant, "viewer")
    request_id = new_request_id()
    send(spoken, "POST", "/access-requests", wish(filled), **{"X-Request-ID": request_id})
    assert [event.type for event in events_of(tenant, request_id)] == ["admin.access.write", "data.access.requested"]
