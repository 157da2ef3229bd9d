"""Check exported files against their data passport, without the vault: ``python verify.py passport.json FILE..``.

Needs Python 3.11 and the package ``cryptography``, nothing else. What is checked, and in which order:

1. the passport is RFC 8785 JSON to the byte, and its Ed25519 signature is made by the key it names;
2. that key is the one given with ``--key`` (hex; ask the vault's owner, or GET /api/v1/passport-keys);
3. every file the passport names is here, with the size and SHA-256 it should have, and no other file;
4. the rows of JSON lines give the root of the row tree (salted RFC 6962 leaves);
5. inclusion proofs lead from rows of a raw export to the root of the source version.

Exit status 0: everything holds. 1: something does not, said on standard error. 2: wrong usage.
"""

import argparse
import gzip
import hashlib
import hmac
import json
import re
import struct
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NoReturn

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT = "llm-data-vault/passport/v1"
HEX_32, HEX_64 = re.compile(r"[0-9a-f]{64}"), re.compile(r"[0-9a-f]{128}")
BLOCK = 1 << 20


class Mismatch(Exception):
    """Something is not what the passport says."""


def canonical(value: Any) -> bytes:
    """RFC 8785 bytes of JSON without fractions."""
    return json.dumps(_sorted(value), ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def _sorted(value: Any) -> Any:
    if isinstance(value, float):
        raise Mismatch("the passport holds a fraction")
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value, key=lambda text: text.encode("utf-16-be"))}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def read_passport(raw: bytes, pinned: str | None = None) -> dict[str, Any]:
    """The signed content of a passport file."""
    try:
        passport = json.loads(raw.decode("utf-8"), parse_constant=_refuse)
        if not isinstance(passport, dict) or canonical(passport) != raw:
            raise Mismatch("the passport is not in its canonical form")
    except (ValueError, RecursionError):
        raise Mismatch("the passport is not JSON in UTF-8") from None
    signature = passport.pop("signature", None)
    signer = passport.get("signer")
    if not isinstance(signature, str) or not HEX_64.fullmatch(signature) or not isinstance(signer, dict):
        raise Mismatch("the passport is not signed")
    public = signer.get("public_key")
    if signer.get("algorithm") != "Ed25519" or not isinstance(public, str) or not HEX_32.fullmatch(public):
        raise Mismatch("the passport names no Ed25519 key")
    if pinned is not None and not hmac.compare_digest(public, pinned.lower()):
        raise Mismatch("the passport is signed by another key than the one given")
    try:
        Ed25519PublicKey.from_public_bytes(bytes.fromhex(public)).verify(bytes.fromhex(signature), canonical(passport))
    except (InvalidSignature, ValueError):
        raise Mismatch("the signature does not hold") from None
    if passport.get("format") != FORMAT:
        raise Mismatch("the passport is of a format this program does not know")
    return passport


def _refuse(name: str) -> NoReturn:
    raise ValueError(name)


def check_file(path: Path, entry: dict[str, Any]) -> None:
    """Size and hash of one file."""
    digest, size = hashlib.sha256(), 0
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
            size += len(block)
    if (size, digest.hexdigest()) != (entry["bytes"], entry["sha256"]):
        raise Mismatch(f"{entry['name']} is not the file that was exported")


def rows_of(path: Path, entry: dict[str, Any]) -> Iterator[bytes] | None:
    """The lines of a file of JSON lines; None where this program cannot read them."""
    if entry["format"] != "jsonl" or entry["compression"] not in {"", "gzip"}:
        return None
    return _lines(path, is_gzip=entry["compression"] == "gzip")


def _lines(path: Path, *, is_gzip: bool) -> Iterator[bytes]:
    with gzip.open(path, "rb") if is_gzip else path.open("rb") as opened:
        yield from opened


def check_rows(rows: Iterable[bytes], entry: dict[str, Any], salt: bytes, proofs: list[Any], root: str) -> None:
    """The row tree of a file, and the proofs of the rows in it."""
    subtrees: list[bytes] = []
    count = 0
    waiting = {proof["row"]: proof for proof in proofs if proof["file"] == entry["name"]}
    for index, line in enumerate(rows):
        row = line[:-1]
        row_salt = hmac.digest(salt, struct.pack(">Q", index), "sha256")[:16]
        leaf = hashlib.sha256(b"\x00" + row_salt + row).digest()
        count = index + 1
        at = count
        while not at & 1:
            leaf = hashlib.sha256(b"\x01" + subtrees.pop() + leaf).digest()
            at >>= 1
        subtrees.append(leaf)
        if index in waiting:
            check_proof(row, waiting.pop(index), root)
    digest = subtrees.pop() if subtrees else hashlib.sha256().digest()
    while subtrees:
        digest = hashlib.sha256(b"\x01" + subtrees.pop() + digest).digest()
    if count != entry["rows"] or digest.hex() != entry["rows_root"] or waiting:
        raise Mismatch(f"the rows of {entry['name']} do not give the root of their tree")


