"""The live feed's way in: one group of the channel layer for each tenant."""

import asyncio
import logging
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from audit.errors import BrokerUnavailable
from audit.services.relay import Delivery
from vaultsite.kernel.progress import Progress

#: Name the consumer's methods that take the messages (dots become underscores).
EVENTS: Final = "audit.events"
PROGRESS: Final = "job.progress"
#: Events of one message.
BATCH: Final = 50
#: A channel layer that takes longer for one batch counts as gone.
PUBLISH_SECONDS: Final = 10.0
#: A job waits no longer than this to tell how far it is.
PROGRESS_SECONDS: Final = 1.0

Message = tuple[UUID, dict[str, Any]]

logger = logging.getLogger("vault.audit")


def group_name(tenant_id: UUID) -> str:
    return f"tenant.{tenant_id.hex}"


def publish_live(deliveries: Sequence[Delivery]) -> None:
    """Send each delivery to its own tenant's group. Raises BrokerUnavailable when Redis does not take them."""
    if deliveries:
        _publish(list(_messages(deliveries)), PUBLISH_SECONDS)


def publish_progress(progress: Progress) -> None:
    """Tell the tenant's group how far a job is: best effort, the job's row is the truth."""
    job = {"kind": progress.kind, "id": str(progress.job_id), "status": progress.status, **_counts(progress)}
    message = {"type": PROGRESS, "requested_by": str(progress.requested_by), "job": job}
    try:
        _publish([(progress.tenant_id, message)], PROGRESS_SECONDS)
    except BrokerUnavailable as exc:
        logger.info("%s: progress of a job was not told", exc.code)


def _counts(progress: Progress) -> dict[str, Any]:
    return {"progress": dict(progress.progress)} if progress.progress else {}


def _messages(deliveries: Sequence[Delivery]) -> Iterator[Message]:
    """The deliveries in their order, those of one tenant that follow one another in as few messages as they fit."""
    for tenant_id, run in groupby(deliveries, key=attrgetter("tenant_id")):
        events = [delivery.envelope for delivery in run]
        for start in range(0, len(events), BATCH):
            yield tenant_id, {"type": EVENTS, "events": events[start : start + BATCH]}


def _publish(messages: Sequence[Message], seconds: float) -> None:
    try:
        async_to_sync(_send_all)(messages, seconds)
    except (RedisError, OSError) as exc:  # TimeoutError is an OSError
        raise BrokerUnavailable from exc


async def _send_all(messages: Sequence[Message], seconds: float) -> None:
    layer = get_channel_layer()
    async with asyncio.timeout(seconds):
        for tenant_id, message in messages:
            await layer.group_send(group_name(tenant_id), message)
