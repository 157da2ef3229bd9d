import os
import stat
from pathlib import Path

import pytest

from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import LONGEST_SOCKET_NAME, SOCKET_PATH_LIMIT, locked_at_once, open_home, write_private


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_home_can_be_passed_through_and_nothing_below_it_can_be_entered(tmp_path):
    home = open_home(tmp_path / "home")
    assert mode(home.path) == 0o711
    assert {mode(path) for path in home.path.rglob("*") if path.is_dir()} == {0o700}


def test_a_home_that_was_opened_wide_is_closed_again(tmp_path):
    home = open_home(tmp_path / "home")
    home.secrets.chmod(0o755)
    home.path.chmod(0o777)
    open_home(home.path)
    assert (mode(home.path), mode(home.secrets)) == (0o711, 0o700)


def test_the_home_of_somebody_else_is_refused(tmp_path):
    if os.geteuid() == 0:
        path = tmp_path / "theirs"
        path.mkdir()
        os.chown(path, 12345, 12345)
    else:
        path = Path("/")
    with pytest.raises(StartError, match="belongs to user id"):
        open_home(path)


def test_a_long_home_has_its_sockets_in_a_private_short_folder_and_finds_them_again(tmp_path):
    long = tmp_path / ("x" * 120)
    home = open_home(long)
    sockets = home.socket_dir()
    assert len(os.fsencode(sockets / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT
    assert mode(sockets) == 0o700
    assert open_home(long).socket_dir() == sockets
    sockets.rmdir()


def test_a_socket_folder_that_others_may_enter_is_not_used_again(tmp_path):
    home = open_home(tmp_path / ("x" * 120))
    planted = home.socket_dir()
    planted.chmod(0o777)
    sockets = open_home(home.path).socket_dir()
    assert sockets != planted
    planted.rmdir()
    sockets.rmdir()


def test_private_files_are_private_whatever_the_umask(tmp_path):
    before = os.umask(0)
    try:
        write_private(tmp_path / "secret", "first")
        write_private(tmp_path / "secret", "second")
    finally:
        os.umask(before)
    assert mode(tmp_path / "secret") == 0o600
    assert (tmp_path / "secret").read_text() == "second"
    assert list(tmp_path.iterdir()) == [tmp_path / "secret"]


def test_a_lock_is_held_once(tmp_path):
    with locked_at_once(tmp_path / "lock") as first, locked_at_once(tmp_path / "lock") as second:
        assert (first, second) == (True, False)
    with locked_at_once(tmp_path / "lock") as third:
        assert third
