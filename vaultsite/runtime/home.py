"""VAULT_HOME: the one folder that holds everything an embedded vault keeps, and who may look into it."""

import fcntl
import os
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from vaultsite.runtime.errors import StartError

#: sockaddr_un.sun_path holds 108 bytes on Linux and 104 on the BSDs, with the closing NUL.
SOCKET_PATH_LIMIT: Final = 103
#: The longest name that one of our servers makes in the socket folder.
LONGEST_SOCKET_NAME: Final = "postgres/.s.PGSQL.5432.lock"


@dataclass(frozen=True)
class Home:
    """The paths below one VAULT_HOME. The folder itself is 0711, everything below 0700 or 0600."""

    path: Path

    @property
    def cluster(self) -> Path:
        """The PostgreSQL data directory."""
        return self.path / "postgres"

    @property
    def redis(self) -> Path:
        return self.path / "redis"

    @property
    def log(self) -> Path:
        return self.path / "log"

    @property
    def run(self) -> Path:
        """What concerns the running instance alone: locks, process ids, sockets."""
        return self.path / "run"

    @property
    def secrets(self) -> Path:
        return self.path / "secrets"

    @property
    def credentials(self) -> Path:
        """The logins of the demo tenants, written by ``seed_demo``."""
        return self.path / "credentials"

    def socket_dir(self) -> Path:
        """The folder of the unix sockets; in the temp folder when VAULT_HOME is too long for a socket path."""
        own = self.run / "sockets"
        if _fits(own):
            return own
        remembered = self.run / "socket_dir"
        if remembered.exists():
            return Path(remembered.read_text(encoding="utf-8").strip())
        return own


def open_home(path: str | os.PathLike[str]) -> Home:
    """Make VAULT_HOME and its folders, or check that an existing one is ours; raise StartError if it is not."""
    home = Home(Path(path).absolute())
    home.path.mkdir(parents=True, exist_ok=True)
    owner, user = home.path.stat().st_uid, os.geteuid()
    if owner != user:
        message = (
            f"VAULT_HOME {home.path} belongs to user id {owner}, not to {user}: choose another or change its owner"
        )
        raise StartError(message)
    home.path.chmod(0o711)
    for folder in (home.log, home.run, home.secrets, home.redis):
        make_private(folder)
    _make_socket_dir(home)
    return home


def make_private(folder: Path) -> None:
    """Make ``folder`` if it is missing, for its owner alone (0700)."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)


def write_private(path: Path, text: str) -> None:
    """Replace ``path`` by ``text`` in one step, readable by its owner alone (0600) from the first moment."""
    descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")  # mkstemp makes it 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    Path(name).replace(path)


@contextmanager
def locked(path: Path, *, shared: bool = False) -> Iterator[None]:
    """Hold an advisory lock on ``path``, waiting for it; it ends with the process, however that ends."""
    with _lock_file(path) as descriptor:
        fcntl.flock(descriptor, fcntl.LOCK_SH if shared else fcntl.LOCK_EX)
        yield


@contextmanager
def locked_at_once(path: Path, *, patience_seconds: float = 0) -> Iterator[bool]:
    """Hold an exclusive lock on ``path`` if no other holds one, or lets go of it in time; yield whether it is held."""
    deadline = time.monotonic() + patience_seconds
    with _lock_file(path) as descriptor:
        while not (is_held := _try_lock(descriptor)) and time.monotonic() < deadline:
            time.sleep(0.02)
        yield is_held


def _try_lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


@contextmanager
def _lock_file(path: Path) -> Iterator[int]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _make_socket_dir(home: Home) -> None:
    folder = home.socket_dir()
    if _fits(folder):
        if folder.parent == home.run:
            make_private(folder)
            return
        if _is_private(folder):
            return
    for parent in (tempfile.gettempdir(), "/tmp"):  # noqa: S108 - mkdtemp makes a private folder there
        folder = Path(tempfile.mkdtemp(prefix="vault-", dir=parent))
        if _fits(folder):
            write_private(home.run / "socket_dir", f"{folder}\n")
            return
        folder.rmdir()
    message = f"no folder is short enough for a unix socket: tried {home.run} and the temp folder"
    raise StartError(message)


def _fits(folder: Path) -> bool:
    return len(os.fsencode(folder / LONGEST_SOCKET_NAME)) <= SOCKET_PATH_LIMIT


def _is_private(folder: Path) -> bool:
    """Whether ``folder`` is a real folder of ours that nobody else may enter: the temp folder is open to all."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISDIR(status.st_mode) and status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == 0o700  # noqa: PLR2004
