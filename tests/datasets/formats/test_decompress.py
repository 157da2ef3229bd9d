import gzip
import tracemalloc
import zlib

import pytest

from datasets.errors import DecompressionLimit, UnreadableFile
from datasets.formats.decompress import Limits, decompressed
from datasets.formats.gunzip import OUTPUT_BYTES

TEXT = b"".join(b'{"n":%d}\n' % number for number in range(20_000))
MIB = 1 << 20


def cut(data, size):
    return [data[start : start + size] for start in range(0, len(data), size)]


def bomb(mebibytes):
    """gzip of so many MiB of zeros, in blocks."""
    deflate = zlib.compressobj(6, zlib.DEFLATED, 31)
    for _ in range(mebibytes):
        yield deflate.compress(bytes(MIB))
    yield deflate.flush()


@pytest.mark.parametrize("size", [1, 2, 7, 4096, 1 << 20])
def test_plain_files_pass_unchanged_whatever_the_blocks(size):
    assert b"".join(decompressed(cut(TEXT[:5000], size))) == TEXT[:5000]


@pytest.mark.parametrize("size", [1, 3, 1000, 1 << 20])
def test_gzip_is_known_by_its_first_bytes_whatever_the_blocks(size):
    assert b"".join(decompressed(cut(gzip.compress(TEXT), size))) == TEXT


@pytest.mark.parametrize("content", [b"", b"\x1f", b"{"])
def test_files_too_short_to_tell_are_plain(content):
    assert b"".join(decompressed([content])) == content


@pytest.mark.parametrize("size", [1, 64, 1 << 20])
def test_members_of_a_gzip_file_are_joined_and_padding_is_dropped(size):
    file = gzip.compress(TEXT) + gzip.compress(b"") + gzip.compress(b"end\n") + bytes(512)
    assert b"".join(decompressed(cut(file, size))) == TEXT + b"end\n"


@pytest.mark.parametrize("kept", [3, 10, 200, -9, -1])
def test_a_truncated_gzip_file_is_refused(kept):
    with pytest.raises(UnreadableFile) as caught:
        list(decompressed([gzip.compress(TEXT)[:kept]]))
    assert caught.value.reason == "truncated-gzip"


def test_a_second_member_cut_off_is_refused():
    with pytest.raises(UnreadableFile, match="too early"):
        list(decompressed([gzip.compress(TEXT) + gzip.compress(TEXT)[:-3]]))


@pytest.mark.parametrize("place", [50, -6])
def test_changed_bytes_of_a_gzip_file_are_found(place):
    file = bytearray(gzip.compress(TEXT))
    file[place] ^= 0xFF
    with pytest.raises(UnreadableFile) as caught:
        list(decompressed([bytes(file)]))
    assert caught.value.reason == "corrupt-gzip"


@pytest.mark.parametrize("rest", [b"garbage", bytes(10) + b"garbage"])
def test_nothing_else_may_follow_the_gzip_data(rest):
    with pytest.raises(UnreadableFile) as caught:
        list(decompressed(cut(gzip.compress(TEXT) + rest, 5)))
    assert caught.value.reason == "corrupt-gzip"


def test_a_gzip_bomb_is_stopped_by_its_ratio_at_flat_memory():
    blocks = list(bomb(40))
    decoded = 0
    tracemalloc.start()
    try:
        with pytest.raises(DecompressionLimit) as caught:
            for block in decompressed(blocks):
                decoded += len(block)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert caught.value.reason == "ratio"
    assert caught.value.status == 413
    assert decoded <= Limits().ratio_from
    assert peak < 4 * MIB


def test_a_gzip_file_in_a_gzip_file_is_not_unpacked():
    inner = gzip.compress(TEXT)
    assert b"".join(decompressed([gzip.compress(inner)])) == inner


@pytest.mark.parametrize("pack", [gzip.compress, bytes])
def test_the_decoded_size_is_limited_compressed_or_not(pack):
    with pytest.raises(DecompressionLimit) as caught:
        list(decompressed(cut(pack(TEXT), 4096), Limits(decoded_bytes=len(TEXT) - 1)))
    assert caught.value.reason == "decoded-size"
    assert b"".join(decompressed(cut(pack(TEXT), 4096), Limits(decoded_bytes=len(TEXT)))) == TEXT


def test_output_blocks_are_bounded():
    assert max(len(block) for block in decompressed([gzip.compress(bytes(8 * MIB))])) <= OUTPUT_BYTES
