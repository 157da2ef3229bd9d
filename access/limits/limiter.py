"""Takes tokens from buckets: in Redis for all processes together, in this process alone while Redis is away."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from access.limits.bucket import WINDOW, Bucket, Level, refilled

#: How long a request waits for Redis at most, seconds.
PATIENCE: Final = 0.1
#: After a failure Redis is not asked again for so long, seconds.
PAUSE: Final = 2.0
#: Buckets that one process keeps by itself; the least recently used leaves first.
MAX_LOCAL: Final = 10_000

#: KEYS: buckets. ARGV: the window in seconds, then a quota for each. All buckets give one token, or none does.
#: Returns for each what is left, in thousandths, then whether the refusal is the first of its minute.
SCRIPT: Final = """
local now = redis.call('TIME')
local time = now[1] * 1000 + math.floor(now[2] / 1000)
local window = tonumber(ARGV[1]) * 1000
local held, enough = {}, true
for i, key in ipairs(KEYS) do
  local quota = tonumber(ARGV[i + 1])
  local state = redis.call('HMGET', key, 'tokens', 'time')
  local tokens = quota
  if state[1] and state[2] then
    local elapsed = math.max(0, time - tonumber(state[2]))
    tokens = math.min(quota, tonumber(state[1]) + elapsed * quota / window)
  end
  held[i] = tokens
  if tokens < 1 then enough = false end
end
local answer = {}
for i, key in ipairs(KEYS) do
  if enough then held[i] = held[i] - 1 end
  redis.call('HSET', key, 'tokens', tostring(held[i]), 'time', time)
  redis.call('PEXPIRE', key, window)
  answer[i] = math.floor(held[i] * 1000)
end
answer[#KEYS + 1] = enough and 1 or 0
answer[#KEYS + 2] = 0
if not enough and redis.call('SET', KEYS[1] .. ':told', 1, 'NX', 'PX', window) then answer[#KEYS + 2] = 1 end
return answer
"""
_log = logging.getLogger("vault.limits")


@dataclass(frozen=True)
class Verdict:
    """What became of a request's wish for one token of each bucket. ``is_first``: the first refusal of its minute."""

    levels: tuple[Level, ...]
    is_first: bool = False

    @property
    def short(self) -> Level | None:
        """The bucket that refuses for longest; None when the request may go on."""
        return max((level for level in self.levels if level.is_short), key=lambda each: each.wait_seconds, default=None)


class Limiter:
    """One for a process; safe among threads."""

    def __init__(self, url: str, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        client = redis.Redis.from_url(
            url, socket_timeout=PATIENCE, socket_connect_timeout=PATIENCE, retry=Retry(NoBackoff(), 0)
        )
        self._client = client
        self._script = client.register_script(SCRIPT)
        self._asks_again_at = 0.0
        self._local = LocalBuckets(clock)

    def take(self, buckets: Sequence[Bucket]) -> Verdict:
        """Take one token of each bucket, or of none when one is empty."""
        if self._clock() >= self._asks_again_at:
            try:
                return self._take_shared(buckets)
            except (redis.RedisError, OSError) as failure:
                self._asks_again_at = self._clock() + PAUSE
                _log.warning("Redis does not answer (%s): each process limits by itself", type(failure).__name__)
        return self._local.take(buckets)

    def shared_clock(self) -> float | None:
        """The time by Redis, in seconds since 1970; None while it does not answer."""
        try:
            seconds, micros = self._client.time()
        except (redis.RedisError, OSError):
            return None
        return int(seconds) + int(micros) / 1_000_000

    def _take_shared(self, buckets: Sequence[Bucket]) -> Verdict:
        answer: Any = self._script(
            keys=[f"vault:rate:{bucket.policy}:{bucket.key}" for bucket in buckets],
            args=[WINDOW, *(bucket.quota for bucket in buckets)],
        )
        *left, is_enough, is_first = map(int, answer)
        return _verdict(buckets, [thousandths / 1000 for thousandths in left], bool(is_enough), bool(is_first))


class LocalBuckets:
    """The same buckets in this process alone: with ``n`` processes a limit is up to ``n`` times as wide."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._held: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()
        self._told: dict[tuple[str, str], float] = {}

    def take(self, buckets: Sequence[Bucket]) -> Verdict:
        now = self._clock()
        with self._lock:
            held = [self._level(bucket, now) for bucket in buckets]
            is_enough = all(tokens >= 1 for tokens in held)
            left = [tokens - 1 for tokens in held] if is_enough else held
            for bucket, tokens in zip(buckets, left, strict=True):
                self._held[(bucket.policy, bucket.key)] = (tokens, now)
                self._held.move_to_end((bucket.policy, bucket.key))
            while len(self._held) > MAX_LOCAL:
                place, _ = self._held.popitem(last=False)
                self._told.pop(place, None)
            return _verdict(buckets, left, is_enough, not is_enough and self._is_first(buckets[0], now))

    def _level(self, bucket: Bucket, now: float) -> float:
        tokens, since = self._held.get((bucket.policy, bucket.key), (float(bucket.quota), now))
        return refilled(tokens, now - since, bucket.quota)

    def _is_first(self, bucket: Bucket, now: float) -> bool:
        place = (bucket.policy, bucket.key)
        is_first = now >= self._told.get(place, now)
        if is_first:
            self._told[place] = now + WINDOW
        return is_first


def _verdict(buckets: Sequence[Bucket], left: Sequence[float], is_enough: bool, is_first: bool) -> Verdict:
    levels = tuple(
        Level(bucket, tokens, is_short=not is_enough and tokens < 1)
        for bucket, tokens in zip(buckets, left, strict=True)
    )
    return Verdict(levels, is_first)
