"""A draft replayed over recorded decisions: who would gain or lose what."""

from uuid import uuid4

import pytest

from access.errors import AccessDenied
from access.models import PolicyReplay, Tenant
from access.policy.errors import AccessPolicyNotFound, ReplayNotFound
from access.services import policies, replays
from access.services.authorize import ResourceRef, authorize
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, principal_with
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.events.event import EventType, Recorded
from vaultsite.kernel.tenancy.principal import Principal

PII = ResourceRef("dataset", str(uuid4()), classification="pii", owner=str(uuid4()), residency="eu", tags=())
PUBLIC = ResourceRef("dataset", str(uuid4()), classification="public", owner=str(uuid4()), residency="eu", tags=())
NO_PII = 'forbid(principal, action == Action::"record.read", resource) when { resource.classification == "pii" };'
OPEN = (
    'permit(principal in Role::"viewer", action == Action::"record.read", resource)'
    ' when { resource.classification == "public" };'
)


def try_to_read(tenant: Tenant, principal: Principal, resource: ResourceRef, purpose: str = "analytics") -> None:
    try:
        with acting(tenant, principal):
            authorize(principal, "record.read", resource, purpose=purpose)
    except AccessDenied:
        return


def replayed(
    tenant: Tenant, text: str, *, name: str = "", version: object = None, without: bool = False
) -> PolicyReplay:
    admin = principal_with(tenant, "tenant_admin")
    with acting(tenant, admin):
        drafted = version or policies.draft_policy(admin, name=name or f"d-{uuid4().hex[:8]}", text=text)
        job = replays.start_replay(
            admin,
            policy_id=drafted.policy_id,
            number=drafted.number,
            days=1,
            without=without,  # type: ignore[attr-defined]
        )
    replays.run_replay(tenant.pk, job.pk)
    with acting(tenant, admin):
        return replays.get_replay(admin, replay_id=job.pk)


def differences(tenant: Tenant, job: PolicyReplay) -> dict[str, list[tuple[object, str, int]]]:
    with acting(tenant):
        found = replays.grouped(job.differences.order_by("resource_id", "principal"))
        return {kind: [(one.principal, one.resource_id, one.decisions) for one in rows] for kind, rows in found.items()}


@pytest.fixture
def history(tenant: Tenant) -> tuple[Principal, Principal]:
    steward, viewer = principal_with(tenant, "data_steward"), principal_with(tenant, "viewer")
    for resource in (PII, PII, PUBLIC):
        try_to_read(tenant, steward, resource)
        try_to_read(tenant, viewer, resource)
    return steward, viewer


def test_the_policy_in_force_differs_from_itself_in_nothing(tenant: Tenant) -> None:
    version = put_in_force(tenant, NO_PII)
    steward = principal_with(tenant, "data_steward")
    for resource in (PII, PUBLIC):
        try_to_read(tenant, steward, resource)
    job = replayed(tenant, "", version=version)
    assert (job.status, job.differing, job.drifted) == ("succeeded", 0, 0)
    assert job.replayed >= 2
    assert job.progress == {"percent": 100}


@pytest.mark.usefixtures("history")
def test_a_forbid_shows_who_would_lose_what(tenant: Tenant, history: tuple[Principal, Principal]) -> None:
    steward, _ = history
    job = replayed(tenant, NO_PII)
    assert job.differing == 2
    assert differences(tenant, job) == {"gains": [], "loses": [(steward.id, PII.id, 2)], "otherwise": []}


def test_a_permit_shows_who_would_gain_what(tenant: Tenant, history: tuple[Principal, Principal]) -> None:
    _, viewer = history
    job = replayed(tenant, OPEN)
    assert differences(tenant, job) == {"gains": [(viewer.id, PUBLIC.id, 1)], "loses": [], "otherwise": []}


def test_an_obligation_shows_who_would_be_shown_less(tenant: Tenant, history: tuple[Principal, Principal]) -> None:
    steward, _ = history
    job = replayed(
        tenant, '@mask("email") permit(principal in Role::"data_steward", action == Action::"record.read", resource);'
    )
    found = differences(tenant, job)
    assert [who for who, _, _ in found["otherwise"]] == [steward.id, steward.id]
    assert (found["gains"], found["loses"]) == ([], [])


def test_without_the_policy_what_it_forbade_comes_back(tenant: Tenant) -> None:
    version = put_in_force(tenant, NO_PII)
    steward = principal_with(tenant, "data_steward")
    try_to_read(tenant, steward, PII)
    job = replayed(tenant, "", version=version, without=True)
    assert differences(tenant, job)["gains"] == [(steward.id, PII.id, 1)]


def test_what_was_decided_under_other_policies_is_told_as_drift(tenant: Tenant) -> None:
    steward = principal_with(tenant, "data_steward")
    try_to_read(tenant, steward, PII)
    version = put_in_force(tenant, NO_PII)
    job = replayed(tenant, "", version=version)
    assert (job.differing, job.drifted) == (0, 1)


def test_a_replay_goes_on_where_it_stopped(tenant: Tenant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replays, "PAGE", 2)
    steward = principal_with(tenant, "data_steward")
    for _ in range(7):
        try_to_read(tenant, steward, PII)
    job = replayed(tenant, NO_PII)
    assert job.differing == 7
    replays.run_replay(tenant.pk, job.pk)
    assert differences(tenant, job)["loses"] == [(steward.id, PII.id, 7)]


def test_a_replay_is_recorded_with_its_counts(tenant: Tenant, events: list[Recorded]) -> None:
    try_to_read(tenant, principal_with(tenant, "data_steward"), PII)
    job = replayed(tenant, NO_PII)
    (told,) = [one.event for one in events if one.event.type is EventType.POLICY_REPLAYED]
    assert told.metadata["differing"] == job.differing == 1


def test_decisions_of_a_rival_are_not_replayed(tenant: Tenant, rival: Tenant) -> None:
    try_to_read(rival, principal_with(rival, "data_steward"), PII)
    assert replayed(tenant, NO_PII).differing == 0


def test_what_cannot_be_replayed_is_refused(tenant: Tenant) -> None:
    admin = principal_with(tenant, "tenant_admin")
    with acting(tenant, admin):
        drafted = policies.draft_policy(admin, name="tried", text=NO_PII)
        for days in (0, 367):
            with pytest.raises(InvalidInput):
                replays.start_replay(admin, policy_id=drafted.policy_id, number=1, days=days)
        with pytest.raises(AccessPolicyNotFound):
            replays.start_replay(admin, policy_id=drafted.policy_id, number=2, days=1)
        with pytest.raises(ReplayNotFound):
            replays.get_replay(admin, replay_id=uuid4())
    viewer = principal_with(tenant, "viewer")
    with acting(tenant, viewer), pytest.raises(AccessDenied):
        replays.start_replay(viewer, policy_id=drafted.policy_id, number=1, days=1)
