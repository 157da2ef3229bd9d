"""Which rows an export holds and where they go: by hashes of record ids that anybody can compute again."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import accumulate
from typing import Any, Final, Self

SPLITS: Final = ("train", "validation", "test")
#: Rows of a sample by size: their hashes are held in memory while the first pass runs.
MAX_SAMPLE: Final = 100_000
_SPACE: Final = 1 << 64


def place_of(kind: str, key: str, record_id: str) -> int:
    """The first 64 bits, big-endian, of SHA-256(kind ‖ 0x00 ‖ key ‖ 0x00 ‖ record id), all UTF-8.

    ``kind`` is ``split`` (the key is the salt) or ``sample`` (the key is the seed). Divided by 2^64 it is a fraction
    that is the same for the same record in every version and every export with the same key.
    """
    text = f"{kind}\0{key}\0{record_id}".encode()
    return int.from_bytes(hashlib.sha256(text).digest()[:8], "big")


@dataclass(frozen=True)
class Split:
    """Shares of train, validation and test as decimal texts that add up to 1."""

    shares: tuple[str, str, str]
    salt: str = ""

    def bounds(self) -> tuple[int, ...]:
        """Below which place a row belongs to each part, in order."""
        return tuple(int(share * _SPACE) for share in accumulate(map(Decimal, self.shares)))

    def names(self) -> tuple[str, ...]:
        """The parts that can get rows."""
        return tuple(name for name, share in zip(SPLITS, self.shares, strict=True) if Decimal(share) > 0)

    def as_json(self) -> dict[str, str]:
        return dict(zip(SPLITS, self.shares, strict=True)) | {"salt": self.salt}

    @classmethod
    def of(cls, stored: Mapping[str, str] | None) -> Self | None:
        if stored is None:
            return None
        train, validation, test = (stored[name] for name in SPLITS)
        return cls((train, validation, test), stored["salt"])


@dataclass(frozen=True)
class Sample:
    """A share of the rows (``rate``, a decimal text) or exactly so many of them (``size``), chosen by ``seed``."""

    seed: str = ""
    rate: str = ""
    size: int = 0

    def as_json(self) -> dict[str, Any]:
        return {"seed": self.seed} | ({"size": self.size} if self.size else {"rate": self.rate})

    @classmethod
    def of(cls, stored: Mapping[str, Any] | None) -> Self | None:
        return None if stored is None else cls(**stored)

    def limit(self, places: Sequence[int] = ()) -> int:
        """Below which place a row is taken; for a sample by size, given the lowest ``size`` + 1 places of all rows."""
        if not self.size:
            return int(Decimal(self.rate) * _SPACE)
        return sorted(places)[self.size] if len(places) > self.size else _SPACE

    def place(self, record_id: str) -> int:
        return place_of("sample", self.seed, record_id)


class Sorter:
    """Says which part each row goes to."""

    def __init__(self, split: Split | None) -> None:
        self.names = split.names() if split else ("",)
        self._split = split
        self._bounds = split.bounds() if split else ()

    def part_of(self, record_id: str) -> str:
        if self._split is None:
            return ""
        place = place_of("split", self._split.salt, record_id)
        for name, bound in zip(SPLITS, self._bounds, strict=True):
            if place < bound:
                return name
        return self.names[-1]
