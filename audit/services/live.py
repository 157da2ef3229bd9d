"""The live feed's end of the relay: one group of the channel layer for each tenant."""

import asyncio
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from asgiref.sync import async_to_sync
from channels.layers import get_channel_layer
from redis.exceptions import RedisError

from audit.errors import BrokerUnavailable
from audit.services.relay import Delivery

#: Names the consumer's method that takes the message (dots become underscores).
MESSAGE_TYPE: Final = "audit.event"
#: A channel layer that takes longer for one batch counts as gone.
PUBLISH_SECONDS: Final = 10.0


def group_name(tenant_id: UUID) -> str:
    return f"tenant.{tenant_id.hex}"


def publish_live(deliveries: Sequence[Delivery]) -> None:
    """Send each delivery to its own tenant's group. Raises BrokerUnavailable when Redis does not take them."""
    if not deliveries:
        return
    try:
        async_to_sync(_send_all)(deliveries)
    except (RedisError, OSError) as exc:  # TimeoutError is an OSError
        raise BrokerUnavailable from exc


async def _send_all(deliveries: Sequence[Delivery]) -> None:
    layer = get_channel_layer()
    async with asyncio.timeout(PUBLISH_SECONDS):
        for delivery in deliveries:
            message = {"type": MESSAGE_TYPE, "event": delivery.envelope}
            await layer.group_send(group_name(delivery.tenant_id), message)
