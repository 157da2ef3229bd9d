"""Parquet files that are small on disk and huge when decoded: refused, at bounded memory here and in the child."""

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

pa = pytest.importorskip("pyarrow", reason="the parquet extra is not installed")

import pyarrow.parquet as pq  # noqa: E402 - after the skip

from datasets.errors import DecompressionLimit, UnreadableFile  # noqa: E402
from datasets.formats.decompress import Limits  # noqa: E402
from datasets.formats.parquet import wire  # noqa: E402
from datasets.formats.parquet.connection import GONE, Child  # noqa: E402
from datasets.formats.parquet.reader import read_parquet  # noqa: E402
from datasets.formats.parquet.wire import Bounds  # noqa: E402
from tests.datasets.formats.parquet_files import InMemory, packed  # noqa: E402

MIB = 1024 * 1024
SMALL = Limits(ratio=8, ratio_from=4 * MIB)


def children():
    """The ids of child processes that read Parquet."""
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            try:
                line = (process / "cmdline").read_bytes()
                parent = int((process / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
            if parent == os.getpid() and b"datasets.formats.parquet" in line:
                yield int(process.name)


def peak_mb(pid):
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmHWM"):
            return int(line.split()[1]) / 1024
    return 0.0


class Watched(InMemory):
    """Notes the child's greatest memory whenever it asks for something."""

    peak = 0.0
    due = 0.0

    def read_at(self, offset, length):
        self.look()
        return super().read_at(offset, length)

    def look(self):
        """Ten times a second at most: it reads all of /proc."""
        if time.monotonic() >= self.due:
            self.peak = max([self.peak, *map(peak_mb, children())])
            self.due = time.monotonic() + 0.1


def refused(content, **options):
    file = Watched(content)
    count = 0
    with pytest.raises((DecompressionLimit, UnreadableFile)) as caught:
        for _ in read_parquet(file, **options):
            count += 1
            file.look()
    assert not list(children())
    return caught.value, file, count


def dictionary_bomb(megabytes, rows):
    """One long value, and a row index that repeats it: rows x megabytes logical in one time as many bytes."""
    indices = pa.array([0] * rows, pa.int32())
    value = pa.DictionaryArray.from_arrays(indices, pa.array(["x" * (megabytes * MIB)]))
    return packed({"text": value}, compression="none", store_schema=False)


def test_a_dictionary_bomb_of_five_megabytes_and_fifty_gigabytes_is_stopped():
    bomb = dictionary_bomb(5, 10_000)
    facts = pq.ParquetFile(io.BytesIO(bomb)).metadata.row_group(0)
    assert facts.total_byte_size < 6 * MIB  # the footer says nothing of it
    error, file, count = refused(bomb, limits=SMALL)
    assert (type(error), error.reason, error.status) == (DecompressionLimit, "ratio", 413)
    assert count <= 8
    assert error.line is None or error.line > 0
    assert 0 < file.peak < 900


def test_values_that_do_not_fit_the_childs_memory_end_it_and_not_the_worker():
    error, file, _ = refused(dictionary_bomb(100, 3), bounds=Bounds(memory=400 * MIB))
    assert type(error) is DecompressionLimit
    assert file.peak < 400
    assert [row.data for row in read_parquet(InMemory(packed({"n": [1]})))] == [{"n": 1}]


def test_a_page_that_decompresses_to_more_than_the_memory_is_refused():
    bomb = packed({"text": ["x" * (300 * MIB)]}, compression="zstd", use_dictionary=False)
    assert len(bomb) < MIB
    error, file, _ = refused(bomb, bounds=Bounds(memory=500 * MIB))
    assert (type(error), error.reason) == (DecompressionLimit, "memory")
    assert file.peak < 500


def test_a_million_rows_of_nothing_are_stopped_by_what_they_decode_to():
    bomb = packed({"a": pa.nulls(3_000_000, pa.int8()), "b": pa.nulls(3_000_000, pa.string())})
    assert len(bomb) < 20_000
    error, file, count = refused(bomb, limits=SMALL)
    assert (error.reason, count < 400_000) == ("ratio", True)
    assert file.peak < 400


def test_one_huge_row_group_is_read_in_batches():
    file = Watched(
        packed(
            {"text": [f"{n:0220d}" for n in range(200_000)]},
            row_group_size=200_000,
            compression="none",
            use_dictionary=False,
        )
    )
    assert file.size > 40 * MIB
    count = 0
    for _ in read_parquet(file):
        count += 1
        file.look()
    assert count == 200_000
    assert file.peak < 200


@pytest.mark.parametrize(("claim", "places"), [(1001, -1), (2_000_000_000, -1), (0, 1), (999, 1), (1001, 1)], ids=str)
def test_a_footer_that_names_another_number_of_rows_is_found(claim, places):
    file = packed({"n": list(range(1000))}, compression="none", store_schema=False)
    head, foot = file[: -footer_bytes(file)], file[-footer_bytes(file) :]
    assert foot.count(encoded_rows(1000)) > 1
    error, _, _ = refused(head + rewritten(foot, encoded_rows(1000), encoded_rows(claim), places))
    assert (type(error), error.reason) == (UnreadableFile, "lying-footer")


def footer_bytes(file):
    return int.from_bytes(file[-8:-4], "little") + 8


def encoded_rows(count):
    """A positive i64 as thrift's compact protocol writes it: zigzag, seven bits a byte."""
    value, out = count << 1, bytearray()
    while True:
        out.append((value & 0x7F) | (0x80 if value > 0x7F else 0))
        value >>= 7
        if not value:
            return bytes(out)


def rewritten(foot, before, after, places):
    body = foot[:-8].replace(before, after, places)
    return body + len(body).to_bytes(4, "little") + b"PAR1"


def test_a_child_that_never_answers_is_ended():
    process = subprocess.Popen(
        [sys.executable, "-I", "-c", "import time; time.sleep(60)"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    started = time.monotonic()
    with Child(process, silence_seconds=0.5) as child:
        child.tell(wire.READ, bytes(8 * MIB))  # more than a pipe takes
        assert child.hear() == (GONE, b"")
        assert child.exit_code() is None
    assert time.monotonic() - started < 20
    assert process.returncode == -signal.SIGKILL


@pytest.mark.parametrize(
    "words",
    [
        b"",
        b"L",
        b"L\xff\xff\xff\xff",
        b"L\x00\x00\x00\x09short",
        wire.HEADER.pack(b"F", 3) + b"{}}",
        wire.HEADER.pack(b"?", 0),
    ],
)
def test_whatever_a_child_says_it_is_an_error_and_no_crash(words, monkeypatch):
    program = f"import sys; sys.stdout.buffer.write({words!r})"
    monkeypatch.setattr("datasets.formats.parquet.reader._PROGRAM", program)
    with pytest.raises(UnreadableFile) as caught:
        list(read_parquet(InMemory(packed({"n": [1]}))))
    assert caught.value.reason == "damaged"


def test_the_child_has_none_of_the_workers_environment_and_no_file_to_write(monkeypatch):
    monkeypatch.setenv("VAULT_TEST_SECRET", "do not pass on")
    seen = []

    class Looking(InMemory):
        def read_at(self, offset, length):
            for pid in children():
                seen.append(Path(f"/proc/{pid}/environ").read_bytes())
                seen.append(Path(f"/proc/{pid}/limits").read_text())
            return super().read_at(offset, length)

    list(read_parquet(Looking(packed({"n": [1]}))))
    environment, limits = seen[0], seen[1]
    assert b"do not pass on" not in environment
    assert "Max file size             0" in limits
    assert f"Max address space         {Bounds().memory}" in limits
