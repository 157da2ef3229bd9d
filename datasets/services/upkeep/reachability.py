"""What the versions of a dataset reach."""

from collections.abc import Callable, Iterable

from datasets.tree.digests import EMPTY_ROOT
from datasets.tree.reader import load_node
from datasets.tree.store import TreeSource


def reachable(store: TreeSource, roots: Iterable[bytes], beat: Callable[[], None]) -> set[bytes]:
    """The digests of every node and chunk below ``roots``; each distinct node is loaded once, no chunk is.

    Memory: about 100 bytes for each distinct object, so 1 MB for a million records of 700 bytes. Raises what loading
    raises: as long as a node is damaged nobody knows what lies below it.
    """
    found = {root for root in roots if root != EMPTY_ROOT}
    waiting = list(found)
    while waiting:
        beat()
        node = load_node(store, waiting.pop())
        below = {child.digest for child in node.children}
        if node.level > 1:
            waiting += below - found
        found |= below
    return found
