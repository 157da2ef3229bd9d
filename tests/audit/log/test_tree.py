"""Rules of the Merkle tree: the public vectors, and a naive implementation of the RFC's definitions as oracle."""

import json
from base64 import b64decode
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from audit.log.tree import (
    EMPTY_ROOT,
    Frontier,
    InvalidProof,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    node_hash,
    perfect_root,
    root,
    verify_consistency,
    verify_inclusion,
)

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/merkle.json").read_text(encoding="utf-8"))
#: The leaves and roots of the tests of Certificate Transparency.
INPUTS = ["", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"]
ROOTS = {
    1: "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    5: "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    6: "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    7: "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    8: "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
}
#: Accepted there and refused here: "don't care" is no hash.
STRICTER = {
    "consistency/additional/sizes-are-equal-one-and-proof-is-empty.json",
}


def named(kind: str) -> list:
    return [pytest.param(vector, id=vector["file"]) for vector in VECTORS[kind]]


def raw(hashes: list[str] | None) -> list[bytes]:
    return [b64decode(one) for one in hashes or []]


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(number.to_bytes(4, "big")) for number in range(count)]


def subtrees_of(hashes: list[bytes]):
    return lambda level, index: perfect_root(hashes[index << level : (index + 1) << level])


def split(count: int) -> int:
    """RFC 9162: the largest power of two smaller than ``count``."""
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(hashes: list[bytes]) -> bytes:
    """RFC 9162 section 2.1.1."""
    if not hashes:
        return EMPTY_ROOT
    if len(hashes) == 1:
        return hashes[0]
    k = split(len(hashes))
    return node_hash(mth(hashes[:k]), mth(hashes[k:]))


def path(m: int, hashes: list[bytes]) -> list[bytes]:
    """RFC 9162 section 2.1.3.1."""
    if len(hashes) == 1:
        return []
    k = split(len(hashes))
    if m < k:
        return [*path(m, hashes[:k]), mth(hashes[k:])]
    return [*path(m - k, hashes[k:]), mth(hashes[:k])]


def subproof(m: int, hashes: list[bytes], *, whole: bool = True) -> list[bytes]:
    """RFC 9162 section 2.1.4.1."""
    if m == len(hashes):
        return [] if whole else [mth(hashes)]
    k = split(len(hashes))
    if m <= k:
        return [*subproof(m, hashes[:k], whole=whole), mth(hashes[k:])]
    return [*subproof(m - k, hashes[k:], whole=False), mth(hashes[:k])]


@pytest.mark.parametrize("vector", named("inclusion"))
def test_inclusion_proofs_of_transparency_dev(vector) -> None:
    (root_hash,), (leaf,) = raw([vector["root"]]), raw([vector["leafHash"]])
    facts = {"leaf": leaf, "seq": vector["leafIdx"], "size": vector["treeSize"], "root": root_hash}
    if vector["wantErr"]:
        with pytest.raises(InvalidProof):
            verify_inclusion(**facts, proof=raw(vector["proof"]))
    else:
        verify_inclusion(**facts, proof=raw(vector["proof"]))


@pytest.mark.parametrize("vector", named("consistency"))
def test_consistency_proofs_of_transparency_dev(vector) -> None:
    (old_root,), (new_root,) = raw([vector["root1"]]), raw([vector["root2"]])
    facts = {"old": vector["size1"], "new": vector["size2"], "old_root": old_root, "new_root": new_root}
    if vector["wantErr"] or vector["file"] in STRICTER:
        with pytest.raises(InvalidProof):
            verify_consistency(**facts, proof=raw(vector["proof"]))
    else:
        verify_consistency(**facts, proof=raw(vector["proof"]))


def test_the_vectors_are_all_there_and_of_both_kinds() -> None:
    wanted = {kind: [vector["wantErr"] for vector in VECTORS[kind]] for kind in ("inclusion", "consistency")}
    assert sum(map(len, wanted.values())) == 196
    assert all(any(kind) and not all(kind) for kind in wanted.values())


def test_roots_of_certificate_transparency() -> None:
    hashes = [leaf_hash(bytes.fromhex(content)) for content in INPUTS]
    frontier, roots = Frontier(), {}
    for size, leaf in enumerate(hashes, start=1):
        frontier.append(leaf)
        roots[size] = frontier.root().hex()
        assert roots[size] == root(size, subtrees_of(hashes)).hex()
    assert {size: roots[size] for size in ROOTS} == ROOTS
    assert root(0, subtrees_of([])) == Frontier().root() == EMPTY_ROOT


