"""How surprising a number is: minus the decimal logarithm of the chance of one as large, from 0 to MOST."""

import math
from typing import Final

#: Large counts differ by proportion, whatever their size: the deviation of their logarithm, at least.
_PROPORTION: Final = 0.4
#: Beyond this the models say nothing any more.
MOST: Final = 12.0


def normal_surprise(z: float) -> float:
    """Of a standard normal value at least ``z``; 0 for what is below the mean."""
    if z <= 0:
        return 0.0
    chance = math.erfc(z / math.sqrt(2)) / 2
    return min(MOST, -math.log10(chance)) if chance > 0 else MOST


def count_surprise(count: float, mean: float, size: float) -> float:
    """Of a count at least ``count`` where ``mean`` is expected and counts come in bursts.

    Negative binomial of ``size`` (variance = mean + mean² / size; Greenwood and Yule 1920): the chance of what was
    counted before, if rates differ by a gamma distribution. Bounded from above by a geometric series from ``count`` on,
    and never more than what the proportion of the two says.
    """
    if count <= mean or count < 1:
        return 0.0
    share = mean / (mean + size)
    log_chance = (
        math.lgamma(count + size)
        - math.lgamma(size)
        - math.lgamma(count + 1)
        + size * math.log1p(-share)
        + count * math.log(share)
    )
    ratio = (count + size) / (count + 1) * share
    if ratio >= 1:
        return 0.0
    surprise = max(0.0, -(log_chance - math.log1p(-ratio)) / math.log(10))
    return min(MOST, surprise, normal_surprise(math.log((count + 0.5) / (mean + 0.5)) / _PROPORTION))
