"""The reader's end of the two pipes to a child: messages with a time limit, and an end in every case."""

import os
import select
import subprocess
from contextlib import suppress
from types import TracebackType
from typing import IO, Final, Self

from datasets.formats.parquet import wire

#: A child that neither says nor takes anything for so long is ended, seconds. Between two messages it decodes a batch.
SILENCE_SECONDS: Final = 120.0
#: The kind of message that stands for a child that is not there any more.
GONE: Final = b""


class Child:
    """A running child; leaving the block ends it, if need be by force."""

    def __init__(self, process: "subprocess.Popen[bytes]", silence_seconds: float = SILENCE_SECONDS) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._process = process
        self._in: IO[bytes] = process.stdin
        self._out: IO[bytes] = process.stdout
        self._silence = silence_seconds
        self._is_silent = False
        os.set_blocking(self._in.fileno(), False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        for stream in (self._in, self._out):
            with suppress(OSError):
                stream.close()
        self._process.wait()

    def tell(self, kind: bytes, payload: bytes) -> None:
        """Send a message; that the child is gone shows when listening."""
        left = memoryview(wire.HEADER.pack(kind, len(payload)) + payload)
        with suppress(BrokenPipeError, EOFError):
            while left:
                self._await(self._in, select.POLLOUT)
                with suppress(BlockingIOError):
                    left = left[os.write(self._in.fileno(), left) :]

    def hear(self) -> tuple[bytes, bytes]:
        """The next message; GONE when the child has ended or fallen silent."""
        try:
            kind, length = wire.HEADER.unpack(self._read(wire.HEADER.size))
            return (kind, self._read(length)) if length <= wire.MAX_MESSAGE else (GONE, b"")
        except EOFError:
            return GONE, b""

    def exit_code(self) -> int | None:
        """How the child ended (negative: by which signal); None when it had to be ended."""
        if not self._is_silent:
            with suppress(subprocess.TimeoutExpired):
                return self._process.wait(timeout=5)
        self._process.kill()
        return None

    def _read(self, length: int) -> bytes:
        parts = []
        while length:
            self._await(self._out, select.POLLIN)
            part = os.read(self._out.fileno(), min(length, 1 << 20))
            if not part:
                raise EOFError("the child is gone")
            parts.append(part)
            length -= len(part)
        return b"".join(parts)

    def _await(self, stream: IO[bytes], event: int) -> None:
        """Wait until the pipe can be read from or written to. Raises EOFError when that takes too long."""
        poller = select.poll()
        poller.register(stream, event)
        if self._is_silent or not poller.poll(self._silence * 1000):
            self._is_silent = True
            raise EOFError("the child is silent")
