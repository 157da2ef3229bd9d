"""A websocket client that speaks ASGI to an application in the same process."""

import asyncio
import json
from typing import Any
from urllib.parse import urlencode

from asgiref.testing import ApplicationCommunicator

TIMEOUT = 5.0


class Socket:
    """One connection; use it inside one event loop."""

    def __init__(
        self, application: Any, path: str, headers: list[tuple[bytes, bytes]], query: dict[str, Any] | None = None
    ) -> None:
        scope = {
            "type": "websocket",
            "path": path,
            "query_string": urlencode(query or {}, doseq=True).encode(),
            "headers": headers,
            "subprotocols": [],
            "client": ["192.0.2.9", 40000],
            "server": ["localhost", 8001],
        }
        self._gate: tuple[asyncio.Event, asyncio.Event] | None = None
        self._communicator = ApplicationCommunicator(self._through_gate(application), scope)

    def slow_down(self, asleep: asyncio.Event, awake: asyncio.Event) -> None:
        """Let no event through while ``awake`` is not set; ``asleep`` is set once one waits."""
        self._gate = asleep, awake

    def _through_gate(self, application: Any) -> Any:
        async def gated(scope: Any, receive: Any, send: Any) -> None:
            async def send_when_awake(message: Any) -> None:
                if self._gate and message["type"] == "websocket.send":
                    asleep, awake = self._gate
                    if not awake.is_set():
                        asleep.set()
                    await awake.wait()
                await send(message)

            await application(scope, receive, send_when_awake)

        return gated

    async def open(self) -> int | None:
        """Shake hands; None when accepted, else the code of the refusal."""
        await self._communicator.send_input({"type": "websocket.connect"})
        answer = await self._communicator.receive_output(TIMEOUT)
        return None if answer["type"] == "websocket.accept" else answer.get("code", 1000)

    async def send(self, text: str) -> None:
        await self._communicator.send_input({"type": "websocket.receive", "text": text})

    async def receive(self) -> Any:
        """The next message as JSON."""
        answer = await self._communicator.receive_output(TIMEOUT)
        assert answer["type"] == "websocket.send", answer
        return json.loads(answer["text"])

    async def close_code(self) -> int:
        """The code with which the other side closes next."""
        answer = await self._communicator.receive_output(TIMEOUT)
        assert answer["type"] == "websocket.close", answer
        return answer["code"]

    async def rest(self) -> tuple[list[Any], int]:
        """The messages until the other side closes, and with which code it does."""
        messages = []
        while (answer := await self._communicator.receive_output(TIMEOUT))["type"] == "websocket.send":
            messages.append(json.loads(answer["text"]))
        return messages, answer["code"]

    async def is_silent(self, seconds: float) -> bool:
        return await self._communicator.receive_nothing(seconds)

    async def close(self) -> None:
        await self._communicator.send_input({"type": "websocket.disconnect", "code": 1000})
        await self._communicator.wait(TIMEOUT)
