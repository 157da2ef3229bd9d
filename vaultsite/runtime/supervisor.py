"""A small supervisor: starts services in order, restarts what dies, ends everything in reverse order."""

import os
import selectors
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from types import FrameType
from typing import Final

from vaultsite.runtime.console import Console
from vaultsite.runtime.errors import StartError
from vaultsite.runtime.home import Home
from vaultsite.runtime.leftovers import end_group, end_leftovers, forget, remember
from vaultsite.runtime.process_log import ProcessLog
from vaultsite.runtime.service import Service

FIRST_DELAY_SECONDS: Final = 1.0
LONGEST_DELAY_SECONDS: Final = 30.0
#: A service that ran this long is healthy again: its next death costs the first delay.
STABLE_SECONDS: Final = 60.0
START_SECONDS: Final = 120.0
#: More deaths than this while starting is a mistake to be shown, not a hiccup.
DEATHS_WHILE_STARTING: Final = 4
POLL_SECONDS: Final = 0.1


class Supervisor:
    """Owns the processes of one VAULT_HOME. Everything happens in the caller's (main) thread.

    Nothing runs unless ``start`` or ``tend`` is being called. Each process leads a session of its own, so a Ctrl-C in
    the terminal reaches the supervisor alone, and what a killed process leaves behind can be ended by its group.
    """

    def __init__(self, home: Home, console: Console) -> None:
        self._home = home
        self._console = console
        self._children: list[_Child] = []
        self._selector = selectors.DefaultSelector()
        self.is_stopping = False
        for name in end_leftovers(home):
            console.say(f"ended {name}, left over from an earlier run")

    def stop_on_signals(self) -> None:
        """Let SIGINT, SIGTERM and SIGHUP ask for the end: ``is_stopping`` turns true."""
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._ask_to_stop)

    def start(self, service: Service, *, timeout_seconds: float = START_SECONDS) -> None:
        """Start ``service`` and wait until it is ready, tending the others; raise StartError if it does not."""
        child = _Child(service, ProcessLog(self._home.log / f"{service.name}.log"))
        self._children.append(child)
        self._spawn(child)
        deadline = time.monotonic() + timeout_seconds
        while not self.is_stopping:
            self.tend(POLL_SECONDS)
            if child.process is not None and service.is_ready():
                return
            if child.deaths >= DEATHS_WHILE_STARTING or time.monotonic() > deadline:
                latest = "\n  ".join(child.log.latest) or "(it wrote nothing)"
                message = (
                    f"{service.title} does not start. Its last lines ({self._home.log / service.name}.log):\n  {latest}"
                )
                raise StartError(message)

    def finish(self, name: str, command: Sequence[str], environment: Mapping[str, str], *, folder: str) -> None:
        """Run ``command`` to its end, tending the services; raise StartError with its last lines when it fails."""
        log = ProcessLog(self._home.log / f"{name}.log")
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(  # noqa: S603
                command, cwd=folder, env=dict(environment), stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
            while process.poll() is None:
                self.tend(POLL_SECONDS)
                if self.is_stopping:
                    process.terminate()
            output.seek(0)
            log.feed(output.read())
        log.close()
        if process.returncode != 0 and not self.is_stopping:
            message = f"{name} failed ({self._home.log / name}.log):\n  " + "\n  ".join(log.latest)
            raise StartError(message)

    def tend(self, seconds: float) -> None:
        """Relay output and restart what died, for ``seconds`` at most."""
        for key, _ in self._selector.select(seconds):
            self._relay(key.data)
        now = time.monotonic()
        for child in self._children:
            if child.process is None:
                if now >= child.next_start:
                    self._spawn(child)
            elif child.process.poll() is not None:
                self._bury(child)

    def stop(self) -> None:
        """End everything in reverse order; what does not end in its time is killed."""
        self.is_stopping = True
        for child in reversed(self._children):
            if child.process is None:
                continue
            child.process.send_signal(child.service.stop_signal)
            deadline = time.monotonic() + child.service.stop_seconds
            while child.process.poll() is None and time.monotonic() < deadline:
                for key, _ in self._selector.select(POLL_SECONDS):
                    self._relay(key.data)
            self._close(child)
        for child in self._children:
            child.log.close()
        self._children.clear()
        self._selector.close()

    def _ask_to_stop(self, _number: int, _frame: FrameType | None) -> None:
        self.is_stopping = True

    def _spawn(self, child: "_Child") -> None:
        service = child.service
        child.process = subprocess.Popen(  # noqa: S603
            service.command,
            cwd=service.folder,
            env=dict(service.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            pass_fds=service.pass_fds,
            start_new_session=True,
        )
        assert child.process.stdout is not None
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)
        remember(self._home, service.name, child.process.pid)
        child.started = time.monotonic()

    def _relay(self, child: "_Child") -> None:
        assert child.process is not None
        assert child.process.stdout is not None
        try:
            data = os.read(child.process.stdout.fileno(), 65536)
        except BlockingIOError:
            return
        if not data:
            self._selector.unregister(child.process.stdout)
        for line in child.log.feed(data):
            self._console.relay(child.service.name, line)

    def _bury(self, child: "_Child") -> None:
        """Note a death that nobody asked for, and when to try again."""
        assert child.process is not None
        status = child.process.returncode
        if time.monotonic() - child.started >= STABLE_SECONDS:
            child.deaths = 0
        delay = min(FIRST_DELAY_SECONDS * 2**child.deaths, LONGEST_DELAY_SECONDS)
        child.deaths += 1
        child.next_start = time.monotonic() + delay
        self._close(child)
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        self._console.say(f"{child.service.title} ended with {how}; starting it again in {delay:.0f} s")

    def _close(self, child: "_Child") -> None:
        """End the rest of the process group, take the last output, and forget the process."""
        process = child.process
        assert process is not None
        assert process.stdout is not None
        end_group(process.pid)
        process.wait()
        if process.stdout.fileno() in self._selector.get_map():
            self._relay(child)
        if process.stdout.fileno() in self._selector.get_map():
            self._selector.unregister(process.stdout)
        process.stdout.close()
        forget(self._home, child.service.name)
        child.process = None


class _Child:
    """A service and what became of its process."""

    def __init__(self, service: Service, log: ProcessLog) -> None:
        self.service = service
        self.log = log
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0.0
        self.deaths = 0
        self.next_start = 0.0
