"""Processes that an earlier supervisor left behind, found by the ids it wrote down."""

import os
import signal
import subprocess
import time
from pathlib import Path
from typing import Final

from vaultsite.runtime.home import Home, write_private

PATIENCE_SECONDS: Final = 10.0


def remember(home: Home, name: str, pid: int) -> None:
    """Write down that process ``pid`` serves as ``name``, with its start time: ids are used again, times are not."""
    write_private(home.run / f"{name}.pid", f"{pid} {_started(pid)}\n")


def forget(home: Home, name: str) -> None:
    (home.run / f"{name}.pid").unlink(missing_ok=True)


def end_leftovers(home: Home) -> list[str]:
    """End what an earlier supervisor of this VAULT_HOME left running, with its process group; return the names."""
    left = {path: pid for path in home.run.glob("*.pid") if (pid := _living(path)) is not None}
    for path, pid in left.items():
        _signal(pid, signal.SIGINT if path.stem == "postgres" else signal.SIGTERM)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while any(_living(path) for path in left) and time.monotonic() < deadline:
        time.sleep(0.05)
    for path, pid in left.items():
        _signal_group(pid)
        while _living(path):
            time.sleep(0.02)
    for path in home.run.glob("*.pid"):
        path.unlink()
    return sorted(path.stem for path in left)


def end_group(pid: int) -> None:
    """Kill what is left of the process group that a dead process led: a killed server leaves its workers behind."""
    _signal_group(pid)


def _living(path: Path) -> int | None:
    try:
        pid, _, started = path.read_text(encoding="ascii").strip().partition(" ")
        return int(pid) if started and started == _started(int(pid)) else None
    except (FileNotFoundError, ValueError):
        return None


def _started(pid: int) -> str:
    """When the process started, as the system tells it; empty when there is none (or only its corpse)."""
    try:
        # The name, which may hold anything, ends at the last parenthesis; field 3 is the state, field 22 the start.
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except FileNotFoundError:
        if Path("/proc/self/stat").exists():
            return ""
        command = ["/bin/ps", "-o", "lstart=", "-p", str(pid)]
        found = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        return "_".join(found.stdout.split())
    return "" if fields[0] in "ZX" else fields[19]


def _signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _signal_group(pid: int) -> None:
    try:
        os.killpg(pid, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):  # macOS answers EPERM for a group of corpses
        return
