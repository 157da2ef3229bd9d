import base64
import json
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from datasets.tree.merkle import inclusion_path, merkle_root, root_of_path

VECTORS = Path(__file__).parents[4] / "shared/data/vectors/merkle/inclusion"

needs_vectors = pytest.mark.skipif(not VECTORS.is_dir(), reason=f"no RFC 6962 proofs in {VECTORS}")
leaf_lists = st.integers(1, 70).map(lambda size: [sha256(bytes([number])).digest() for number in range(size)])


def defined_root(leaves):
    """RFC 6962, section 2.1, word for word."""
    if not leaves:
        return sha256(b"").digest()
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return sha256(b"\x01" + defined_root(leaves[:split]) + defined_root(leaves[split:])).digest()


@pytest.mark.parametrize("size", range(66))
def test_the_root_is_the_one_rfc_6962_defines(size):
    leaves = [sha256(bytes([number])).digest() for number in range(size)]
    assert merkle_root(leaves) == defined_root(leaves)


@given(leaf_lists, st.data())
def test_every_leaf_has_a_path_to_the_root(leaves, data):
    index = data.draw(st.integers(0, len(leaves) - 1))
    path = inclusion_path(leaves, index)
    assert root_of_path(leaves[index], index, len(leaves), path) == merkle_root(leaves)


@given(leaf_lists.filter(lambda leaves: len(leaves) > 1), st.data())
def test_a_forged_path_leads_elsewhere(leaves, data):
    size = len(leaves)
    index = data.draw(st.integers(0, size - 1))
    path = inclusion_path(leaves, index)
    root, leaf = merkle_root(leaves), leaves[index]
    spot = data.draw(st.integers(0, len(path) - 1))
    bit = 1 << data.draw(st.integers(0, 7))
    changed = [bytes([path[spot][0] ^ bit]) + path[spot][1:] if at == spot else hash_ for at, hash_ in enumerate(path)]
    assert root_of_path(leaf, index, size, changed) != root
    assert root_of_path(bytes([leaf[0] ^ bit]) + leaf[1:], index, size, path) != root
    assert root_of_path(leaf, index ^ 1, size, path) != root
    assert root_of_path(leaf, index, size, path[:-1]) != root
    assert root_of_path(leaf, index, size, [*path, root]) != root
    assert root_of_path(leaf, index, size, [path[0][:-1], *path[1:]]) is None


def test_places_that_do_not_exist_have_no_path():
    leaves = [sha256(b"a").digest(), sha256(b"b").digest()]
    for index in (-1, 2):
        with pytest.raises(IndexError):
            inclusion_path(leaves, index)
        assert root_of_path(leaves[0], index, 2, [leaves[1]]) is None
    assert root_of_path(leaves[0], 0, 0, []) is None
    assert root_of_path(b"", 0, 1, []) is None


@needs_vectors
def test_published_proofs_verify_and_forged_ones_do_not():
    verdicts = []
    for path in sorted(VECTORS.rglob("*.json")):
        case = json.loads(path.read_bytes())
        leaf, root = base64.b64decode(case["leafHash"]), base64.b64decode(case["root"])
        proof = [base64.b64decode(hash_) for hash_ in case["proof"] or []]
        found = root_of_path(leaf, case["leafIdx"], case["treeSize"], proof)
        assert (found == root) is not case["wantErr"], path
        verdicts.append(case["wantErr"])
    assert verdicts.count(True) > 50
    assert verdicts.count(False) >= 5
