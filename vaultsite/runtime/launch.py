"""Become another program: drop root, leave no core dumps, and end when the process that started us ends.

Run as a script (``python -I launch.py --signal TERM --parent 4711 -- command ..``), so that between fork and exec no
Python code runs in the parent's image. Uses the standard library alone and starts in about 15 ms.
"""

import argparse
import ctypes
import os
import resource
import signal
import sys
from typing import Final

PR_SET_PDEATHSIG: Final = 1  # linux/prctl.h


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--signal", default="TERM", help="sent to the program when its parent dies")
    parser.add_argument("--parent", type=int, help="process id of the parent; without it the program outlives us")
    parser.add_argument("--user", type=int, help="numeric user and group id to become; needs no passwd entry")
    parser.add_argument("command", nargs="+")
    chosen = parser.parse_args()

    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # a core dump is plaintext on disk
    os.umask(0o077)
    if chosen.user is not None:
        os.setgroups([])
        os.setgid(chosen.user)
        os.setuid(chosen.user)
    if chosen.parent is not None:
        die_with_parent(chosen.parent, signal.Signals[f"SIG{chosen.signal}"])
    os.execvp(chosen.command[0], chosen.command)  # noqa: S606 - no shell is wanted


def die_with_parent(parent: int, death_signal: signal.Signals) -> None:
    """Have the kernel send ``death_signal`` when the parent dies (Linux; elsewhere the next start cleans up).

    A change of user clears the setting, so it comes after it; a parent that died before it is found by its id.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, death_signal.value, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(1)


if __name__ == "__main__":
    main()
