import bz2
import gzip
import io
import lzma
import tarfile
import tracemalloc
import zipfile
import zlib
from contextlib import suppress

import pytest
import zstandard
from hypothesis import given, settings
from hypothesis import strategies as st

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


@pytest.mark.parametrize("outer", [gzip.compress, zstandard.compress])
@pytest.mark.parametrize("inner", [gzip.compress, zstandard.compress])
def test_what_is_compressed_twice_is_refused(outer, inner):
    with pytest.raises(UnreadableFile) as caught:
        list(decompressed([outer(inner(TEXT))]))
    assert caught.value.reason == "nested-compression"


def archives():
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as file:
        file.writestr("../../etc/cron.d/x", b"{}")
    yield "zip", packed.getvalue()
    tape = io.BytesIO()
    with tarfile.open(fileobj=tape, mode="w") as file:
        link = tarfile.TarInfo("records.jsonl")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        file.addfile(link)
    yield "tar", tape.getvalue()
    yield "empty zip", b"PK\x05\x06" + bytes(18)
    yield "xz", lzma.compress(TEXT)
    yield "bzip2", bz2.compress(TEXT)
    yield "7z", b"7z\xbc\xaf\x27\x1c" + bytes(40)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
@pytest.mark.parametrize(("name", "file"), list(archives()), ids=lambda value: value if isinstance(value, str) else "")
def test_archives_and_other_compressions_are_never_opened(name, file, pack):
    with pytest.raises(UnreadableFile) as caught:
        list(decompressed(cut(pack(file), 7)))
    assert caught.value.reason == "archive"


@pytest.mark.parametrize("size", [1, 3, 1000, 1 << 20])
def test_zstd_is_known_by_its_first_bytes_whatever_the_blocks(size):
    assert b"".join(decompressed(cut(zstandard.compress(TEXT), size))) == TEXT


@pytest.mark.parametrize("size", [1, 64, 1 << 20])
def test_frames_of_a_zstd_file_are_joined_and_empty_ones_skipped(size):
    skippable = b"\x5a\x2a\x4d\x18\x03\x00\x00\x00xyz"
    file = skippable + zstandard.compress(TEXT) + zstandard.compress(b"") + skippable + zstandard.compress(b"end\n")
    assert b"".join(decompressed(cut(file, size))) == TEXT + b"end\n"


@pytest.mark.parametrize("kept", [4, 10, 200, -9, -1])
def test_a_truncated_zstd_file_is_refused(kept):
    with pytest.raises(UnreadableFile) as caught:
        list(decompressed([zstandard.compress(TEXT)[:kept]]))
    assert caught.value.reason == "truncated-zstd"


@pytest.mark.parametrize(
    "file", [zstandard.compress(TEXT) + b"garbage!", zstandard.MAGIC_NUMBER.to_bytes(4, "little") + b"\xff" * 40]
)
def test_zstd_data_that_is_none_is_found(file):
    with pytest.raises(UnreadableFile) as caught:
        list(decompressed([file]))
    assert caught.value.reason == "corrupt-zstd"


def test_a_zstd_window_too_long_for_this_house_is_refused():
    wide = zstandard.ZstdCompressionParameters(window_log=26, compression_level=1, enable_ldm=True)
    packer = zstandard.ZstdCompressor(compression_params=wide).compressobj()
    file = packer.compress(TEXT) + packer.flush()
    with pytest.raises(DecompressionLimit) as caught:
        list(decompressed([file]))
    assert caught.value.reason == "window"


@pytest.mark.parametrize("level", [1, 19])
def test_usual_zstd_levels_pass(level):
    assert b"".join(decompressed([zstandard.ZstdCompressor(level=level).compress(TEXT)])) == TEXT


def test_a_zstd_bomb_is_stopped_by_its_ratio_at_flat_memory():
    file = zstandard.compress(bytes(400 * MIB))
    tracemalloc.start()
    try:
        with pytest.raises(DecompressionLimit) as caught:
            for _ in decompressed([file]):
                pass
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert (caught.value.reason, caught.value.status) == ("ratio", 413)
    assert peak < 24 * MIB


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=2000), st.integers(1, 500), st.integers(0, 60), st.integers(0, 255))
def test_damage_never_ends_in_another_error_or_other_data(text, size, place, flip):
    for pack in (gzip.compress, zstandard.ZstdCompressor(write_checksum=True).compress):
        file = bytearray(pack(text))
        file[place % len(file)] ^= flip
        decoded = text
        with suppress(UnreadableFile, DecompressionLimit):
            decoded = b"".join(decompressed(cut(bytes(file), size)))
        assert decoded == text or bytes(file[:4]) != pack(text)[:4]


@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress, bytes])
def test_the_decoded_size_is_limited_compressed_or_not(pack):
    with pytest.raises(DecompressionLimit) as caught:
        list(decompressed(cut(pack(TEXT), 4096), Limits(decoded_bytes=len(TEXT) - 1)))
    assert caught.value.reason == "decoded-size"
    assert b"".join(decompressed(cut(pack(TEXT), 4096), Limits(decoded_bytes=len(TEXT)))) == TEXT


def test_output_blocks_are_bounded():
    assert max(len(block) for block in decompressed([gzip.compress(bytes(8 * MIB))])) <= OUTPUT_BYTES
