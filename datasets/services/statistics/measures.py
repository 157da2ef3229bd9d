"""How each kind of query turns records into integers, adds them up, and answers with noise."""

from abc import ABC, abstractmethod
from bisect import bisect_right
from decimal import Decimal
from hashlib import blake2b
from itertools import pairwise
from secrets import token_bytes
from typing import Any, Final

import numpy as np
import orjson

from anonymization.privacy.mechanisms import (
    CONFIDENCE,
    Noise,
    Thresholded,
    noisy_count,
    noisy_counts,
    select_lowest,
    thresholded_counts,
)
from datasets.query.evaluate import MISSING, Record, is_number, value_at
from datasets.services.statistics.request import Grid, Kind, StatisticsQuery, key_of
from datasets.services.statistics.rows import Integers

#: Distinct keys above which an open histogram is answered with nothing; whether there are so many is told with noise.
MAX_OPEN_KEYS: Final = 20_000
#: The part of an open histogram's epsilon that this costs.
_GUARD: Final = Decimal("0.0625")


class Measure(ABC):
    """One query while it is answered: ``give`` for every record, ``add`` for every pass, then ``answer`` once."""

    def __init__(self, query: StatisticsQuery) -> None:
        self.query = query

    @abstractmethod
    def give(self, record: Record) -> int | None:
        """What the record gives; None: nothing, and it uses up none of its subject's contributions."""

    @abstractmethod
    def add(self, values: Integers) -> None:
        """The values of one pass that count."""

    @abstractmethod
    def answer(self) -> dict[str, Any]:
        """The noisy result. Only here noise is drawn, and only once."""

    def value(self, record: Record) -> Any:
        return value_at(record, self.query.path) if self.query.path else record


class CountMeasure(Measure):
    """Records, or records that have the field with something in it."""

    def __init__(self, query: StatisticsQuery) -> None:
        super().__init__(query)
        self.count = 0

    def give(self, record: Record) -> int | None:
        value = self.value(record)
        return None if value is MISSING or value is None else 1

    def add(self, values: Integers) -> None:
        self.count += len(values)

    def answer(self) -> dict[str, Any]:
        noisy, noise = noisy_count(self.count, sensitivity=self.query.contributions, epsilon=self.query.loss.epsilon)
        return {"value": noisy, **accuracy(noise)}


class SumMeasure(Measure):
    """Numbers clamped to the declared bounds, in steps of the declared resolution."""

    def __init__(self, query: StatisticsQuery, grid: Grid) -> None:
        super().__init__(query)
        self.grid = grid
        self._steps = Steps(grid)
        self.total, self.count = 0, 0

    def give(self, record: Record) -> int | None:
        return self._steps.of(self.value(record))

    def add(self, values: Integers) -> None:
        self.total += int(values.sum())
        self.count += len(values)

    def answer(self) -> dict[str, Any]:
        reach = self.query.contributions * self.grid.reach
        noisy, noise = noisy_count(self.total, sensitivity=reach, epsilon=self.query.loss.epsilon)
        return {"value": float(self.grid.value(noisy)), **accuracy(noise, float(self.grid.resolution))}


class MeanMeasure(SumMeasure):
    """A noisy sum of distances from the middle of the bounds over a noisy count, half of the epsilon each."""

    def answer(self) -> dict[str, Any]:
        grid, most, half = self.grid, self.query.contributions, self.query.loss.epsilon / 2
        count, of_count = noisy_count(self.count, sensitivity=most, epsilon=half)
        reach = most * max(grid.high - grid.middle, grid.middle - grid.low)
        distances, of_sum = noisy_count(self.total - self.count * grid.middle, sensitivity=reach, epsilon=half)
        number = max(1, count)
        offset = min(max(distances / number, grid.low - grid.middle), grid.high - grid.middle)
        margin = (of_sum.margin + abs(offset) * of_count.margin) / number
        step = float(grid.resolution)
        return {
            "value": (grid.middle + offset) * step,
            "margin": min(margin, grid.high - grid.low) * step,
            "confidence": float(1 - 2 * (1 - CONFIDENCE)),
            "count": count,
            "count_margin": of_count.margin,
        }


class BinsMeasure(Measure):
    """A histogram whose bins were declared; what is in none of them gives nothing."""

    def __init__(self, query: StatisticsQuery) -> None:
        super().__init__(query)
        self._places = {key: place for place, key in enumerate(query.keys)}
        self._edges = [float(edge) for edge in query.edges]
        self._counts = np.zeros(len(query.keys) or len(query.edges) - 1, np.int64)

    def give(self, record: Record) -> int | None:
        value = self.value(record)
        if self._places:
            key = key_of(value)
            return None if key is None else self._places.get(key)
        if not is_number(value) or not self._edges[0] <= value <= self._edges[-1]:
            return None
        return min(bisect_right(self._edges, value), len(self._edges) - 1) - 1

    def add(self, values: Integers) -> None:
        self._counts += np.bincount(values, minlength=len(self._counts))

    def answer(self) -> dict[str, Any]:
        noisy, noise = noisy_counts(
            self._counts.tolist(), sensitivity=self.query.contributions, epsilon=self.query.loss.epsilon
        )
        bins: list[dict[str, Any]] = [{"key": orjson.loads(key)} for key in self.query.keys]
        if not bins:
            edges = self._edges
            bins = [{"from": low, "to": high} for low, high in pairwise(edges)]
        return {
            "bins": [place | {"value": count} for place, count in zip(bins, noisy, strict=True)],
            **accuracy(noise),
        }


