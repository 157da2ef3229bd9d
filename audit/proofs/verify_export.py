"""Check audit proofs and audit bundles without the vault: ``python verify_export.py --keys KEYS FILE..``.

Needs Python 3.11 and the package ``cryptography``, nothing else. FILE is a ``.tlog-proof`` or a bundle;
docs/reference/audit-bundle.md describes both. KEYS holds public keys of the log, one a line, as signed-note verifier
keys: get them from the vault's owner (GET /api/v1/audit/keys), not out of the bundle that you check.

Exit status 0: everything holds. 1: something does not, said on standard error. 2: wrong usage.
"""

import argparse
import base64
import hashlib
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO, NamedTuple

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

PROOF, CONSISTENCY, HASH = "c2sp.org/tlog-proof@v1", "vault-audit-consistency@v1", 32
Keys = dict[tuple[str, bytes], Ed25519PublicKey]


class Checkpoint(NamedTuple):
    origin: str
    size: int
    root: bytes


def demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def number(text: str) -> int:
    demand(text == str(abs(int(text))), "a number is not written as it should be")
    return int(text)


def decoded(text: str) -> bytes:
    """Base64 in its one canonical spelling, so that no changed character is overlooked."""
    raw = base64.b64decode(text, validate=True)
    demand(base64.b64encode(raw).decode() == text, "base64 is not written as it should be")
    return raw


