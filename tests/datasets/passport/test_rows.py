"""Rules of the row tree: it is RFC 6962's, and survives being written down after any row."""

import hashlib

from hypothesis import given
from hypothesis import strategies as st

from datasets.passport.rows import RowTree, row_leaf, row_salt
from datasets.tree.merkle import merkle_root

SALT = bytes(range(32))


@given(st.lists(st.binary(max_size=20), max_size=70), st.integers(0, 70))
def test_a_tree_is_that_of_rfc_6962_wherever_it_was_interrupted(rows, stop):
    leaves = [row_leaf(SALT, index, row) for index, row in enumerate(rows)]
    tree = RowTree()
    for leaf in leaves[:stop]:
        tree.add(leaf)
    tree = RowTree.resumed(tree.count, [digest.hex() for digest in tree.subtrees])
    for leaf in leaves[stop:]:
        tree.add(leaf)
    assert (tree.root(), tree.count) == (merkle_root(leaves), len(rows))
    assert len(tree.subtrees) == len(rows).bit_count()


def test_equal_rows_have_leaves_of_their_own():
    leaf = row_leaf(SALT, 0, b"row")
    assert leaf != row_leaf(SALT, 1, b"row")
    assert leaf == hashlib.sha256(b"\0" + row_salt(SALT, 0) + b"row").digest()
    assert leaf != row_leaf(bytes(32), 0, b"row")
