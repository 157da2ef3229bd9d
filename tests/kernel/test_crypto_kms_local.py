import json
import stat
import subprocess
import sys
from contextlib import contextmanager

import pytest

from vaultsite.kernel.crypto.kms.local import LocalKMS
from vaultsite.kernel.errors import IntegrityFailure, KeyUnavailable

KEY = bytes(range(32))


@pytest.fixture
def directory(tmp_path):
    return tmp_path / "home" / "kms"


def test_rotating_keeps_old_wrappings_readable(directory):
    kms = LocalKMS(directory)
    wrapped = []
    for version in range(1, 5):
        assert kms.describe().key_version == str(version)
        wrapped.append(kms.wrap(KEY, b"c"))
        kms.rotate()
    restarted = LocalKMS(directory)
    assert [restarted.unwrap(item, b"c") for item in wrapped] == [KEY] * 4


def test_another_process_sees_a_rotation_without_a_restart(directory):
    first, second = LocalKMS(directory), LocalKMS(directory)
    second.unwrap(first.wrap(KEY, b"c"), b"c")
    first.rotate()
    assert second.unwrap(first.wrap(KEY, b"c"), b"c") == KEY
    assert second.describe() == first.describe()


def test_keys_are_readable_by_their_owner_alone(directory):
    LocalKMS(directory).rotate()
    assert stat.S_IMODE(directory.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in directory.iterdir()} == {0o600}
    assert sorted(path.name for path in directory.iterdir()) == ["v000001.json", "v000002.json"]


def test_a_key_file_others_may_read_is_refused(directory):
    LocalKMS(directory).describe()
    (directory / "v000001.json").chmod(0o640)
    with pytest.raises(KeyUnavailable, match="read by others"):
        LocalKMS(directory).wrap(KEY, b"c")


def test_a_directory_others_may_write_is_refused(directory):
    directory.mkdir(parents=True)
    directory.chmod(0o777)
    with pytest.raises(KeyUnavailable, match="write"):
        LocalKMS(directory).describe()


def _damage(path, change):
    members = json.loads(path.read_bytes())
    change(members)
    path.write_text(json.dumps(members))


@pytest.mark.parametrize(
    "change",
    [
        lambda members: members.update(key="A" + members["key"][1:] if members["key"][0] != "A" else "B" * 43 + "="),
        lambda members: members.update(key=members["key"][:-4]),
        lambda members: members.update(key="not base64 at all!"),
        lambda members: members.update(id="00000000-0000-7000-8000-000000000000"),
        lambda members: members.update(check="zz"),
        lambda members: members.pop("key"),
        lambda members: members.clear(),
    ],
    ids=["other key", "short key", "no base64", "other id", "no hex", "no key", "empty"],
)
def test_a_damaged_key_file_never_wraps(directory, change):
    LocalKMS(directory).describe()
    _damage(directory / "v000001.json", change)
    with pytest.raises(KeyUnavailable, match="damaged"):
        LocalKMS(directory).wrap(KEY, b"c")


@pytest.mark.parametrize("content", [b"", b"[]", b"\xff", b'"'])
def test_a_key_file_that_is_no_object_never_wraps(directory, content):
    LocalKMS(directory).describe()
    (directory / "v000001.json").write_bytes(content)
    with pytest.raises(KeyUnavailable, match="damaged"):
        LocalKMS(directory).wrap(KEY, b"c")


def test_a_lost_key_version_is_unavailable_not_replaced(directory):
    kms = LocalKMS(directory)
    wrapped = kms.wrap(KEY, b"c")
    kms.rotate()
    (directory / "v000001.json").unlink()
    with pytest.raises(KeyUnavailable):
        LocalKMS(directory).unwrap(wrapped, b"c")


def test_another_directory_cannot_unwrap(directory, tmp_path):
    wrapped = LocalKMS(directory).wrap(KEY, b"c")
    with pytest.raises((KeyUnavailable, IntegrityFailure)):
        LocalKMS(tmp_path / "other").unwrap(wrapped, b"c")


def test_a_directory_that_cannot_be_made_makes_keys_unavailable(tmp_path):
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(KeyUnavailable):
        LocalKMS(tmp_path / "file" / "kms").wrap(KEY, b"c")


def test_left_over_temporary_files_are_no_keys(directory):
    kms = LocalKMS(directory)
    kms.describe()
    (directory / ".0011.tmp").write_text("half a key")
    assert LocalKMS(directory).describe() == kms.describe()


#: Says that it is there, then starts a KMS in each directory it is told and says its key and what it wraps.
STARTS = f"""
import sys
from vaultsite.kernel.crypto.kms.local import LocalKMS
print(flush=True)
for directory in sys.stdin:
    kms = LocalKMS(directory.rstrip())
    print(kms.describe().key_id, kms.wrap(bytes.fromhex("{KEY.hex()}"), b"c").hex(), flush=True)
"""


@contextmanager
def starters(count):
    """Programs that start a KMS when they are told, and are there already."""
    command = [sys.executable, "-c", STARTS]
    programs = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(count)
    ]
    try:
        assert [program.stdout.readline() for program in programs] == ["\n"] * count
        yield programs
    finally:
        for program in programs:
            program.kill()
            program.communicate()


def test_processes_that_start_at_once_agree_on_one_key(tmp_path):
    with starters(6) as programs:
        for directory in [tmp_path / f"home{attempt}" / "kms" for attempt in range(5)]:
            for program in programs:
                program.stdin.write(f"{directory}\n")
                program.stdin.flush()
            results = [program.stdout.readline().split() for program in programs]
            assert len({key_id for key_id, _ in results}) == 1
            assert [path.name for path in directory.iterdir()] == ["v000001.json"]
            assert {LocalKMS(directory).unwrap(bytes.fromhex(wrapped), b"c") for _, wrapped in results} == {KEY}


def test_rotating_twice_at_once_loses_nothing(directory):
    first, second = LocalKMS(directory), LocalKMS(directory)
    wrapped = [kms.wrap(KEY, b"c") for kms in (first, second) if kms.rotate()]
    assert [LocalKMS(directory).unwrap(item, b"c") for item in wrapped] == [KEY, KEY]
