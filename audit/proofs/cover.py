"""The hashes that complete a tree of which only some leaves are given: see docs/reference/audit-bundle.md."""

from collections.abc import Iterable, Iterator

from audit.log.stored import StoredTree
from audit.log.tree import Frontier


def missing_parts(numbers: Iterable[int], size: int) -> Iterator[tuple[int, int]]:
    """The parts [low, high) of a tree of ``size`` leaves without any of ``numbers``, from left to right.

    ``numbers`` ascend strictly and are less than ``size``. The tree is cut as RFC 6962 does.
    """
    ahead = iter(numbers)
    wanted = next(ahead, None)
    waiting = [(0, size)] if size else []
    while waiting:
        low, high = waiting.pop()
        if wanted is None or wanted >= high:
            yield low, high
        elif high - low == 1:
            wanted = next(ahead, None)
        else:
            middle = low + (1 << (high - low - 1).bit_length() - 1)
            waiting += [(middle, high), (low, middle)]


def cover(tree: StoredTree, numbers: Iterable[int], size: int) -> Iterator[bytes]:
    """The roots of those parts, inside a scope; raises MissingHashes."""
    for low, high in missing_parts(numbers, size):
        yield _root(tree, low, high)


def _root(tree: StoredTree, low: int, high: int) -> bytes:
    """The root over [low, high), where ``low`` is a multiple of the part's biggest perfect subtree."""
    peaks, start = [], low
    while start < high:
        level = (high - start).bit_length() - 1
        peaks.append(tree.subtree(level, start >> level))
        start += 1 << level
    return Frontier(high - low, peaks).root()
