"""The API as a matrix: every operation of its description, asked by those who may not."""

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from access.models import Role, Tenant
from access.policy.builtin import PERMISSIONS, RULES
from tests.factories.access import acting
from tests.factories.api import caller, events_of, new_request_id, send
from tests.isolation.actions import ACTIONS, ANYBODY, OPEN
from tests.isolation.routes import Route, body_schema, members_of, random_id, routes

#: Headers that differ from one request to the next, whatever it asks for.
COUNTING = ("X-Request-ID", "X-RateLimit", "RateLimit")
REFUSED = {403, 404}
#: Operations whose id need not name anything yet: whoever may ask is answered alike for every id.
NAMES_ANYTHING = {
    "DELETE /privacy/recipients/{recipient}/attestation",
    "PUT /privacy/budgets/{family_id}",
    "PUT /privacy/recipients/{recipient}/attestation",
}
#: Operations that look a version up, for who may read it, before they decide on writing.
READS_FIRST = {"POST /datasets/{dataset_id}/lineage"}
#: What nobody says of a row, whatever the table; but for those whose matter it is.
UNTOUCHABLE = frozenset(
    {"tenant", "tenant_id", "owner", "owner_id", "is_staff", "is_superuser", "created_at", "created_by", "granted_by"}
    | {"key_id", "secret_hash", "legal_hold", "hold", "retention", "permissions", "mfa", "approvals_needed"}
    | {"rows_used", "epsilon_used", "holder", "requester", "state", "status", "role"}
)
SAYING = {
    "PATCH /roles/{role_id}": {"permissions"},
    "POST /audit/exports": {"status"},  # of events: how what they tell of ended
    "POST /processors": {"role"},  # what a party is to the organization
    "PUT /processors/{party_id}": {"role"},
    "POST /role-bindings": {"role"},
    "POST /roles": {"permissions"},
}
DECIDED = [route for route in routes() if str(route) in ACTIONS]


class Spy:
    """Somebody of a tenant, who writes down what they were answered."""

    def __init__(self, tenant: Tenant, client: Client) -> None:
        self.tenant, self.client = tenant, client

    def ask(self, route: Route, id_of: Any, **headers: str) -> tuple[int, bytes, dict[str, str]]:
        """Status, body and headers, without what differs between any two requests."""
        self.request_id = new_request_id()
        headers |= {"X-Request-ID": self.request_id}
        answer = send(self.client, route.method, route.address(id_of), route.body, **headers)
        content = b"".join(answer.streaming_content) if answer.streaming else answer.content
        kept = {name: value for name, value in answer.headers.items() if not name.startswith(COUNTING)}
        return answer.status_code, content.replace(self.request_id.encode(), b""), kept

    def recorded(self) -> set[str]:
        """How the audit says the last request ended."""
        return {event.status for event in events_of(self.tenant, self.request_id)}


def spy_with(tenant: Tenant, permissions: frozenset[str], **facts: Any) -> Spy:
    """Somebody whose only role has exactly these permissions."""
    code = f"spy-{uuid4().hex[:12]}"
    with acting(tenant):
        Role.objects.create(code=code, name="Spy", permissions=sorted(permissions))
    return Spy(tenant, caller(tenant, code, **facts))


@pytest.fixture(scope="module")
def home(populated: Any) -> Tenant:
    return Tenant.objects.using("owner").get(pk=populated[0].id)


@pytest.fixture
def own(a: Any) -> Any:
    """The id of the tenant's row in a table."""
    return lambda table: a.id if table == "access_tenant" else a.rows[table]


@pytest.fixture
def foreign(b: Any) -> Any:
    return lambda table: b.id if table == "access_tenant" else b.rows[table]


def permissions_for(route: Route) -> frozenset[str]:
    actions = ACTIONS[str(route)].split("|")
    return frozenset().union(*(RULES[action].permissions for action in actions))


def test_every_operation_says_which_action_it_takes() -> None:
    """T17: what nobody thought of fails here."""
    known = set(ACTIONS) | OPEN | ANYBODY
    assert {str(route) for route in routes()} == known
    assert not {action for value in ACTIONS.values() for action in value.split("|")} - set(RULES)


