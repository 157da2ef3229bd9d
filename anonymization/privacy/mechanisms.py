"""Mechanisms of differential privacy over exact integers, drawn by OpenDP.

Nothing here computes with floating point what is released: inputs are integers whose sensitivity is declared, and noise
is the discrete Laplace distribution, sampled exactly (Canonne, Kamath and Steinke 2020). Each privacy loss is what
OpenDP's own privacy map says, and never more than the epsilon and delta that were asked for.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final

from anonymization.privacy.opendp import load_opendp

#: Integers that go in stay below this, so that they and their noise fit 64 bits.
MAX_MAGNITUDE: Final = 1 << 61
#: How sure the bounds of error are.
CONFIDENCE: Final = Decimal("0.95")
#: Keys whose counts are drawn at a time.
_BATCH: Final = 20_000
_MISS: Final = float(1 - CONFIDENCE)


@dataclass(frozen=True)
class Noise:
    """Discrete Laplace noise of this scale; ``margin`` is not exceeded in 95 of 100 draws."""

    scale: float

    @property
    def margin(self) -> float:
        return self.scale * math.log(1 / _MISS)


def noisy_counts(values: Sequence[int], *, sensitivity: int, epsilon: Decimal) -> tuple[list[int], Noise]:
    """Each value with noise. ``sensitivity``: by how much one subject changes all of them, added up (L1)."""
    library = load_opendp()
    space = library.vector_domain(library.atom_domain(T="i64")), library.l1_distance(T="i64")
    scale, measure = _fitted(
        lambda scale: library.m.make_laplace(*space, scale=scale), sensitivity, epsilon, first=sensitivity / epsilon
    )
    return list(measure(list(values))), Noise(scale)


def noisy_count(value: int, *, sensitivity: int, epsilon: Decimal) -> tuple[int, Noise]:
    """One value with noise; ``sensitivity``: by how much one subject changes it."""
    (noisy,), noise = noisy_counts([value], sensitivity=sensitivity, epsilon=epsilon)
    return noisy, noise


def select_lowest(scores: Sequence[int], *, sensitivity: int, epsilon: Decimal) -> tuple[int, float]:
    """The index of a score near the lowest, by noisy selection (McKenna and Sheldon 2020), and how near.

    ``sensitivity``: by how much one subject changes any one score (L-infinity). In 95 of 100 draws the chosen score is
    at most the second value above the lowest.
    """
    library = load_opendp()
    space = library.vector_domain(library.atom_domain(T="i64")), library.linf_distance(T="i64")
    measure = library.max_divergence()
    scale, chosen = _fitted(
        lambda scale: library.m.make_noisy_max(*space, measure, scale=scale, negate=True),
        sensitivity,
        epsilon,
        first=2 * sensitivity / epsilon,
    )
    return int(chosen(list(scores))), scale * math.log(len(scores) / _MISS)


@dataclass(frozen=True)
class Thresholded:
    """Counts that reached ``threshold`` with their noise; of the others nothing is told, not that they exist."""

    counts: dict[int, int]
    noise: Noise
    threshold: int


def thresholded_counts(
    counts: Mapping[int, int], *, contributions: int, epsilon: Decimal, delta: Decimal
) -> Thresholded:
    """Counts by key where the keys themselves come from the data (Rogers 2023).

    ``contributions``: to so many keys one subject belongs at most, and by so much it changes any of them.
    """
    library = load_opendp()
    domain = library.map_domain(library.atom_domain(T="i64"), library.atom_domain(T="i64"))
    metric = library.l01inf_distance(library.absolute_distance(T="i64"))
    reach = (contributions,) * 3

    def mechanism(scale: float, threshold: int) -> Any:
        return library.m.make_laplace_threshold(domain, metric, scale=scale, threshold=threshold)

    scale = _upwards(lambda scale: Decimal(mechanism(scale, 1 << 40).map(reach)[0]) <= epsilon, contributions / epsilon)
    threshold = _least_threshold(lambda at: Decimal(mechanism(scale, at).map(reach)[1]) <= delta, contributions)
    draw = mechanism(scale, threshold)
    items = sorted(counts.items())
    found: dict[int, int] = {}
    # Noise is independent from key to key: part by part is the same as at once.
    for start in range(0, len(items), _BATCH):
        found |= draw(dict(items[start : start + _BATCH]))
    return Thresholded(found, Noise(scale), threshold)


def _fitted(make: Callable[[float], Any], sensitivity: int, epsilon: Decimal, *, first: Decimal) -> tuple[float, Any]:
    """The mechanism of the least scale whose privacy map stays within ``epsilon``."""
    scale = _upwards(lambda scale: Decimal(make(scale).map(sensitivity)) <= epsilon, first)
    return scale, make(scale)


def _upwards(holds: Callable[[float], bool], first: Decimal) -> float:
    """``first``, or the next float above it that ``holds``: rounding never costs privacy."""
    scale, step = float(first), 2.0**-52
    while not holds(scale):
        scale, step = scale * (1 + step), step * 2
    return scale


def _least_threshold(holds: Callable[[int], bool], above: int) -> int:
    low, high = above, 2 * above + 1
    while not holds(high):
        low, high = high, 2 * high
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high