def sha256(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()


def read_keys(text: str) -> Keys:
    """Verifier keys: name+id+base64(1, Ed25519 key); c2sp.org/signed-note."""
    keys: Keys = {}
    for line in text.splitlines():
        name, key_id, encoded = line.split("+", 2)
        raw = decoded(encoded)
        expected = sha256(name.encode() + b"\n" + raw)[:4]
        demand(raw[:1] == b"\x01" and expected.hex() == key_id, "a public key is broken")
        keys[name, expected] = Ed25519PublicKey.from_public_bytes(raw[1:])
    return keys


def read_checkpoint(note: str, keys: Keys) -> Checkpoint:
    """The tree head in a signed note that the log signed with one of ``keys``; c2sp.org/tlog-checkpoint."""
    text, _, signatures = note.rpartition("\n\n")
    origin, size, root, *others = text.split("\n")
    demand(note[-1:] == "\n" and bool(origin) and all(others), "a checkpoint is not written as it should be")
    signed_by = set()
    for line in signatures[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        raw = decoded(encoded)
        demand(dash == "\N{EM DASH}", "a signature is not written as it should be")
        if key := keys.get((name, raw[:4])):
            key.verify(raw[4:], text.encode() + b"\n")
            signed_by.add(name)
    demand(origin in signed_by and len(decoded(root)) == HASH, f"no given key of {origin} has signed its checkpoint")
    return Checkpoint(origin, number(size), decoded(root))


def climb(index: int, last: int, old: bytes, new: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """The loop that RFC 9162 has in sections 2.1.3.2 and 2.1.4.2 (the former knows no ``old``)."""
    for sibling in path:
        demand(last > 0 and len(sibling) == HASH, "a proof is too long")
        if index & 1 or index == last:
            old, new = sha256(b"\x01" + sibling + old), sha256(b"\x01" + sibling + new)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            new = sha256(b"\x01" + new + sibling)
        index, last = index >> 1, last >> 1
    demand(last == 0, "a proof is too short")
    return old, new


def check_consistency(earlier: Checkpoint, later: Checkpoint, proof: list[bytes]) -> None:
    """That the later tree begins with the earlier one, which is neither empty nor the whole."""
    demand(0 < earlier.size < later.size and bool(proof), "a consistency proof is about the wrong trees")
    start, *path = proof if earlier.size & (earlier.size - 1) else [earlier.root, *proof]
    index, last = earlier.size - 1, later.size - 1
    while index & 1:
        index, last = index >> 1, last >> 1
    is_begun = climb(index, last, start, start, path) == (earlier.root, later.root)
    demand(is_begun, f"the log does not begin with that of checkpoint {earlier.size}")


def check_proof(path: Path, keys: Keys) -> tuple[str, list[Checkpoint]]:
    head, _, note = path.read_bytes().decode().partition("\n\n")
    form, extra, index, *hashes = head.split("\n")
    demand(form == PROOF and extra[:6] == "extra " and index[:6] == "index ", "this is no proof of an event")
    checkpoint, place = read_checkpoint(note, keys), number(index[6:])
    demand(place < checkpoint.size, "the event lies outside the log")
    leaf = sha256(b"\x00" + decoded(extra[6:]))
    _, root = climb(place, checkpoint.size - 1, leaf, leaf, [decoded(one) for one in hashes])
    demand(root == checkpoint.root, f"event {place} is not in the log")
    return f"event {place} is in the log", [checkpoint]


def check_sums(bundle: zipfile.ZipFile) -> list[str]:
    """That what SHA256SUMS lists is there, unchanged, and nothing else; its names."""
    lines = bundle.read("SHA256SUMS").decode().removesuffix("\n").split("\n")
    sums = {name: digest for digest, _, name in (line.partition("  ") for line in lines)}
    demand(sorted([*sums, "SHA256SUMS"]) == sorted(bundle.namelist()), "a file is missing or too many")
    for name, expected in sums.items():
        with bundle.open(name) as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()  # type: ignore[arg-type] # typeshed: IO[bytes]
        demand(found == expected, f"{name} was changed")
    return sorted(sums)


def leaves_of(bundle: zipfile.ZipFile) -> Iterator[tuple[int, bytes]]:
    before = -1
    with bundle.open("events.jsonl") as events, bundle.open("sequence") as numbers:
        for event, line in zip(events, numbers, strict=True):
            place = number(line.decode().removesuffix("\n"))
            demand(event[-1:] == line[-1:] == b"\n" and place > before, f"event {place} is out of order or cut off")
            before = place
            yield place, sha256(b"\x00" + event[:-1])


class Tree:
    """A tree of which some leaves are known, in their order, and the other parts by their hashes alone."""

    def __init__(self, leaves: Iterator[tuple[int, bytes]], hashes: IO[bytes]) -> None:
        self.leaves, self.hashes, self.count, self.next = leaves, hashes, 0, next(leaves, None)

    def root(self, low: int, high: int) -> bytes:
        if self.next is None or self.next[0] >= high:
            return self.hashes.read(HASH)
        if high - low == 1:
            (_, leaf), self.next, self.count = self.next, next(self.leaves, None), self.count + 1
            return leaf
        middle = low + (1 << (high - low - 1).bit_length() - 1)
        return sha256(b"\x01" + self.root(low, middle) + self.root(middle, high))


def check_bundle(path: Path, keys: Keys) -> tuple[str, list[Checkpoint]]:
    bundle = zipfile.ZipFile(path)
    names = check_sums(bundle)
    checkpoint = read_checkpoint(bundle.read("checkpoint").decode(), keys)
    tree, found = Tree(leaves_of(bundle), bundle.open("hashes")), [checkpoint]
    root = tree.root(0, checkpoint.size) if checkpoint.size else sha256(b"")
    is_all = tree.next is None and not tree.hashes.read(1)
    demand(is_all and root == checkpoint.root, "the events are not those of the log")
    for name in (one for one in names if one.startswith("checkpoints/")):
        head, _, note = bundle.read(name).decode().partition("\n\n")
        form, *proof = head.split("\n")
        found.append(read_checkpoint(note, keys))
        demand(form == CONSISTENCY and found[-1].origin == checkpoint.origin, f"{name} is of another log")
        check_consistency(found[-1], checkpoint, [decoded(one) for one in proof])
    return f"{tree.count} events are in the log", found


def check(path: Path, keys: Keys, known: Checkpoint | None) -> str:
    """What was found, to be printed. Raises ValueError."""
    said, found = (check_bundle if zipfile.is_zipfile(path) else check_proof)(path, keys)
    demand(known in {None, *found}, "nothing is proven about the checkpoint given with --known")
    return f"{path}: {said} of {found[0].origin}, checkpoint {found[0].size}, and {len(found) - 1} earlier ones"


def main() -> None:
    parser = argparse.ArgumentParser(description="Check proofs and bundles of a vault's audit log.")
    parser.add_argument("files", type=Path, nargs="+")
    parser.add_argument("--keys", type=Path, required=True, help="the log's public keys, from its owner")
    parser.add_argument("--known", type=Path, help="a checkpoint from elsewhere, as a witness, that must be proven too")
    given = parser.parse_args()
    try:
        keys = read_keys(given.keys.read_text("utf-8"))
        known = read_checkpoint(given.known.read_bytes().decode(), keys) if given.known else None
        said = [check(path, keys, known) for path in given.files]
    except (InvalidSignature, OSError, LookupError, ValueError, zipfile.BadZipFile, zlib.error) as problem:
        sys.exit(f"NOT VERIFIED: {problem or 'a signature does not hold'}")
    print("\n".join([*said, "verified"]))  # noqa: T201 - a program


if __name__ == "__main__":
    main()
