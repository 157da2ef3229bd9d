"""What it costs to replay recorded decisions under a draft."""

import time
from datetime import timedelta
from uuid import UUID, uuid4

from access.models import AccessPolicyVersion, PolicyReplay
from access.services.authorize import authorize
from access.services.policies import activate_version, draft_policy
from access.services.replays import run_replay
from access.services.tenants import operator
from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.vault import steward
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.jobs import new_lease
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

RECORDED_AT_ONCE = 2_000
_FORBID = (
    'forbid(principal, action == Action::"record.read", resource) when { resource.classification == "restricted" };'
)


def measure_replay(plan: Plan) -> list[Figure]:
    """``replay_s``: decisions that the vault recorded, decided on twice each; the policy in force against itself."""
    count = plan.less
    reader = steward()
    version = _in_force(reader.tenant_id)
    since = _record(reader, count)
    replay = _queued(reader.tenant_id, version, since)
    began = time.perf_counter()
    run_replay(reader.tenant_id, replay.pk)
    seconds = time.perf_counter() - began
    with tenant_scope(reader.tenant_id, Principal.system(reader.tenant_id)):
        replay.refresh_from_db()
    assert (replay.status, replay.differing) == ("succeeded", 0)
    assert replay.replayed >= count
    note = (
        f"{replay.replayed} recorded decisions, each under the policies in force and under the same with the draft; "
        f"{replay.differing} differ, {replay.drifted} drifted, {replay.replayed / seconds:.0f} a second"
    )
    return [Figure("replay_s", seconds, "s", None, replay.replayed, plan.seed, note)]


def _in_force(tenant_id: UUID) -> AccessPolicyVersion:
    author = operator(tenant_id)
    with tenant_scope(tenant_id, author):
        drafted = draft_policy(author, name=f"b-{uuid4().hex[:12]}", text=_FORBID)
        return activate_version(author, policy_id=drafted.policy_id, number=drafted.number)


def _record(reader: Principal, count: int) -> timedelta:
    """Decide ``count`` times for real; how long ago that began."""
    began = time.monotonic()
    datasets = [uuid7() for _ in range(50)]
    for start in range(0, count, RECORDED_AT_ONCE):
        with tenant_scope(reader.tenant_id, reader):
            for number in range(start, min(start + RECORDED_AT_ONCE, count)):
                dataset_id = datasets[number % len(datasets)]
                kind = ("pii", "internal", "public")[number % 3]
                what = ResourceRef("dataset", str(dataset_id), dataset_id, kind, owner=str(reader.id), tags=())
                authorize(reader, "record.read", what, purpose="evaluation")
    return timedelta(seconds=time.monotonic() - began + 1)


def _queued(tenant_id: UUID, version: AccessPolicyVersion, since: timedelta) -> PolicyReplay:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        until = new_lease()
        return PolicyReplay.objects.create(
            version=version,
            days=1,
            since=until - since - timedelta(minutes=1),
            until=until,
            requested_by=version.created_by,
            lease_until=until,
        )
