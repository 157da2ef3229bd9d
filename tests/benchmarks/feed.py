"""The live feed: from the commit of an event to its arrival at two browsers, by outbox, relay, Redis and sockets."""

import asyncio
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import orjson
import uvicorn
from django.conf import settings
from websockets.asyncio.client import ClientConnection, connect

from access.models import Tenant
from access.services.tenants import create_tenant
from audit.relay.loop import run_relay
from tests.benchmarks.figures import Figure, Plan
from tests.factories.access import make_user, sign_in
from tests.factories.audit import make_event, record

RATE: Final = 500
CLIENTS: Final = 2
#: Events of one commit.
_BATCH: Final = 5
_HOST: Final = "127.0.0.1"
_ORIGIN: Final = "http://localhost:8000"
#: How long the last events are waited for.
_PATIENCE: Final = 20.0


def measure_feed(plan: Plan) -> list[Figure]:
    """``feed_p99_ms``: the slowest but one in a hundred of all (event, browser) pairs at RATE events a second."""
    from vaultsite.asgi import application  # it sets Django up, which the benchmarks do themselves

    count = RATE * (20 if plan.own_processes else 2)
    tenant = create_tenant(slug=f"feed-{time.time_ns():x}", name="feed", mfa_roles=())
    cookie = sign_in(tenant, make_user(tenant, "auditor"))
    with _serving(application) as port, _relaying():
        took = asyncio.run(_measure(tenant, cookie, port, count))
    assert len(took) == count * CLIENTS, "every event arrives at every browser"
    p50, p99 = took[len(took) // 2] * 1e3, took[len(took) * 99 // 100] * 1e3
    note = (
        f"{count:,} events at {RATE}/s to {CLIENTS} sockets of one uvicorn, writer, relay and sockets in one process; "
        f"median {p50:.0f} ms, slowest {took[-1] * 1e3:.0f} ms"
    )
    return [Figure("feed_p99_ms", p99, "ms", p50, count, None, note)]


async def _measure(tenant: Tenant, cookie: str, port: int, count: int) -> list[float]:
    """Seconds from commit to arrival of each event at each browser, the fastest first."""
    committed: dict[str, float] = {}
    headers = {"Cookie": f"{settings.SESSION_COOKIE_NAME}={cookie}"}
    address = f"ws://{_HOST}:{port}/live/?type=data.access.read"
    sockets = [await connect(address, origin=_ORIGIN, additional_headers=headers) for _ in range(CLIENTS)]
    listening = [asyncio.create_task(_arrivals(socket, count)) for socket in sockets]
    await asyncio.to_thread(_write, tenant, count, committed)
    arrived = await asyncio.gather(*listening)
    for socket in sockets:
        await socket.close()
    return sorted(at - committed[event] for one in arrived for event, at in one.items())


async def _arrivals(socket: ClientConnection, count: int) -> dict[str, float]:
    arrived: dict[str, float] = {}
    while len(arrived) < count:
        message = orjson.loads(await asyncio.wait_for(socket.recv(), _PATIENCE))
        assert message.get("live") in {None, "heartbeat"}, message
        if "id" in message:
            arrived.setdefault(message["id"], time.perf_counter())
    return arrived


def _write(tenant: Tenant, count: int, committed: dict[str, float]) -> None:
    """Events at RATE; one that is late is followed by the next at once."""
    started = time.perf_counter()
    for number in range(0, count, _BATCH):
        time.sleep(max(0.0, started + number / RATE - time.perf_counter()))
        events = [make_event() for _ in range(_BATCH)]
        record(tenant.pk, *events)
        committed.update(dict.fromkeys((str(event.id) for event in events), time.perf_counter()))


@contextmanager
def _serving(application: object) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(application, host=_HOST, port=0, log_level="warning"))  # type: ignore[arg-type]
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.05)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(10)


@contextmanager
def _relaying() -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=run_relay, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
