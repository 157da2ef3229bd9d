"""Check receipts of erasures of people without the vault: ``python verify_receipt.py --keys KEYS RECEIPT..``.

Needs Python 3.11 and the package ``cryptography``, nothing else. KEYS holds public keys of the organization's log, one
a line, as signed-note verifier keys: get them from the vault's owner (GET /api/v1/audit/keys), not with the receipt.

Checked are the signature of the receipt, that of the checkpoint of the audit in it, and that its numbers agree with
each other. Exit status 0: everything holds. 1: something does not, said on standard error. 2: wrong usage.
"""

import argparse
import base64
import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

FORMAT, DIGEST_HEX = "llm-data-vault/subject-erasure@v1", 64
Keys = dict[tuple[str, bytes], Ed25519PublicKey]


def demand(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def decoded(text: str) -> bytes:
    """Base64 in its one canonical spelling, so that no changed character is overlooked."""
    raw = base64.b64decode(text, validate=True)
    demand(base64.b64encode(raw).decode() == text, "base64 is not written as it should be")
    return raw


def read_keys(text: str) -> Keys:
    """Verifier keys: name+id+base64(1, Ed25519 key); c2sp.org/signed-note."""
    keys: Keys = {}
    for line in text.splitlines():
        name, key_id, encoded = line.split("+", 2)
        raw = decoded(encoded)
        expected = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        demand(raw[:1] == b"\x01" and expected.hex() == key_id, "a public key is broken")
        keys[name, expected] = Ed25519PublicKey.from_public_bytes(raw[1:])
    return keys


def read_note(note: str, keys: Keys, what: str) -> tuple[str, set[str]]:
    """The text of a signed note and the names of those of ``keys`` that signed it, of which there must be one."""
    text, _, signatures = note.rpartition("\n\n")
    demand(note[-1:] == "\n" and bool(text), f"{what} is not written as it should be")
    signed_by = set()
    for line in signatures[:-1].split("\n"):
        dash, name, encoded = line.split(" ")
        raw = decoded(encoded)
        demand(dash == "\N{EM DASH}", "a signature is not written as it should be")
        if key := keys.get((name, raw[:4])):
            key.verify(raw[4:], text.encode() + b"\n")
            signed_by.add(name)
    demand(bool(signed_by), f"no given key has signed {what}")
    return text, signed_by


def check_checkpoint(note: str, signers: set[str], keys: Keys) -> int:
    """The size of the log at the time; it must be the log that the receipt was signed for."""
    text, _ = read_note(note, keys, "the checkpoint")
    origin, size, root, *_ = text.split("\n")
    demand(origin in signers, "the checkpoint is of another log than the receipt")
    demand(len(decoded(root)) * 2 == DIGEST_HEX and size.isdecimal(), "the checkpoint is not written as it should be")
    return int(size)


def check_numbers(receipt: dict[str, Any]) -> int:
    """That counts, tombstones and conflicts of a receipt agree; returns how many tombstones there are."""
    tombstones = [leaf for part in receipt["datasets"] for one in part["tombstones"] for leaf in one["leaves"]]
    demand(all(len(leaf) == DIGEST_HEX and int(leaf, 16) >= 0 for leaf in tombstones), "a tombstone is no digest")
    demand(receipt["counts"].get("tombstones", 0) == len(tombstones), "the tombstones are not those that were counted")
    refused = [part for part in receipt["datasets"] if part["state"] == "refused"]
    demand(
        sorted(part["dataset"] for part in refused) == sorted(one["dataset"] for one in receipt["conflicts"]),
        "a dataset that kept something is not among the conflicts",
    )
    demand(all(one["basis"] and one["code"] for one in receipt["conflicts"]), "a conflict has no legal basis")
    return len(tombstones)


def check_receipt(path: Path, keys: Keys) -> str:
    text, signers = read_note(path.read_bytes().decode(), keys, "the receipt")
    receipt = json.loads(text)
    demand("\n" not in text and receipt["format"] == FORMAT, "this is no receipt of an erasure")
    demand(any(name.endswith(f"/{receipt['tenant']}") for name in signers), "another organization has signed this")
    tombstones = check_numbers(receipt)
    size = check_checkpoint(receipt["checkpoint"], signers, keys) if receipt["checkpoint"] else 0
    told = f"erasure {receipt['erasure']}: {tombstones} tombstones in {len(receipt['datasets'])} datasets"
    refused, left = len(receipt["conflicts"]), sum(receipt["remaining"].values())
    return f"{told}, {refused} refused, {left} places left, log of {size} events"


def main() -> int:
    parser = argparse.ArgumentParser(description="Check signed receipts of erasures of people.")
    parser.add_argument("--keys", type=Path, required=True, help="public keys of the log, one a line")
    parser.add_argument("receipts", type=Path, nargs="+", metavar="RECEIPT")
    given = parser.parse_args()
    keys = read_keys(given.keys.read_text("utf-8"))
    failed = False
    for path in given.receipts:
        try:
            sys.stdout.write(f"{path.name}: {check_receipt(path, keys)}\n")
        except (ValueError, KeyError, TypeError, InvalidSignature) as fault:
            failed = True
            sys.stderr.write(f"{path.name}: {str(fault) or 'a signature is wrong'}\n")
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
