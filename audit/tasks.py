"""The audit's background work."""

import logging
from typing import Final

from celery import shared_task

from audit.errors import BrokerUnavailable
from audit.services.live import publish_live
from audit.services.relay import BATCH, forget_delivered, relay_batch

#: Batches of one run; what remains is left to the next, seconds later.
BATCHES_A_RUN: Final = 20
logger = logging.getLogger("vault.audit")


@shared_task(name="audit.relay_outbox", ignore_result=True, expires=10)
def relay_outbox() -> int:
    """Move waiting events from the outbox to the live feed; returns how many. Started every other second."""
    total = 0
    try:
        for _ in range(BATCHES_A_RUN):
            moved = relay_batch(publish_live)
            total += moved
            if moved < BATCH:
                break
    except BrokerUnavailable as exc:
        logger.warning("%s: events wait in the outbox", exc.code)
    forget_delivered()
    return total
