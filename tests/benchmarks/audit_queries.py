"""The audit asked and written: the summary and the listing over a month of events, and what recording costs."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from itertools import product
from statistics import median
from typing import Any, Final
from uuid import uuid4

from django.db import connection, connections
from django.test import Client

from access.services.api_keys import create_api_key
from access.services.tenants import operator
from audit.rollups.counting import Filters
from audit.rollups.periods import Period
from audit.rollups.selectors import summarize
from audit.selectors import EventFilter, EventPosition, list_events
from audit.services.record import compose_body, record_events
from datasets.services.datasets import DatasetFacts, create_dataset
from tests.benchmarks.audit_load import Loaded, load_month
from tests.benchmarks.figures import Figure, Plan
from tests.benchmarks.vault import steward
from vaultsite.kernel.events import buffer
from vaultsite.kernel.events.event import Recorded
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

LARGE, SMALL = 5_000_000, 500_000
#: Plans of fewer records are the smoke run.
FULL_RECORDS: Final = 10_000
_PAGE: Final = 101
_URL: Final = "/api/v1/audit/summary"
_loaded: dict[int, Loaded] = {}


def loaded_months(plan: Plan) -> tuple[Loaded, Loaded]:
    """The small and the large month, loaded once a run and shared by every measurement."""
    for events in (SMALL, LARGE) if plan.records >= FULL_RECORDS else (300, 900):
        if events not in _loaded:
            _loaded[events] = load_month(f"audit-{events}-{uuid4().hex[:8]}", events, seed=plan.seed)
    small, large = (_loaded[events] for events in sorted(_loaded))
    return small, large


def measure_audit_queries(plan: Plan) -> list[Figure]:
    """``summary_ms``, ``summary_growth_ratio`` and ``events_page_growth_ratio``."""
    small, large = loaded_months(plan)
    rounds = max(plan.rounds * 2, 2)
    return [*_summaries(plan, small, large, rounds), _pages(plan, small, large, rounds * 2)]


def _summaries(plan: Plan, small: Loaded, large: Loaded, rounds: int) -> list[Figure]:
    clients = [_client(month) for month in (small, large)]
    period = {"time_range": "custom", "start": large.since.isoformat(), "end": large.until.isoformat()}
    asked = {group: period | {"group_by": group} for group in ("user", "dataset", "operation", "hour")}
    asked["none"] = period
    asked["denied"] = period | {"status": "denied", "classification": "pii"}
    took: dict[tuple[str, int], list[float]] = {key: [] for key in product(asked, (0, 1))}
    for _ in range(rounds + 1):
        for (name, which), seconds in took.items():
            seconds.append(_seconds(lambda c=clients[which], q=asked[name]: _asked(c, q)))
    best = {key: median(seconds[1:]) * 1e3 for key, seconds in took.items()}
    worst = max(asked, key=lambda name: best[name, 1])
    ratios = {name: best[name, 1] / best[name, 0] for name in asked}
    steepest = max(ratios, key=lambda name: ratios[name])
    narrow = _narrow(large)
    note = (
        f"{large.events:,} and {small.events:,} events of 30 days, loaded in {large.seconds:.0f} s and "
        f"{small.seconds:.0f} s; by HTTP, the slowest and the steepest of {', '.join(sorted(asked))}: "
        + ", ".join(f"{name} {best[name, 0]:.0f} > {best[name, 1]:.0f} ms" for name in sorted(asked))
        + f"; of the busiest actor {narrow[0]:.0f} ms, of the busiest dataset {narrow[1]:.0f} ms"
    )
    return [
        Figure("summary_ms", best[worst, 1], "ms", best[worst, 0], large.events, plan.seed, note),
        Figure("summary_growth_ratio", ratios[steepest], "x", 1.0, large.events, plan.seed, note),
    ]


def _narrow(month: Loaded) -> list[float]:
    """Milliseconds of the summaries of one actor and of one dataset: the busiest, over the whole period."""
    period = Period(month.since, month.until)
    asked = (Filters(actor_id=month.actors[0]), Filters(dataset_id=month.datasets[0]))
    with _reading(month):
        return [
            _seconds(lambda f=filters: summarize(period=period, group_by="hour", filters=f)) * 1e3 for filters in asked
        ]


def _client(month: Loaded) -> Client:
    principal = operator(month.tenant_id)
    with tenant_scope(month.tenant_id, principal):
        _, token = create_api_key(principal, name=f"bench-{uuid4().hex[:6]}", roles=["auditor"])
    return Client(headers={"Authorization": f"Bearer {token}"}, SERVER_NAME="localhost")


def _asked(client: Client, query: dict[str, str]) -> None:
    answer = client.get(_URL, query)
    assert answer.status_code == 200, answer.content


def _pages(plan: Plan, small: Loaded, large: Loaded, rounds: int) -> Figure:
    """A first page and one from the middle of the month, for every filter and those combinations that people use."""
    took: dict[tuple[str, int], list[float]] = {}
    for _ in range(rounds + 1):
        for which, month in enumerate((small, large)):
            with _reading(month):
                for name, (criteria, after) in _criteria(month).items():
                    seconds = _seconds(
                        lambda m=month, c=criteria, a=after: list_events(
                            tenant_id=m.tenant_id, criteria=c, limit=_PAGE, after=a
                        )
                    )
                    took.setdefault((name, which), []).append(seconds)
    best = {key: min(seconds[1:]) * 1e3 for key, seconds in took.items()}
    names = sorted({name for name, _ in best})
    ratios = {name: best[name, 1] / best[name, 0] for name in names}
    steepest = max(names, key=lambda name: ratios[name])
    note = f"a page of {_PAGE - 1}, quickest of {rounds}; steepest of {len(names)}: {steepest}; " + ", ".join(
        f"{name} {best[name, 0]:.1f} > {best[name, 1]:.1f} ms" for name in names
    )
    return Figure("events_page_growth_ratio", ratios[steepest], "x", 1.0, large.events, plan.seed, note)


def _criteria(month: Loaded) -> dict[str, tuple[EventFilter, EventPosition | None]]:
    actor, dataset = month.actors[1], month.datasets[9]
    some: dict[str, dict[str, Any]] = {
        "all": {},
        "actor": {"actor_id": actor},
        "dataset": {"dataset_id": dataset},
        "type": {"types": ("data.exported",)},
        "types": {"types": ("data.exported", "data.access.denied", "auth.login.failed")},
        "denied": {"status": "denied"},
        "critical": {"severity": "critical"},
        "class": {"classification": "pii"},
        "purpose": {"purpose": "support"},
        "operation": {"operation": "write"},
        "policy": {"policy": "builtin:record.read"},
        "actor+denied": {"actor_id": actor, "status": "denied"},
        "dataset+type": {"dataset_id": dataset, "types": ("data.access.read",)},
        "denied+class": {"status": "denied", "classification": "pii"},
        "type+purpose": {"types": ("data.access.denied",), "purpose": "support"},
        "day": {"since": month.since + timedelta(days=9), "until": month.since + timedelta(days=10)},
    }
    middle = EventPosition(month.since + timedelta(days=15, hours=10), uuid4())
    first = {name: (EventFilter(**values), None) for name, values in some.items()}
    deep = {f"{name} deep": (EventFilter(**values), middle) for name, values in some.items() if name != "day"}
    return {**first, **deep}


def _reading(month: Loaded) -> Any:
    return tenant_scope(month.tenant_id, Principal.system(month.tenant_id))


_TABLE: Final = "CREATE TABLE bench_plain (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, body bytea NOT NULL)"
_GRANT: Final = "GRANT INSERT ON bench_plain TO vault_app"
_DROP: Final = "DROP TABLE IF EXISTS bench_plain"
_PLAIN: Final = "INSERT INTO bench_plain (body) VALUES (%s)"


def measure_audit_append(plan: Plan) -> list[Figure]:
    """``audit_append_ratio``: creating a dataset with audit and outbox, against one plain INSERT of the same bytes."""
    principal = steward()
    count = 100 if plan.records >= FULL_RECORDS else 2
    size = _bytes_of_one(principal)
    with _plain_table():
        took: dict[bool, list[float]] = {True: [], False: []}
        for turn in range(count + 5):
            for is_plain in (turn % 2 == 0, turn % 2 == 1):
                with _plainly_written(size) if is_plain else nullcontext():
                    took[is_plain].append(_seconds(lambda: _create(principal)))
    recorded, plain = (median(took[is_plain][5:]) for is_plain in (False, True))
    note = (
        f"create_dataset in a scope of its own: {recorded * 1e3:.1f} ms with its events sealed, indexed and in the "
        f"outbox, {plain * 1e3:.1f} ms with their {size:,} bytes inserted into a plain table; taking turns"
    )
    return [Figure("audit_append_ratio", plain / recorded, "x", 1.0, count, plan.seed, note)]


def _create(principal: Principal) -> None:
    with tenant_scope(principal.tenant_id, principal):
        create_dataset(principal, facts=DatasetFacts(name=f"b-{uuid4().hex[:12]}"))


def _bytes_of_one(principal: Principal) -> int:
    """What the events of one creation take as canonical JSON."""
    seen: list[int] = []

    def measuring(events: Sequence[Recorded]) -> None:
        seen.extend(len(compose_body(event)) for event in events)
        record_events(events)

    with _sink(measuring):
        _create(principal)
        seen.clear()  # the first one of a process also makes keys
        _create(principal)
    return sum(seen)


@contextmanager
def _plainly_written(size: int) -> Iterator[None]:
    """Within this, a scope that ends writes ``size`` bytes in one plain INSERT in the place of its events."""
    body = os.urandom(size)

    def plain(_: Sequence[Recorded]) -> None:
        with connection.cursor() as cursor:
            cursor.execute(_PLAIN, [body])

    with _sink(plain):
        yield


@contextmanager
def _sink(replacement: Callable[[Sequence[Recorded]], None]) -> Iterator[None]:
    kept = list(buffer._sinks)
    buffer._sinks[:] = [replacement]
    try:
        yield
    finally:
        buffer._sinks[:] = kept


@contextmanager
def _plain_table() -> Iterator[None]:
    with connections["owner"].cursor() as cursor:
        for statement in (_DROP, _TABLE, _GRANT):
            cursor.execute(statement)
    try:
        yield
    finally:
        with connections["owner"].cursor() as cursor:
            cursor.execute(_DROP)


def _seconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started