class OpenMeasure(Measure):
    """A histogram whose keys come from the data: those that enough records have, with noise in what is enough.

    Keys are counted by keyed hashes; ``names`` has to be told in another pass what those that are released stand for.
    """

    def __init__(self, query: StatisticsQuery) -> None:
        super().__init__(query)
        self._secret = token_bytes(32)
        self._hashes, self._counts = (np.zeros(0, np.int64) for _ in range(2))
        self.released: Thresholded | None = None
        self.names: dict[int, Any] = {}
        self.is_too_many = False

    def give(self, record: Record) -> int | None:
        key = key_of(self.value(record))
        return None if key is None else self._hash(key)

    def _hash(self, key: bytes) -> int:
        return int.from_bytes(blake2b(key, digest_size=8, key=self._secret).digest(), "big") >> 1

    def add(self, values: Integers) -> None:
        fresh, counts = np.unique(values, return_counts=True)
        hashes, places = np.unique(np.concatenate([self._hashes, fresh]), return_inverse=True)
        weights = np.concatenate([self._counts, counts])
        sums = np.zeros(len(hashes), np.int64)
        np.add.at(sums, places, weights)
        self._hashes, self._counts = hashes, sums

    def release(self) -> Thresholded:
        """Draw the noise; afterwards ``wants_names`` says whether names must be looked for."""
        if self.released is None:
            most, loss = self.query.contributions, self.query.loss
            guard = loss.epsilon * _GUARD
            distinct, noise = noisy_count(len(self._hashes), sensitivity=most, epsilon=guard)
            self.is_too_many = distinct > MAX_OPEN_KEYS + noise.margin
            counts = dict(zip(self._hashes.tolist(), self._counts.tolist(), strict=True))
            self.released = thresholded_counts(
                {} if self.is_too_many else counts,
                contributions=most,
                epsilon=loss.epsilon - guard,
                delta=loss.delta,
            )
        return self.released

    @property
    def wants_names(self) -> bool:
        return len(self.names) < len(self.release().counts)

    def look(self, record: Record) -> None:
        """Note what a released hash stands for."""
        key = key_of(self.value(record))
        if key is not None and (found := self._hash(key)) in self.release().counts:
            self.names[found] = orjson.loads(key)

    def answer(self) -> dict[str, Any]:
        released = self.release()
        # A key whose records were erased while they were read has no name any more.
        bins = [{"key": name, "value": released.counts[place]} for place, name in self.names.items()]
        bins.sort(key=lambda found: orjson.dumps(found["key"]))
        told = {"threshold": released.threshold, "has_too_many_keys": self.is_too_many}
        return {"bins": bins, **told, **accuracy(released.noise)}


class QuantileMeasure(Measure):
    """The step between the bounds that best divides the numbers, by noisy selection."""

    def __init__(self, query: StatisticsQuery, grid: Grid) -> None:
        super().__init__(query)
        self.grid = grid
        self._steps = Steps(grid)
        self._counts = np.zeros(grid.high - grid.low + 1, np.int64)

    def give(self, record: Record) -> int | None:
        steps = self._steps.of(self.value(record))
        return None if steps is None else steps - self.grid.low

    def add(self, values: Integers) -> None:
        self._counts += np.bincount(values, minlength=len(self._counts))

    def answer(self) -> dict[str, Any]:
        above_part, whole = (1 - self.query.quantile).as_integer_ratio()
        below_part = whole - above_part
        below = np.concatenate([[0], np.cumsum(self._counts)[:-1]])
        above = self._counts.sum() - below - self._counts
        scores = np.abs(above_part * below - below_part * above)
        place, near = select_lowest(
            scores.tolist(),
            sensitivity=self.query.contributions * max(above_part, below_part),
            epsilon=self.query.loss.epsilon,
        )
        return {
            "value": float(self.grid.value(self.grid.low + place)),
            "rank_margin": near / whole,
            "confidence": float(CONFIDENCE),
        }


class Steps:
    """Numbers in steps of a grid, clamped to its bounds. The result is an integer, so rounding is nobody's secret."""

    def __init__(self, grid: Grid) -> None:
        self._low, self._high = grid.low, grid.high
        self._least, self._most = float(grid.value(grid.low)), float(grid.value(grid.high))
        self._resolution = float(grid.resolution)

    def of(self, value: Any) -> int | None:
        """None for what is no number."""
        if not is_number(value):
            return None
        if value >= self._most:
            return self._high
        if value <= self._least:
            return self._low
        steps: int = round(value / self._resolution)
        return min(max(steps, self._low), self._high)


def accuracy(noise: Noise, step: float = 1.0) -> dict[str, Any]:
    """In how many of 100 draws (``confidence``) the value is within ``margin`` of what was added up."""
    return {"margin": noise.margin * step, "confidence": float(CONFIDENCE)}


def measure_for(query: StatisticsQuery) -> Measure:
    if query.kind is Kind.HISTOGRAM:
        return OpenMeasure(query) if query.is_open else BinsMeasure(query)
    if query.grid is None:
        return CountMeasure(query)
    numeric = {Kind.SUM: SumMeasure, Kind.MEAN: MeanMeasure, Kind.QUANTILE: QuantileMeasure}
    return numeric[query.kind](query, query.grid)
