import struct

import pytest
import zstandard

from datasets.errors import CorruptTree
from datasets.tree.chunk import MAX_DECODED_BYTES, ChunkCodec, ChunkSidecar, verify_chunk
from datasets.tree.digests import chunk_digest

from .trees import record

RECORDS = [record(number) for number in range(50)]
PAYLOAD = ChunkCodec().encode(RECORDS)
HEADER = 28
KEYS_END = HEADER + 32 * len(RECORDS)


def repacked(text, *, count=50, id_bytes=None, decoded=None, frame=None):
    """The payload with another text or other claims about it."""
    ids = 50 * 8 - 1 if id_bytes is None else id_bytes
    header = struct.pack(">4sB3xIIIII", b"LDVC", 1, count, 0, 0, ids, len(text) if decoded is None else decoded)
    frame = zstandard.ZstdCompressor(level=3).compress(text) if frame is None else frame
    return header + PAYLOAD[HEADER : HEADER + 32 * count] + frame


TEXT = zstandard.ZstdDecompressor().decompress(PAYLOAD[KEYS_END:])


def test_what_is_written_is_read_back():
    chunk = ChunkCodec().decode(PAYLOAD)
    assert list(chunk) == RECORDS
    assert [chunk[index] for index in range(len(chunk))] == RECORDS
    assert chunk.leaves() == [each.leaf for each in RECORDS]
    verify_chunk(chunk, chunk_digest([each.leaf for each in RECORDS]))
    assert ChunkCodec().decode(repacked(TEXT)) == chunk


def test_the_place_after_an_id_is_found():
    chunk = ChunkCodec().decode(PAYLOAD)
    assert [chunk.after(each) for each in (None, "a", "r000000", "r000000x", "r000048", "r000049", "z")] == [
        0, 0, 1, 1, 49, 50, 50,
    ]  # fmt: skip


@pytest.mark.parametrize("size", [0, 4, HEADER, HEADER + 5, KEYS_END, KEYS_END + 10, len(PAYLOAD) - 1])
def test_a_payload_cut_off_is_refused(size):
    with pytest.raises(CorruptTree):
        ChunkCodec().decode(PAYLOAD[:size])


@pytest.mark.parametrize("place", range(HEADER))
def test_a_changed_header_is_refused(place):
    changed = bytearray(PAYLOAD)
    changed[place] ^= 1
    with pytest.raises(CorruptTree):
        ChunkCodec().decode(bytes(changed))


@pytest.mark.parametrize(
    "payload",
    [
        PAYLOAD + b"\0",
        repacked(TEXT, count=0),
        repacked(TEXT, count=49),
        repacked(TEXT, id_bytes=50 * 8),
        repacked(TEXT, id_bytes=len(TEXT)),
        repacked(TEXT, decoded=len(TEXT) + 1),
        repacked(TEXT[:-1]),
        repacked(TEXT + b"{}\n"),
        repacked(TEXT[:3] + b"\xff" + TEXT[4:]),
        repacked(TEXT, decoded=MAX_DECODED_BYTES + 1),
        repacked(TEXT, frame=b"not zstd"),
        repacked(TEXT, frame=b""),
    ],
)
def test_payloads_whose_parts_do_not_fit_are_refused(payload):
    with pytest.raises(CorruptTree):
        ChunkCodec().decode(payload)


def test_a_zstd_bomb_is_refused_before_it_grows():
    bomb = zstandard.ZstdCompressor(level=3).compress(bytes(2 * MAX_DECODED_BYTES))
    for claimed in (2 * MAX_DECODED_BYTES, len(TEXT)):
        with pytest.raises(CorruptTree):
            ChunkCodec().decode(repacked(TEXT, decoded=claimed, frame=bomb))


def test_records_that_do_not_give_the_digest_are_found():
    chunk = ChunkCodec().decode(ChunkCodec().encode([RECORDS[0], record(1, revision=9), *RECORDS[2:]]))
    with pytest.raises(CorruptTree, match="digest"):
        verify_chunk(chunk, chunk_digest([each.leaf for each in RECORDS]))
    unordered = [RECORDS[1], RECORDS[0]]
    with pytest.raises(CorruptTree, match="order"):
        verify_chunk(
            ChunkCodec().decode(ChunkCodec().encode(unordered)), chunk_digest([each.leaf for each in unordered])
        )


def test_sidecars_are_read_back_and_damage_is_refused():
    sidecar = ChunkSidecar("a", "zz", 70, (30, 40))
    encoded = sidecar.encode()
    assert ChunkSidecar.decode(encoded) == sidecar
    for damaged in (b"", encoded[:-1], encoded + b"\0", b"X" + encoded[1:], encoded.replace(b"a", b"\xff")):
        with pytest.raises(CorruptTree):
            ChunkSidecar.decode(damaged)


def test_a_batch_is_compressed_as_each_text_alone_would_be():
    codec = ChunkCodec()
    texts = [TEXT, b"x" * 300_000, b"{}\n", TEXT * 50]
    assert codec.compress(texts) == [zstandard.ZstdCompressor(level=3).compress(text) for text in texts]
    assert codec.compress([]) == []
