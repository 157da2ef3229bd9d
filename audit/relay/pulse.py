"""What the relay says of itself, for the screen: a short note in Redis that ends by itself."""

import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from functools import cache
from typing import Final

import orjson
import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_KEY: Final = "vault:relay:pulse"
#: Seconds that the note outlives the moment by which the next was promised.
_GRACE: Final = 15.0
_PATIENCE: Final = 0.5


@dataclass(frozen=True)
class Pulse:
    """``broker`` is the provider's name, empty when none is configured; ``since`` when its state began (epoch)."""

    broker: str = ""
    is_connected: bool = False
    since: float = 0.0


def tell_pulse(pulse: Pulse, *, next_in: float = 0.0) -> None:
    """Say how it goes; the next time is promised within ``next_in`` seconds. A Redis that is away is not waited for."""
    with suppress(redis.RedisError, OSError):
        _client().set(_KEY, orjson.dumps(asdict(pulse)), px=int((next_in + _GRACE) * 1000))


def read_pulse() -> Pulse | None:
    """What a relay said last; None when none has said anything of late, or Redis does not answer."""
    try:
        note = _client().get(_KEY)
    except (redis.RedisError, OSError):
        return None
    return Pulse(**orjson.loads(note)) if isinstance(note, bytes) else None


def changed(before: Pulse, *, broker: str, is_connected: bool) -> Pulse:
    """The pulse after ``before``: as long as the state is the same, it began when it did."""
    if (before.broker, before.is_connected) == (broker, is_connected):
        return before
    return Pulse(broker, is_connected, time.time())


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_PATIENCE,
        socket_connect_timeout=_PATIENCE,
        retry=Retry(NoBackoff(), 0),
    )
