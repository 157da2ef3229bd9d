"""The process that sends webhooks: several senders, each with an endpoint of its own, until it is told to end."""

import logging
import time
from collections import Counter
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from threading import Event
from typing import Final

from django.db import DatabaseError, connections

from audit.webhooks.deliveries import forget_old
from audit.webhooks.sender import Turn, serve, take_turns
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.life import show_life

#: Endpoints that are served at the same time; each holds a connection to the database while it writes.
SENDERS: Final = 10
#: Seconds between two looks for what is due.
IDLE: Final = 0.3
#: Seconds between two rounds of forgetting.
UPKEEP: Final = 3600.0
#: Seconds that follow a look that failed, as it does while the database is away.
PAUSE: Final = 2.0
logger = logging.getLogger("vault.webhooks")


def send_until(stop: Event) -> None:
    """Send until ``stop`` is set; attempts that are under way then come to their end."""
    running: dict[Future[None], Turn] = {}
    forgets_at = 0.0
    try:
        with ThreadPoolExecutor(SENDERS) as pool:
            while not stop.is_set():
                show_life("webhooks")
                running = {future: turn for future, turn in running.items() if not future.done()}
                try:
                    turns = _more(running)
                    if time.monotonic() >= forgets_at:
                        forgets_at = time.monotonic() + UPKEEP
                        forget_old()
                except DatabaseError as error:
                    logger.warning("nothing is sent for now (%s)", type(error).__name__)
                    connections.close_all()
                    stop.wait(PAUSE)
                    continue
                running |= {pool.submit(_serve, turn): turn for turn in turns}
                if len(running) == SENDERS:
                    wait(running, timeout=IDLE, return_when=FIRST_COMPLETED)
                elif not turns:
                    stop.wait(IDLE)
    finally:
        connections.close_all()


def send_waiting() -> int:
    """Send what is due now, endpoint after endpoint; returns how many attempts that took."""
    sent = 0
    while turns := take_turns(SENDERS):
        sent += sum(serve(turn) for turn in turns)
    return sent


def _more(running: dict[Future[None], Turn]) -> list[Turn]:
    free = SENDERS - len(running)
    return take_turns(free, busy=Counter(turn.tenant_id for turn in running.values())) if free else []


def _serve(turn: Turn) -> None:
    """A turn that fails leaves the endpoint to the next sender, once its lease is over."""
    try:
        serve(turn)
    except (VaultError, DatabaseError, OSError) as error:
        logger.warning("webhook %s waits: %s", turn.endpoint_id, getattr(error, "code", type(error).__name__))
    finally:
        connections.close_all()
