"""The output of one process: cut into lines, escaped, kept in a file of bounded size."""

import os
from collections import deque
from pathlib import Path
from typing import Final

MAX_LINE_BYTES: Final = 8 * 1024
MAX_FILE_BYTES: Final = 8 * 1024 * 1024
OLD_FILES: Final = 3


class ProcessLog:
    """Appends lines to ``path`` (0600), which moves to ``path.1`` and so on when it reaches 8 MiB."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._rest = b""
        self._descriptor = self._open()
        self.latest: deque[str] = deque(maxlen=20)

    def feed(self, data: bytes) -> list[str]:
        """Take what the process wrote; return the lines that it completes. An overlong line is cut into pieces."""
        *complete, self._rest = (self._rest + data).split(b"\n")
        if len(self._rest) > MAX_LINE_BYTES:
            complete.append(self._rest)
            self._rest = b""
        lines = [_printable(line[:MAX_LINE_BYTES]) for line in complete]
        self._write(lines)
        return lines

    def close(self) -> list[str]:
        """End the log; return the last line if the process did not end it."""
        lines = self.feed(b"\n") if self._rest else []
        os.close(self._descriptor)
        return lines

    def _write(self, lines: list[str]) -> None:
        if not lines:
            return
        self.latest.extend(lines)
        os.write(self._descriptor, "".join(f"{line}\n" for line in lines).encode())
        if os.fstat(self._descriptor).st_size > MAX_FILE_BYTES:
            self._rotate()

    def _rotate(self) -> None:
        os.close(self._descriptor)
        for number in range(OLD_FILES, 0, -1):
            newer = self._path if number == 1 else self._path.with_name(f"{self._path.name}.{number - 1}")
            if newer.exists():
                newer.replace(self._path.with_name(f"{self._path.name}.{number}"))
        self._descriptor = self._open()

    def _open(self) -> int:
        return os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)


def _printable(line: bytes) -> str:
    """The line without control characters: what a process logs must not be able to steer a terminal."""
    text = line.decode("utf-8", "replace").rstrip("\r")
    return "".join(char if char.isprintable() or char == "\t" else repr(char)[1:-1] for char in text)
