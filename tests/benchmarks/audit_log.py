"""How fast events get their place in the Merkle log, with everything the sealer does for them."""

import time
from collections.abc import Iterator
from itertools import islice
from random import Random
from uuid import UUID

from audit.log.sealer import seal_tenant
from audit.services.record import BATCH, record_events
from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.vault import steward
from vaultsite.kernel.events.event import Event, EventType, Recorded, ResourceRef
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

EVENTS, PEOPLE, DATASETS = 50_000, 40, 60
_TYPES = (
    (EventType.ACCESS_READ, "read"),
    (EventType.ACCESS_READ, "read"),
    (EventType.ACCESS_WRITE, "write"),
    (EventType.EXPORTED, "export"),
)


def measure_sealing(plan: Plan) -> list[Figure]:
    """``sealer_events_s``: events given their leaf, their tiles and their place in the rollups, in one transaction."""
    who = steward()
    count = EVENTS if plan.records >= EVENTS // 5 else plan.records
    seal_tenant(who.tenant_id, window=None)
    rates = []
    for number in range(min(plan.rounds, 3)):
        happen(who, count, Random(plan.seed + number))
        started = time.perf_counter()
        sealed = seal_tenant(who.tenant_id)
        rates.append(sealed / (time.perf_counter() - started))
    note = f"best of {len(rates)}, {PEOPLE} people and {DATASETS} datasets, folded into the rollups at once"
    return [Figure("sealer_events_s", round(max(rates)), "events/s", None, count, plan.seed, note)]


def happen(who: Principal, count: int, rng: Random) -> None:
    """``count`` events of many people and datasets, as operations leave them, committed."""
    events = _events(who, count, rng)
    while batch := list(islice(events, BATCH)):
        with tenant_scope(who.tenant_id, who):
            record_events(batch)


def _events(who: Principal, count: int, rng: Random) -> Iterator[Recorded]:
    people = [_somebody(who, rng) for _ in range(PEOPLE)]
    datasets = [UUID(int=rng.getrandbits(128), version=4) for _ in range(DATASETS)]
    for _ in range(count):
        kind, operation = rng.choice(_TYPES)
        dataset_id = rng.choice(datasets)
        resource = ResourceRef("dataset", str(dataset_id), dataset_id=dataset_id, classification="confidential")
        event = Event(kind, operation=operation, resource=resource, metadata={"records": rng.randrange(1000)})
        yield Recorded(event, who.tenant_id, rng.choice(people), RequestFacts(request_id=str(uuid7())))


def _somebody(who: Principal, rng: Random) -> Principal:
    return Principal(
        id=UUID(int=rng.getrandbits(128), version=4),
        kind="user",
        tenant_id=who.tenant_id,
        name="",
        credential="session",
    )
