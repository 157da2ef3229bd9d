"""What waits to be sent over one socket: bounded, however slowly its other side reads."""

import asyncio
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

#: Messages that wait for a reader; one more and all of them are dropped, to be read from the audit again.
CAPACITY: Final = 256

Message = dict[str, Any]


class Backlog:
    """One producer and one consumer in the same event loop; putting never waits."""

    def __init__(self, capacity: int = CAPACITY) -> None:
        self._capacity = capacity
        self._waiting: deque[Message] = deque()
        self._arrived = asyncio.Event()
        self._is_broken = False

    def put(self, messages: Sequence[Message]) -> None:
        if len(self._waiting) + len(messages) > self._capacity:
            self._waiting.clear()
            self._is_broken = True
        else:
            self._waiting.extend(messages)
        self._arrived.set()

    async def take(self) -> tuple[list[Message], bool]:
        """Everything that waits, once something does; and whether messages were dropped before it."""
        await self._arrived.wait()
        self._arrived.clear()
        taken, was_broken = list(self._waiting), self._is_broken
        self._waiting.clear()
        self._is_broken = False
        return taken, was_broken