def check_proof(row: bytes, proof: dict[str, Any], root: str) -> None:
    """That a row is a record of the source version: leaf, chunk, then every node up to its root."""
    if proof["form"] == "record":
        record = row
    else:
        identifier = json.dumps(proof["id"]).encode()
        record = b'{"data":' + row + b',"id":' + identifier + b',"metadata":' + proof["metadata"].encode() + b"}"
    digest = hashlib.sha256(b"\x00" + bytes.fromhex(proof["nonce"]) + record).digest()
    below = 0
    for height, step in enumerate(proof["steps"]):
        if height:
            digest = hashlib.sha256(b"\x00" + digest + struct.pack(">Q", below)).digest()
        digest = climb(digest, step["index"], step["size"], [bytes.fromhex(item) for item in step["path"]])
        tail = struct.pack(">Q", step["size"])
        digest = (
            hashlib.sha256(b"\x02" + digest + tail).digest()
            if not height
            else hashlib.sha256(b"\x03" + digest).digest()
        )
        below = step["count"]
    if digest.hex() != root or not proof["steps"][1:]:
        raise Mismatch("an inclusion proof does not lead to the root of the source version")


def climb(node: bytes, index: int, size: int, path: list[bytes]) -> bytes:
    """RFC 9162, section 2.1.3.2."""
    last = size - 1
    if not 0 <= index <= last:
        raise Mismatch("an inclusion proof names an impossible place")
    for sibling in path:
        if not last:
            raise Mismatch("an inclusion proof is too long")
        if index & 1 or index == last:
            node = hashlib.sha256(b"\x01" + sibling + node).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            node = hashlib.sha256(b"\x01" + node + sibling).digest()
        index, last = index >> 1, last >> 1
    if last:
        raise Mismatch("an inclusion proof is too short")
    return node


def verify(passport_path: Path, paths: list[Path], *, pinned: str | None = None, partial: bool = False) -> list[str]:
    """Check everything; what was found, as lines to print. Raises Mismatch."""
    passport = read_passport(passport_path.read_bytes(), pinned)
    entries = {entry["name"]: entry for entry in passport["files"]}
    given = {path.name: path for path in paths}
    if len(given) < len(paths) or set(given) - set(entries):
        raise Mismatch("a file was given that the passport does not name")
    if set(entries) - set(given) and not partial:
        raise Mismatch(f"not given: {', '.join(sorted(set(entries) - set(given)))} (allow with --partial)")
    said = [
        f"passport: signed by {passport['signer']['public_key']}" + ("" if pinned else " (compare it with the vault's)")
    ]
    for name, path in sorted(given.items()):
        entry = entries[name]
        check_file(path, entry)
        rows = rows_of(path, entry)
        if rows is not None:
            proofs = passport["proofs"] or []
            check_rows(rows, entry, bytes.fromhex(passport["rows_salt"]), proofs, passport["source"]["root"])
        what = "hash and row tree" if rows is not None else "hash"
        said.append(f"{name}: {entry['rows']} rows, {what} hold")
    return said


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description="Check exported files against their data passport.")
    parser.add_argument("passport", type=Path)
    parser.add_argument("files", type=Path, nargs="*")
    parser.add_argument("--key", help="public key that must have signed, in hex")
    parser.add_argument("--partial", action="store_true", help="allow files of the passport to be absent")
    given = parser.parse_args(arguments)
    try:
        said = verify(given.passport, given.files, pinned=given.key, partial=given.partial)
    except (Mismatch, OSError, KeyError, TypeError, ValueError, EOFError) as problem:
        print(f"NOT VERIFIED: {problem}", file=sys.stderr)  # noqa: T201 - a program
        return 1
    print("\n".join([*said, "verified"]))  # noqa: T201 - a program
    return 0


if __name__ == "__main__":
    sys.exit(main())
