import errno
import os
import resource
import signal
import stat
import time

import pytest
from django.core.files.storage import InMemoryStorage

from tests.faults import FaultyStorage
from tests.forks import ending_of, fork
from vaultsite.kernel.blobs import BlobStore, new_blob_name
from vaultsite.kernel.blobs.filesystem import AtomicFileSystemStorage
from vaultsite.kernel.blobs.names import is_blob_name
from vaultsite.kernel.errors import BlobMissing, StorageFull, StorageUnavailable

NAME = "pack/ab/" + "ab" * 16

STORAGES = {
    "filesystem": lambda path: AtomicFileSystemStorage(location=str(path / "blobs")),
    "memory": lambda path: InMemoryStorage(location=str(path)),
}


@pytest.fixture(params=STORAGES)
def store(request, tmp_path):
    return BlobStore(STORAGES[request.param](tmp_path))


@pytest.fixture
def files(tmp_path):
    return AtomicFileSystemStorage(location=str(tmp_path / "blobs"))


def _left(tmp_path):
    return [path for path in (tmp_path / "blobs").rglob("*") if path.is_file()]


# Names


def test_names_are_random_and_well_shaped():
    names = {new_blob_name("pack") for _ in range(1000)}
    assert len(names) == 1000
    assert all(is_blob_name(name) and name.startswith("pack/") for name in names)


@pytest.mark.parametrize("kind", ["", "Pack", "pack/..", "../pack", "päck", "pack\n", "-pack", "p" * 32, "pack1"])
def test_a_kind_is_a_short_word(kind):
    with pytest.raises(ValueError, match="kind"):
        new_blob_name(kind)


UGLY_NAMES = [
    "",
    "/" + NAME,
    NAME + "/",
    NAME + "\n",
    NAME + "\0",
    NAME.upper(),
    "../" + NAME,
    "pack/../" + NAME,
    "pack/ab/../../etc/passwd",
    "pack/%2e%2e/" + "ab" * 16,
    "pack\\ab\\" + "ab" * 16,
    "pack/cd/" + "ab" * 16,
    NAME + "ab",
    NAME[:-1],
    "pack/ab/." + "ab" * 16 + ".tmp",
    "pack/\N{FULLWIDTH LATIN SMALL LETTER A}b/" + "ab" * 16,
    "p" * 5000,
]


@pytest.mark.parametrize("name", UGLY_NAMES, ids=ascii)
@pytest.mark.parametrize(
    "use",
    [
        lambda store, name: store.put(name, b""),
        BlobStore.get,
        lambda store, name: store.get_range(name, 0, 1),
        BlobStore.delete,
        BlobStore.exists,
        BlobStore.size,
    ],
    ids=["put", "get", "get_range", "delete", "exists", "size"],
)
def test_a_name_we_did_not_generate_never_reaches_the_storage(tmp_path, use, name):
    storage = FaultyStorage(InMemoryStorage(location=str(tmp_path)))
    with pytest.raises(ValueError, match="name"):
        use(BlobStore(storage), name)


# Every storage


@pytest.mark.parametrize("size", [0, 1, 70_000, 3 << 20])
def test_what_is_put_is_got(store, size):
    name, data = new_blob_name("pack"), os.urandom(size)
    store.put(name, data)
    assert store.get(name) == data
    assert store.size(name) == size
    assert store.exists(name)


def test_a_range_is_a_slice(store):
    data = os.urandom(5000)
    store.put(NAME, data)
    for offset, length in ((0, 0), (0, 5000), (17, 1), (4999, 1), (1000, 3000), (5000, 0)):
        assert store.get_range(NAME, offset, length) == data[offset : offset + length]


@pytest.mark.parametrize(("offset", "length"), [(0, 11), (10, 1), (9, 2), (1000, 1)])
def test_a_range_the_blob_does_not_hold_is_missing(store, offset, length):
    store.put(NAME, b"0123456789")
    with pytest.raises(BlobMissing):
        store.get_range(NAME, offset, length)


@pytest.mark.parametrize(("offset", "length"), [(-1, 1), (0, -1)])
def test_a_negative_range_is_refused(store, offset, length):
    store.put(NAME, b"0123456789")
    with pytest.raises(ValueError, match="range"):
        store.get_range(NAME, offset, length)


def test_a_blob_is_written_once(store):
    store.put(NAME, b"first")
    with pytest.raises(FileExistsError):
        store.put(NAME, b"second")
    assert store.get(NAME) == b"first"
    assert store._storage.listdir("pack/ab") == ([], [NAME.rpartition("/")[2]])


def test_a_missing_blob_is_missing(store):
    assert not store.exists(NAME)
    for use in (store.get, store.size, lambda name: store.get_range(name, 0, 0)):
        with pytest.raises(BlobMissing):
            use(NAME)


def test_a_deleted_blob_is_gone_and_deleting_it_again_changes_nothing(store):
    store.put(NAME, b"data")
    store.delete(NAME)
    store.delete(NAME)
    assert not store.exists(NAME)
    assert list(store.names()) == []


def test_names_lists_by_prefix(store):
    packs = {new_blob_name("pack") for _ in range(30)}
    reports = {new_blob_name("report") for _ in range(5)}
    for name in packs | reports:
        store.put(name, b"x")
    assert set(store.names()) == packs | reports
    assert set(store.names("pack/")) == packs
    assert set(store.names("rep")) == reports
    some = min(packs)
    assert set(store.names(some[:7])) == {name for name in packs if name[:7] == some[:7]}
    assert list(store.names(some)) == [some]
    assert list(store.names("chunk/")) == []


