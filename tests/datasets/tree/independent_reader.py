"""Opens sealed chunks and nodes and recomputes chunk digest, root and version id from docs/reference alone.

Shares no code with the product: the standard library, cryptography and zstandard.
"""

import hmac
from hashlib import sha256
from struct import pack, unpack_from

import zstandard
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA512
from cryptography.hazmat.primitives.kdf.hkdf import HKDFExpand


def open_sealed(sealed, dek, secret, *, tenant_id, dataset_id, kind, object_id):
    header, salt, commitment, body = sealed[:22], sealed[22:46], sealed[46:78], sealed[78:]
    assert header[:6] == b"LDV1\x01\x01"
    context = b"".join(pack(">I", len(part)) + part for part in (tenant_id, dataset_id, kind.encode(), object_id))
    info = b"llm-data-vault/sealing/v1\0" + salt + header + context
    keys = HKDFExpand(SHA512(), 76, info).derive(hmac.digest(dek, secret, "sha256"))
    assert keys[44:] == commitment
    cipher, nonce, plain = AESGCM(keys[:32]), int.from_bytes(keys[32:44], "big"), b""
    for index, start in enumerate(range(0, len(body), 16400)):
        plain += cipher.decrypt((nonce ^ index).to_bytes(12, "big"), body[start : start + 16400], None)
    assert len(body) % 16400 >= 16
    return plain


def merkle_root(leaves):
    if len(leaves) < 2:
        return leaves[0] if leaves else sha256(b"").digest()
    split = 1 << (len(leaves) - 1).bit_length() - 1
    return sha256(b"\x01" + merkle_root(leaves[:split]) + merkle_root(leaves[split:])).digest()


def read_chunk(payload):
    """The digest, and (id, nonce, content key, canonical record) of every record that is not erased."""
    magic, form, count, tombstones, _dictionary, id_bytes, size = unpack_from(">4sB3xIIIII", payload)
    assert (magic, form) == (b"LDVC", 1)
    cells = [payload[28 + 16 * index : 44 + 16 * index] for index in range(2 * count)]
    leaves, at = {}, 28 + 32 * count + 37 * tombstones
    for index in range(tombstones):
        leaf, _size, length = unpack_from(">32sIB", payload, 28 + 32 * count + 37 * index)
        leaves[payload[at : at + length].decode()], at = leaf, at + length
    text = zstandard.ZstdDecompressor().decompress(payload[at:], max_output_size=size)
    ids, lines = text[:id_bytes].decode().split("\n"), text[id_bytes + 1 : -1].split(b"\n")
    ids, lines = (ids, lines) if count else ([], [])
    leaves |= {each: sha256(b"\0" + cells[at] + lines[at]).digest() for at, each in enumerate(ids)}
    ordered = [leaves[each] for each in sorted(leaves)]
    digest = sha256(b"\x02" + merkle_root(ordered) + pack(">Q", len(ordered))).digest()
    return digest, list(zip(ids, cells[:count], cells[count:], lines, strict=True))


def read_node(body):
    """The digest, the level, and (digest, count) of every child."""
    magic, form, level, count = unpack_from(">4sBB2xI", body)
    assert (magic, form, len(body)) == (b"LDVN", 1, 12 + 40 * count)
    children = [unpack_from(">32sQ", body, 12 + 40 * index) for index in range(count)]
    leaves = [sha256(b"\0" + pack(">32sQ", *child)).digest() for child in children]
    return sha256(b"\x03" + merkle_root(leaves)).digest(), level, children


def read_tree(fetch, digest, kind="node"):
    """All records below ``digest``, every digest and count on the way recomputed; fetch(kind, digest) -> plaintext."""
    if kind == "chunk":
        found, records = read_chunk(fetch(kind, digest))
    else:
        found, level, children = read_node(fetch(kind, digest))
        below = [read_tree(fetch, child, "chunk" if level == 1 else "node") for child, _ in children]
        assert [len(part) for part in below] == [count for _, count in children]
        records = [record for part in below for record in part]
    assert found == digest
    return records


def version_id(root, parents, *, author, microseconds, nonce, message):
    said = sha256(nonce + message.encode()).digest()
    head = b"\x04" + root + pack(">I", len(parents)) + b"".join(parents)
    return sha256(head + author + pack(">Q", microseconds) + said).digest()
