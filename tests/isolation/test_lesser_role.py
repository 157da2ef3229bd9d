"""T15: inside one tenant an id opens nothing to who may not have what it names."""

from uuid import uuid4

import pytest
from django.urls import get_resolver

from access.models import Role, Tenant
from tests.factories.access import acting
from tests.factories.api import caller, events_of, new_request_id, send
from tests.isolation.test_api import BODIES, IDENTIFIED, QUERIES, SUITABLE, _leaves

ROOTS = ("datasets.api.urls", "access.api.grant_urls", "access.api.principal_urls")
MORE = {
    "<uuid:access_request_id>": "access_accessrequest",
    "<uuid:lease_id>": "access_lease",
    "<uuid:emergency_id>": "access_breakglass",
    "<uuid:review_id>": "access_accessreview",
    "<uuid:item_id>": "access_reviewitem",
    "<uuid:group_id>": "access_group",
    "<uuid:role_id>": "access_role",
    "<uuid:binding_id>": "access_rolebinding",
    "<uuid:delegation_id>": "access_delegation",
}
GRANTS = {
    ("POST", "/access-requests/<uuid:access_request_id>/approve"): {"reason": "x"},
    ("POST", "/access-requests/<uuid:access_request_id>/refuse"): {"reason": "x"},
    ("POST", "/leases/<uuid:lease_id>/revoke"): {"reason": "x"},
    ("POST", "/leases/<uuid:lease_id>/extend"): {"seconds": 3600, "justification": "x"},
    ("POST", "/break-glass/<uuid:emergency_id>/review"): {"note": "x"},
    ("PUT", "/users/<uuid:user_id>/attributes"): {"department": "x", "clearance": ""},
    ("PATCH", "/users/<uuid:user_id>"): {"full_name": "x"},
    ("PATCH", "/roles/<uuid:role_id>"): {"name": "x"},
    ("POST", "/groups/<uuid:group_id>/members"): {"user_ids": []},
    ("PUT", "/groups/<uuid:group_id>/members"): {"user_ids": []},
    ("POST", "/access-reviews/<uuid:review_id>/items/<uuid:item_id>"): {"verdict": "keep", "reason": "x"},
}


def routes():
    """Method and path template of everything that names something by an id."""
    found = set()
    for root in ROOTS:
        for pattern, callback in _leaves(get_resolver(root), "/"):
            view = callback.view_class
            found |= {
                (method.upper(), pattern)
                for method in view.http_method_names
                if "<uuid:" in pattern and hasattr(view, method) and method not in {"head", "options"}
            }
    return sorted(found)


@pytest.fixture(scope="module")
def powerless(populated):
    """A tenant with a row in every table, and somebody of it whose role permits nothing."""
    tenant = Tenant(pk=populated[0].id)
    code = f"nothing-{uuid4().hex[:8]}"
    with acting(tenant):
        Role.objects.create(code=code, name="Nothing", permissions=[])
    return tenant, caller(tenant, code)


@pytest.mark.parametrize(("method", "route"), routes())
def test_who_may_do_nothing_gets_nothing_by_an_id(powerless, a, method, route):
    tenant, spy = powerless
    path = route.replace("<str:version>", "1").replace("<str:record_id>", "a")
    for place, table in (IDENTIFIED | MORE).items():
        path = path.replace(place, str(a.rows[table]))
    request_id = new_request_id()
    body = (SUITABLE | GRANTS).get((method, route), BODIES.get(method))
    answer = send(spy, method, path + QUERIES.get(route, ""), body, **{"X-Request-ID": request_id})
    assert answer.status_code in {403, 404}, answer.content
    assert {event.status for event in events_of(tenant, request_id)} == {"denied"}
