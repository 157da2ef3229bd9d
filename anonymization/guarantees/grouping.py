"""Rows with equal codes belong together: dense numbers of groups, without ever comparing texts."""

from collections.abc import Sequence
from typing import Final

import numpy as np

from anonymization.guarantees.table import Codes, Flags, Ids

_ROOM: Final = 1 << 62


def group_rows(columns: Sequence[Codes | Ids], sizes: Sequence[int]) -> tuple[Ids, Ids]:
    """The group of each row (dense, in the order of the codes) and one row of each group.

    ``sizes[i]`` is above every code of ``columns[i]``. Exact for any number of columns: keys are made dense before
    they would overflow.
    """
    key = np.zeros(len(columns[0]), np.int64)
    span = 1
    for column, size in zip(columns, sizes, strict=True):
        if span * size >= _ROOM:
            _, key = np.unique(key, return_inverse=True)
            span = int(key.max(initial=0)) + 1
        key = key * size + column
        span *= size
    _, first, groups = np.unique(key, return_index=True, return_inverse=True)
    return groups, first


def dense(ids: Ids) -> tuple[Ids, int]:
    """``ids`` numbered from 0 without gaps, and how many there are."""
    known, numbered = np.unique(ids, return_inverse=True)
    return numbered, len(known)


def gather(starts: Ids, stops: Ids) -> Ids:
    """The places of all ranges ``starts[i]`` to ``stops[i]`` one after the other."""
    lengths = stops - starts
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.asarray(np.arange(total) + np.repeat(starts - (ends - lengths), lengths), np.int64)


def members(groups: Ids, chosen: Flags) -> Ids:
    """The rows of the chosen groups; rows of group -1 are of none."""
    return np.flatnonzero(np.append(chosen, False)[groups])
