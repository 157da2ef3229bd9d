"""Token buckets: what one holds, and what is left of it after a request."""

import math
from dataclasses import dataclass

#: Seconds in which a bucket fills from empty.
WINDOW = 60


@dataclass(frozen=True)
class Bucket:
    """``quota`` requests a minute, all at once or evenly, for whoever ``key`` names; ``policy`` says why."""

    policy: str
    key: str
    quota: int


@dataclass(frozen=True)
class Level:
    """A bucket after a request asked for one of its tokens; ``is_short`` when it had none to give."""

    bucket: Bucket
    tokens: float
    is_short: bool

    @property
    def remaining(self) -> int:
        return int(self.tokens)

    @property
    def reset_seconds(self) -> int:
        """Until it is full again."""
        return math.ceil((self.bucket.quota - self.tokens) * WINDOW / self.bucket.quota)

    @property
    def wait_seconds(self) -> int:
        """Until it holds one more token, at least 1."""
        return max(1, math.ceil((1 - self.tokens) * WINDOW / self.bucket.quota))


def refilled(tokens: float, seconds: float, quota: int) -> float:
    """What a bucket holds ``seconds`` after it held ``tokens``; a clock that went back adds nothing."""
    return min(float(quota), tokens + max(0.0, seconds) * quota / WINDOW)
