"""Every hash of the record tree: leaf, chunk, node, version, and the keyed ones for nonces and content."""

import hashlib
import struct
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC

from datasets.tree.merkle import merkle_root
from vaultsite.kernel.crypto.keys import SecretKey

DIGEST_BYTES: Final = 32
NONCE_BYTES: Final = 16
CONTENT_KEY_BYTES: Final = 16

_U64: Final = struct.Struct(">Q")
_sha256 = hashlib.sha256


def leaf_digest(nonce: bytes, canonical: bytes) -> bytes:
    """SHA-256(0x00 ‖ nonce ‖ canonical record): the RFC 6962 leaf hash of nonce ‖ canonical."""
    return _sha256(b"\x00" + nonce + canonical).digest()


def leaf_digests(records: Iterable[tuple[str, bytes, bytes, bytes]]) -> list[bytes]:
    """``leaf_digest`` of each (id, nonce, content key, canonical record)."""
    sha256 = _sha256
    return [sha256(b"\x00" + nonce + canonical).digest() for _, nonce, _, canonical in records]


def chunk_digest(leaves: Sequence[bytes]) -> bytes:
    """SHA-256(0x02 ‖ RFC 6962 root of the leaves ‖ u64be count)."""
    return chunk_digest_of(merkle_root(leaves), len(leaves))


def chunk_digest_of(merkle: bytes, count: int) -> bytes:
    """``chunk_digest`` from the RFC 6962 root of its leaves."""
    return _sha256(b"\x02" + merkle + _U64.pack(count)).digest()


def entry_leaf(child: bytes, count: int) -> bytes:
    """The leaf hash of a node's entry: SHA-256(0x00 ‖ child digest ‖ u64be count of records below)."""
    return _sha256(b"\x00" + child + _U64.pack(count)).digest()


def node_digest(children: Iterable[tuple[bytes, int]]) -> bytes:
    """SHA-256(0x03 ‖ RFC 6962 root of the entries (child digest, count))."""
    pack, sha256 = _U64.pack, _sha256  # as entry_leaf, without a call each: most of the time of opening a node
    return node_digest_of(merkle_root([sha256(b"\x00" + child + pack(count)).digest() for child, count in children]))


def node_digest_of(merkle: bytes) -> bytes:
    """``node_digest`` from the RFC 6962 root of its entries."""
    return _sha256(b"\x03" + merkle).digest()


#: The root of the tree without records: the digest of a node without children. It is never stored.
EMPTY_ROOT: Final = node_digest(())


def keyed_digest(key: SecretKey, size: int = 16) -> Callable[[bytes], bytes]:
    """The function message -> HMAC-SHA-256(key, message)[:size], with the key schedule done once (RFC 2104).

    Several times faster on short messages than one call each. The function holds the key: drop it with the job.
    """
    copy = HMAC(key.reveal(), SHA256()).copy

    def digest(message: bytes) -> bytes:
        state = copy()
        state.update(message)
        return state.finalize()[:size]

    return digest
