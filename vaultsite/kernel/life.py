"""Signs of life of the vault's processes: short notes in Redis that end by themselves."""

import time
from contextlib import suppress
from functools import cache
from typing import Final

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

_SIGN: Final = "vault:lives:"
_MISSED: Final = "vault:missed:"
#: Seconds that a process is taken to live after its last sign, and between two signs.
_LASTS: Final = 60
_EVERY: Final = 5.0
#: Seconds that a sign must be missing before the process is said to be gone: longer than a start of the vault takes.
PATIENCE: Final = 60.0
#: Seconds after which nobody who looks remembers what was missing: the vault was stopped itself.
_REMEMBERED: Final = 300
_TIMEOUT: Final = 0.5
_shown_at: dict[str, float] = {}


def show_life(name: str) -> None:
    """Say that the process ``name`` works; as often as one likes. A Redis that is away is not waited for."""
    now = time.monotonic()
    if now - _shown_at.get(name, -_EVERY) >= _EVERY:
        _shown_at[name] = now
        with suppress(redis.RedisError, OSError):
            _client().set(_SIGN + name, b"", ex=_LASTS)


def is_alive(name: str) -> bool | None:
    """False when no process ``name`` gave a sign for PATIENCE seconds of looking; None when Redis does not answer."""
    try:
        if _client().exists(_SIGN + name):
            _client().delete(_MISSED + name)
            return True
        _client().set(_MISSED + name, repr(time.time()), nx=True)
        _client().expire(_MISSED + name, _REMEMBERED)
        since = _client().get(_MISSED + name)
    except (redis.RedisError, OSError):
        return None
    return not isinstance(since, bytes) or time.time() - float(since) < PATIENCE


def does_redis_answer() -> bool:
    """Whether the queues, the live feed and these signs have their Redis; asked again before it is said not to."""
    for _ in range(3):
        with suppress(redis.RedisError, OSError):
            return bool(_client().ping())
    return False


@cache
def _client() -> redis.Redis:
    return redis.Redis.from_url(
        settings.REDIS_URL,
        socket_timeout=_TIMEOUT,
        socket_connect_timeout=_TIMEOUT,
        retry=Retry(NoBackoff(), 0),
    )
