"""The relay's loops: one empties the outbox, one seals events, one empties what waits for the broker; none waits."""

import logging
import time
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from threading import Event
from typing import Final

from django.db import DatabaseError, connections

from audit.brokers.base import Broker
from audit.errors import BrokerUnavailable
from audit.log.upkeep import seal_all
from audit.relay.backoff import wait_seconds
from audit.relay.dead_letters import bury_exhausted, forget_dead_letters
from audit.relay.publish import publish_batch
from audit.relay.pulse import Pulse, changed, tell_pulse
from audit.relay.queue import is_broker_configured
from audit.services.live import publish_live
from audit.services.relay import Delivery, forget_delivered, relay_batch
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.life import show_life
from vaultsite.kernel.providers import load_provider

#: Seconds between two looks at a queue that was empty. Not LISTEN: NOTIFY inside the writers' transactions takes one
#: lock of the whole database at each commit.
IDLE: Final = 0.2
#: Seconds between two looks for events without a place in the log.
SEALING: Final = 1.0
#: Seconds between two rounds of forgetting.
UPKEEP: Final = 60.0
#: Seconds between two signs of life.
PULSE: Final = 5.0
#: The longest wait after a round that failed, as it does while the database is away, seconds.
ROUND_WAIT: Final = 5.0
#: How long the live feed is left alone after it could not be reached, seconds.
LIVE_PAUSE: Final = 5.0
logger = logging.getLogger("vault.relay")

#: One round of a loop; returns whether there may be more to do at once.
Round = Callable[[], bool]


def run_relay(stop: Event, *further: Round) -> None:
    """Relay and seal until ``stop`` is set, with the loops ``further`` beside its own.

    What no loop can expect ends all, so that a supervisor starts them anew.
    """
    rounds: list[Round] = [OutboxRound(), SealRound(), *further]
    broker: Broker | None = load_provider("BROKER") if is_broker_configured() else None
    if broker is not None:
        rounds.append(BrokerRound(broker))
    with ThreadPoolExecutor(len(rounds)) as pool:
        loops = [pool.submit(_repeat, each, stop) for each in rounds]
        try:
            wait(loops, return_when=FIRST_COMPLETED)
        finally:
            stop.set()
        for loop in loops:
            loop.result()
    if broker is not None:
        broker.close()


def _repeat(one_round: Round, stop: Event) -> None:
    failures = 0
    try:
        while not stop.is_set():
            try:
                is_busy, failures = one_round(), 0
            except (DatabaseError, VaultError) as exc:
                failures += 1
                logger.warning("a round failed (%s): events wait", getattr(exc, "code", type(exc).__name__))
                connections.close_all()
                stop.wait(min(wait_seconds(failures), ROUND_WAIT))
            else:
                if not is_busy:
                    stop.wait(IDLE)
    finally:
        connections.close_all()


def relay_waiting() -> int:
    """Hand on everything that waits in the outbox now; returns how many events it was."""
    total, live = 0, LiveFeed()
    while moved := relay_batch(live):
        total += moved
    return total


class LiveFeed:
    """The live feed as the relay uses it: told what it can be told. Whoever missed something asks for it by its id."""

    def __init__(self) -> None:
        self._resumes_at = 0.0

    def __call__(self, deliveries: Sequence[Delivery]) -> None:
        if time.monotonic() < self._resumes_at:
            return
        try:
            publish_live(deliveries)
        except BrokerUnavailable as error:
            self._resumes_at = time.monotonic() + LIVE_PAUSE
            logger.warning("%s: the live feed is not told for %d s", error.code, LIVE_PAUSE)


class OutboxRound:
    """A batch of the outbox, and from time to time forgetting what was delivered long ago."""

    def __init__(self) -> None:
        self._live = LiveFeed()
        self._forgets_at = 0.0
        self._tells_at = 0.0

    def __call__(self) -> bool:
        show_life("relay")
        now = time.monotonic()
        if now >= self._forgets_at:
            self._forgets_at = now + UPKEEP
            forget_delivered()
            forget_dead_letters()
        if now >= self._tells_at and not is_broker_configured():
            self._tells_at = now + PULSE
            tell_pulse(Pulse())
        return relay_batch(self._live) > 0


class SealRound:
    """New events get their place in their tenant's log: here, because the worker may be busy with something long."""

    def __init__(self) -> None:
        self._seals_at = 0.0

    def __call__(self) -> bool:
        if time.monotonic() >= self._seals_at:
            seal_all()
            self._seals_at = time.monotonic() + SEALING
        return False


class BrokerRound:
    """A batch to the broker. One that is away is asked again after a growing wait, during which nothing is lost."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self._pulse = Pulse()
        self._failures = 0
        self._resumes_at = 0.0
        self._checks_at = 0.0

    def __call__(self) -> bool:
        if time.monotonic() < self._resumes_at:
            return False
        try:
            moved = publish_batch(self._broker)
            self._check()
        except BrokerUnavailable as error:
            self._fail(error)
            return False
        self._failures = 0
        buried = bury_exhausted()
        return moved > 0 or buried > 0

    def _check(self) -> None:
        """Keep the connection open, and say so, every few seconds."""
        if time.monotonic() >= self._checks_at:
            self._broker.check()
            self._checks_at = time.monotonic() + PULSE
            self._tell(is_connected=True)

    def _fail(self, error: BrokerUnavailable) -> None:
        self._failures += 1
        pause = wait_seconds(self._failures)
        logger.warning("%s: messages wait, next try in %d s", error.code, pause)
        self._resumes_at = time.monotonic() + pause
        self._checks_at = 0.0
        self._tell(is_connected=False, next_in=pause)

    def _tell(self, *, is_connected: bool, next_in: float = PULSE) -> None:
        self._pulse = changed(self._pulse, broker=self._broker.name, is_connected=is_connected)
        tell_pulse(self._pulse, next_in=next_in)