@given(count=st.integers(0, 70))
@settings(max_examples=30, deadline=None)
def test_roots_are_those_of_the_definition(count) -> None:
    hashes, frontier = leaves(count), Frontier()
    for leaf in hashes:
        frontier.append(leaf)
    assert frontier.root() == root(count, subtrees_of(hashes)) == mth(hashes)
    assert Frontier(count, frontier.peaks).root() == frontier.root()


@given(count=st.integers(1, 70), data=st.data())
@settings(max_examples=60, deadline=None)
def test_inclusion_proofs_are_those_of_the_definition_and_nothing_else_passes(count, data) -> None:
    hashes = leaves(count)
    seq = data.draw(st.integers(0, count - 1))
    proof = inclusion_proof(seq, count, subtrees_of(hashes))
    assert proof == path(seq, hashes)
    facts = {"leaf": hashes[seq], "seq": seq, "size": count, "root": mth(hashes)}
    verify_inclusion(**facts, proof=proof)
    wrong = data.draw(st.sampled_from(spoiled(proof)))
    with pytest.raises(InvalidProof):
        verify_inclusion(**facts, proof=wrong)
    for name, value in (("seq", seq + 1), ("seq", -1), ("leaf", leaf_hash(b"other")), ("root", leaf_hash(b"other"))):
        with pytest.raises(InvalidProof):
            verify_inclusion(**{**facts, name: value}, proof=proof)


@given(new=st.integers(2, 70), data=st.data())
@settings(max_examples=60, deadline=None)
def test_consistency_proofs_are_those_of_the_definition_and_nothing_else_passes(new, data) -> None:
    hashes = leaves(new)
    old = data.draw(st.integers(1, new - 1))
    proof = consistency_proof(old, new, subtrees_of(hashes))
    assert proof == subproof(old, hashes)
    facts = {"old": old, "new": new, "old_root": mth(hashes[:old]), "new_root": mth(hashes)}
    verify_consistency(**facts, proof=proof)
    wrong = data.draw(st.sampled_from(spoiled(proof)))
    with pytest.raises(InvalidProof):
        verify_consistency(**facts, proof=wrong)
    fork = [leaf_hash(b"fork"), *hashes[1:]]
    with pytest.raises(InvalidProof):
        verify_consistency(**{**facts, "new_root": mth(fork)}, proof=subproof(old, fork))


def spoiled(proof: list[bytes]) -> list[list[bytes]]:
    """The proof with a bit turned, shortened, lengthened, reordered."""
    turned = [[*proof[:place], bytes([one[0] ^ 1]) + one[1:], *proof[place + 1 :]] for place, one in enumerate(proof)]
    reordered = [proof[::-1]] if proof[::-1] != proof else []
    return [*turned, *reordered, proof[:-1] or [b""], proof[1:] or [b""], [*proof, leaf_hash(b"more")], [b"", *proof]]


@pytest.mark.parametrize(("old", "proof"), [(0, []), (0, [EMPTY_ROOT]), (-1, [])])
def test_nothing_is_shown_of_the_empty_tree(old, proof) -> None:
    with pytest.raises(InvalidProof):
        verify_consistency(old=old, new=5, old_root=EMPTY_ROOT, new_root=mth(leaves(5)), proof=proof)
    with pytest.raises(ValueError, match="has leaves"):
        consistency_proof(old, 5, subtrees_of(leaves(5)))


@pytest.mark.parametrize("leaf", [b"", b"short", b"x" * 33])
def test_a_leaf_that_is_no_hash_is_refused(leaf) -> None:
    with pytest.raises(InvalidProof, match="32 bytes"):
        verify_inclusion(leaf=leaf, seq=0, size=1, proof=[], root=leaf)


def test_questions_about_leaves_that_are_not_there_are_refused() -> None:
    for seq, size in ((0, 0), (5, 5), (-1, 5)):
        with pytest.raises(ValueError, match="no such leaf"):
            inclusion_proof(seq, size, subtrees_of(leaves(5)))
    with pytest.raises(ValueError, match="one peak"):
        Frontier(3, leaves(1))