def test_every_permission_but_the_one_it_takes_opens_nothing(home: Tenant, own: Any) -> None:
    """T15, T17: every role that lacks it may do no more than this one."""
    spies = {needed: spy_with(home, PERMISSIONS - needed) for needed in set(map(permissions_for, DECIDED))}
    wrong = []
    for route in DECIDED:
        spy = spies[permissions_for(route)]
        status, body, _ = spy.ask(route, own)
        is_recorded = spy.recorded() == {"denied"} or str(route) in READS_FIRST
        if status not in REFUSED or not is_recorded:
            wrong.append(f"{route}: {status} {body[:300]!r}")
    assert not wrong, "\n".join(wrong)


def test_who_may_do_nothing_cannot_tell_what_there_is(home: Tenant, own: Any) -> None:
    """T01, T15: an id of their own tenant is answered like one that never was."""
    spy = spy_with(home, frozenset())
    wrong = []
    for route in DECIDED:
        answers = [spy.ask(route, own), spy.ask(route, random_id)] if route.tables() else [spy.ask(route, own)]
        if answers[0] != answers[-1] or answers[0][0] not in REFUSED:
            wrong.append(f"{route}: {answers[0][:2]} {answers[-1][:2]}")
    assert not wrong, "\n".join(wrong)


def test_what_is_another_tenants_never_was(home: Tenant, foreign: Any, b: Any) -> None:
    """T01: for who may do everything at home."""
    spy = spy_with(home, PERMISSIONS)
    wrong = []
    for route in DECIDED:
        if not route.tables() or str(route) in NAMES_ANYTHING:
            continue
        answers = [spy.ask(route, foreign), spy.ask(route, random_id)]
        if answers[0] != answers[1] or answers[0][0] not in REFUSED or str(b.id).encode() in answers[0][1]:
            wrong.append(f"{route}: {answers[0][:2]} {answers[-1][:2]}")
    assert not wrong, "\n".join(wrong)


def test_nobody_is_told_nothing(home: Tenant, own: Any) -> None:
    """Without a credential every operation is refused in the same words, whatever it is asked for."""
    wrong: list[str] = []
    words = set()
    for number, route in enumerate(routes()):
        if str(route) in OPEN:
            continue
        spy = Spy(home, Client(REMOTE_ADDR=f"198.51.100.{number % 250}"))
        status, body, headers = spy.ask(route, own)
        words.add(re.sub(rb'"(instance|trace_id)":"[^"]*",?', b"", body))
        if status != 401 or "WWW-Authenticate" not in headers:
            wrong.append(f"{route}: {status} {body[:300]!r}")
    assert not wrong, "\n".join(wrong)
    assert len(words) == 1


def test_a_tenant_in_a_header_never_wins(home: Tenant, rival: Tenant, own: Any) -> None:
    """T12: whatever is asked, for whichever id."""
    spy = spy_with(home, PERMISSIONS)
    wrong = []
    for number, route in enumerate(routes()):
        if str(route) in OPEN:
            continue
        spy.client.defaults["REMOTE_ADDR"] = f"198.51.100.{number % 250}"
        status, body, _ = spy.ask(route, own, **{"X-Vault-Tenant": rival.slug})
        if status != 403 or b"VAULT_AUTH_1243" not in body or spy.recorded() != {"denied"}:
            wrong.append(f"{route}: {status} {body[:300]!r}")
    assert not wrong, "\n".join(wrong)


def test_no_body_has_a_member_that_is_not_the_callers_to_say() -> None:
    """T16: a body takes the members of its description alone (StrictInput), so these are all there are."""
    said = {
        str(route): set(members_of(schema)) for route in routes() if (schema := body_schema(route.method, route.path))
    }
    found = {name: (members & UNTOUCHABLE) - SAYING.get(name, set()) for name, members in said.items()}
    assert {name: members for name, members in found.items() if members} == {}
