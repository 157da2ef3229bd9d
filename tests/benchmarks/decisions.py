"""What a decision costs, and a list of datasets that policy and grants narrow."""

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from statistics import median
from typing import Any
from uuid import UUID, uuid4

import cedarpy
import orjson
from django.contrib.auth.models import Permission
from django.db import connection
from django.test.utils import CaptureQueriesContext

from access.models import AccessPolicy, AccessPolicyVersion, Lease, PolicyState, User
from access.policy.cedar.evaluation import context_of, principal_entity, resource_entity
from access.policy.question import ask
from access.selectors import user_principal
from access.services.authorize import authorize
from access.services.policies_in_force import policies_changed, policies_in_force
from datasets.models import Dataset, DatasetUserPermission
from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.vault import steward
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

POLICIES, ROLES, DATASETS, GRANTS, PAGE = 200, 50, 10_000, 1_000, 100
_ACTIONS = ("dataset.read", "version.read")
_LISTED = 3


@contextmanager
def _undone(principal: Principal) -> Iterator[None]:
    """A scope of which nothing stays."""
    with tenant_scope(principal.tenant_id, principal) as scope:
        yield
        scope.fail(RuntimeError("a measurement"))


def measure_authorize(plan: Plan) -> list[Figure]:
    """``authorize_p50_ms``, ``authorize_p99_ms`` and ``authorize_ratio`` to a bare call with every policy."""
    rng = random.Random(plan.seed)
    count = 10_000 if plan.records >= DATASETS else plan.records
    principal = steward()
    texts = _texts()
    bare = cedarpy.PolicySet.from_str("".join(texts))
    roles = cedarpy.Entities.from_json_str(orjson.dumps([_role(f"r{one}") for one in range(ROLES)]).decode())
    with _undone(principal):
        _put_in_force(principal, texts)
        asked = [_asked(rng, principal) for _ in range(count)]
        for one in asked[: max(count // 10, 1)]:
            authorize(*one[:3], purpose=one[3])
        ours, theirs = [], []
        for who, action, what, purpose in asked:
            ours.append(_seconds(lambda a=(who, action, what), p=purpose: authorize(*a, purpose=p)))
            request, delta = _bare(who, action, what, purpose)
            theirs.append(_seconds(lambda r=request, d=delta: _decide(r, bare, roles, d)))
    ours.sort()
    theirs.sort()
    note = (
        f"{POLICIES} policies, {ROLES} roles, distinct principals, resources and contexts, each decision recorded; "
        "baseline: a bare cedarpy call with all policies parsed, taking turns"
    )
    p50, p99 = (ours[int(len(ours) * share)] * 1e3 for share in (0.5, 0.99))
    base50, base99 = (theirs[int(len(theirs) * share)] * 1e3 for share in (0.5, 0.99))
    return [
        Figure("authorize_p50_ms", p50, "ms", base50, count, plan.seed, note),
        Figure("authorize_p99_ms", p99, "ms", base99, count, plan.seed, note),
        Figure("authorize_ratio", p50 / base50, "x", 1.0, count, plan.seed, note),
    ]


def measure_lists(plan: Plan) -> list[Figure]:
    """``list_visible_ratio``: a page of datasets that grants and policies leave, against a page of all."""
    full = plan.records >= DATASETS
    datasets, grants = (DATASETS, GRANTS) if full else (200, 20)
    principal = steward()
    with _undone(principal):
        ids = _make_datasets(principal, datasets)
        reader = _reader_with_grants(principal, random.Random(plan.seed).sample(ids, grants))
        _put_in_force(principal, [_list_policy(number) for number in range(_LISTED)])
        policies_in_force()
        with CaptureQueriesContext(connection) as queries:
            list(Dataset.objects.visible_to(reader)[:PAGE])
        ours, theirs = [], []
        for _ in range(max(plan.rounds * 4, 2)):
            ours.append(_seconds(lambda: list(Dataset.objects.visible_to(reader)[:PAGE])))
            theirs.append(_seconds(lambda: list(Dataset.objects.filter(deleted_at=None)[:PAGE])))
    note = (
        f"a page of {PAGE} of {datasets} datasets, {grants} grants, {_LISTED} policies, {len(queries)} query; "
        f"baseline {median(theirs) * 1e3:.2f} ms: the same page without policy"
    )
    return [Figure("list_visible_ratio", median(ours) / median(theirs), "x", 1.0, datasets, plan.seed, note)]


def _texts() -> list[str]:
    permits = [
        f'permit(principal in Role::"r{one % ROLES}", action in [Action::"dataset.read", Action::"version.read"], '
        f'resource is Dataset) when {{ resource.classification == "c{one % 5}" && context.purpose == "p{one % 7}" && '
        f'principal.department == "d{one % 11}" }};'
        for one in range(POLICIES - 5)
    ]
    return permits + [
        'forbid(principal, action == Action::"export.create", resource is Dataset) when '
        f'{{ resource.tags.contains("t{one}") && !principal.mfa }};'
        for one in range(5)
    ]


def _list_policy(number: int) -> str:
    return (
        f'forbid(principal, action == Action::"dataset.read", resource is Dataset) when '
        f'{{ resource.classification == "restricted" && resource.tags.contains("t{number}") }};'
    )


def _put_in_force(principal: Principal, texts: list[str]) -> None:
    held = [AccessPolicy(name=f"b{number}", created_by=principal.id) for number in range(len(texts))]
    AccessPolicy.objects.bulk_create(held)
    AccessPolicyVersion.objects.bulk_create(
        AccessPolicyVersion(policy=policy, number=1, state=PolicyState.ACTIVE, text=text, created_by=principal.id)
        for policy, text in zip(held, texts, strict=True)
    )
    policies_changed()


def _asked(rng: random.Random, principal: Principal) -> tuple[Principal, str, ResourceRef, str]:
    """Somebody who holds one or two of the roles and may by them, on some dataset."""
    dataset = uuid4()
    who = Principal(
        id=uuid4(),
        kind="user",
        tenant_id=principal.tenant_id,
        name="",
        roles=frozenset(f"r{one}" for one in rng.sample(range(ROLES), rng.randint(1, 2))),
        permissions=principal.permissions,
        credential="session",
        attributes={"department": f"d{rng.randrange(11)}"},
        mfa=rng.random() < 0.5,
        authenticated_at=datetime.now(UTC),
    )
    what = ResourceRef(
        "dataset", str(dataset), dataset, f"c{rng.randrange(5)}", tags=(f"t{rng.randrange(9)}",), owner=str(uuid4())
    )
    return who, rng.choice(_ACTIONS), what, rng.choice(("analytics", "evaluation", "debugging"))


def _bare(who: Principal, action: str, what: ResourceRef, purpose: str) -> tuple[dict[str, Any], str]:
    question = ask(who, action, what, purpose)
    principal, resource = principal_entity(question.subject), resource_entity(what, action)
    request = {
        "principal": principal["uid"],
        "action": {"type": "Action", "id": action},
        "resource": resource["uid"],
        "context": context_of(question),
    }
    return request, orjson.dumps([principal, resource]).decode()


def _decide(request: dict[str, Any], policies: Any, entities: Any, delta: str) -> object:
    return cedarpy.is_authorized(request, policies, entities.with_added_json_str(delta))


def _role(name: str) -> dict[str, Any]:
    return {"uid": {"type": "Role", "id": name}, "attrs": {}, "parents": []}


def _make_datasets(principal: Principal, count: int) -> list[UUID]:
    rows = [
        Dataset(name=f"b-{number:06}-{uuid4().hex[:6]}", classification="internal", created_by=principal.id)
        for number in range(count)
    ]
    Dataset.objects.bulk_create(rows, batch_size=1000)
    return [row.pk for row in rows]


def _reader_with_grants(principal: Principal, ids: list[UUID]) -> Principal:
    """Somebody without a role who was given these datasets, half of them by leases."""
    user = User.objects.create(username=f"b-{uuid4().hex[:8]}")
    half = len(ids) // 2
    view = Permission.objects.get(codename="view_dataset", content_type__app_label="datasets")
    DatasetUserPermission.objects.bulk_create(
        DatasetUserPermission(permission=view, user=user, content_object_id=one, granted_by=principal.id)
        for one in ids[:half]
    )
    Lease.objects.bulk_create(
        Lease(
            holder=user.pk,
            holder_kind="user",
            dataset_id=one,
            actions=["dataset.read", "record.read"],
            shown="mask",
            purpose="analytics",
            granted_by=[str(principal.id)],
            expires_at=datetime.now(UTC) + timedelta(days=1),
        )
        for one in ids[half:]
    )
    return user_principal(user)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
