"""One call in a process of its own, which dies before a statement: ``killed`` starts it; as a program, it is that one.

A fork would not do: a child of multiprocessing closes what the runner has open to the broker, as kombu asks, and may
wait for ever for an answer that the runner reads.
"""

import os
import pickle
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import django

from tests.journeys.statements import dies_before, watch_statements
from vaultsite.runtime.environment import PROJECT


def killed(once: Path, words: tuple[str, ...], work: Callable[..., object], *arguments: Any) -> None:
    """Call ``work``, a function of a module, where the process is killed before the statement that holds the words."""
    environ = dict(os.environ) | {"DJANGO_SETTINGS_MODULE": "vaultsite.settings"} | dies_before(once, *words)
    command = [sys.executable, "-m", "tests.journeys.dying_call"]
    ended = subprocess.run(command, check=False, cwd=PROJECT, env=environ, input=pickle.dumps((work, arguments)))
    assert (once.exists(), ended.returncode) == (True, -signal.SIGKILL)


if __name__ == "__main__":
    django.setup()
    watch_statements(os.environ)
    call, given = pickle.load(sys.stdin.buffer)
    call(*given)