def test_nothing_stored_yet_lists_nothing(store):
    assert list(store.names()) == []


# Faults


@pytest.mark.parametrize(
    ("error", "raised"),
    [
        (errno.ENOSPC, StorageFull),
        (errno.EDQUOT, StorageFull),
        (errno.EIO, StorageUnavailable),
        (errno.EACCES, StorageUnavailable),
        (errno.ETIMEDOUT, StorageUnavailable),
    ],
)
def test_a_failing_storage_is_named_by_what_it_failed_of(tmp_path, error, raised):
    store = BlobStore(FaultyStorage(InMemoryStorage(location=str(tmp_path)), error=error))
    for use in (lambda: store.put(NAME, b""), lambda: store.get(NAME), lambda: list(store.names())):
        with pytest.raises(raised):
            use()


def test_a_store_that_fails_now_and_then_holds_exactly_what_it_confirmed(files):
    store = BlobStore(FaultyStorage(files, rate=0.4, seed=11))
    confirmed, refused = {}, 0
    for number in range(100):
        name, data = new_blob_name("pack"), b"%d" % number
        try:
            store.put(name, data)
        except StorageUnavailable:
            refused += 1
        else:
            confirmed[name] = data
    sound = BlobStore(files)
    assert refused > 10
    assert {name: sound.get(name) for name in sound.names()} == confirmed


# Files


def test_files_and_folders_are_their_owners_alone(files, tmp_path):
    previous = os.umask(0)
    try:
        BlobStore(files).put(NAME, b"data")
    finally:
        os.umask(previous)
    assert stat.S_IMODE((tmp_path / "blobs" / NAME).stat().st_mode) == 0o600
    folders = [path for path in (tmp_path / "blobs").rglob("*") if path.is_dir()]
    assert {stat.S_IMODE(path.stat().st_mode) for path in [tmp_path / "blobs", *folders]} == {0o700}


def test_a_file_has_its_name_only_after_it_is_whole_and_on_disk(files, monkeypatch, tmp_path):
    """fsync of the content, then the name, then fsync of the folder, in this order."""
    steps, fsync = [], os.fsync

    def watch(descriptor):
        is_folder = stat.S_ISDIR(os.fstat(descriptor).st_mode)
        has_name = (tmp_path / "blobs" / NAME).exists()
        steps.append(
            ("folder" if is_folder else "file", os.fstat(descriptor).st_size if not is_folder else 0, has_name)
        )
        fsync(descriptor)

    BlobStore(files).put("pack/ab/ab" + "00" * 15, b"so that the folder is there")
    monkeypatch.setattr(os, "fsync", watch)
    BlobStore(files).put(NAME, b"x" * 100_000)
    assert steps == [("file", 100_000, False), ("folder", 0, True)]


@pytest.mark.parametrize("failing_call", [1, 2])
@pytest.mark.parametrize(
    "fault", [(errno.ENOSPC, StorageFull), (errno.EIO, StorageUnavailable)], ids=["full", "broken"]
)
def test_a_failed_fsync_leaves_nothing(files, monkeypatch, tmp_path, failing_call, fault):
    error, raised = fault
    BlobStore(files).put("pack/ab/ab" + "00" * 15, b"so that the folder is there")
    before, calls, fsync = _left(tmp_path), [], os.fsync

    def fail(descriptor):
        calls.append(descriptor)
        if len(calls) == failing_call:
            raise OSError(error, os.strerror(error))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(raised):
        BlobStore(files).put(NAME, b"data")
    assert _left(tmp_path) == before
    monkeypatch.undo()
    BlobStore(files).put(NAME, b"data")
    assert BlobStore(files).get(NAME) == b"data"


def test_a_write_the_kernel_cuts_short_leaves_nothing(files, tmp_path):
    """A real refusal by the kernel in the middle of a write: the limit on file sizes."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    ignored = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, limits[1]))
    try:
        with pytest.raises(StorageFull):
            BlobStore(files).put(NAME, bytes(3 << 20))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert _left(tmp_path) == []


def test_a_writer_killed_in_the_middle_leaves_only_a_temporary_file(files, tmp_path):
    store = BlobStore(files)
    (tmp_path / "blobs/pack/ab").mkdir(parents=True)

    def die_before_the_first_fsync():
        os.fsync = lambda _descriptor: os.kill(os.getpid(), signal.SIGKILL)
        store.put(NAME, b"never whole")

    assert ending_of(fork(die_before_the_first_fsync)) == -signal.SIGKILL
    assert not store.exists(NAME)
    assert list(store.names()) == []
    (leftover,) = _left(tmp_path)
    assert files.remove_stale_temporaries() == 0
    os.utime(leftover, (time.time() - 90_000,) * 2)
    store.put(NAME, b"data")
    assert files.remove_stale_temporaries() == 1
    assert list(store.names()) == [NAME]


def test_a_storage_whose_place_is_taken_by_a_file_is_unavailable(tmp_path):
    (tmp_path / "blobs").write_text("in the way")
    store = BlobStore(AtomicFileSystemStorage(location=str(tmp_path / "blobs")))
    with pytest.raises(StorageUnavailable):
        store.put(NAME, b"data")
