"""The ASGI application: websockets, and nothing else. HTTP is served by WSGI."""

import os
from typing import Any

import django
from channels.generic.websocket import AsyncWebsocketConsumer
from channels.routing import ProtocolTypeRouter, URLRouter
from channels.security.websocket import AllowedHostsOriginValidator
from django.urls import path, re_path

from vaultsite.kernel.crypto.keys import forbid_core_dumps

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")
forbid_core_dumps()
django.setup()

from audit.consumers import LiveConsumer, OwnConsumer  # noqa: E402 - models need the app registry


class UnknownPath(AsyncWebsocketConsumer):  # type: ignore[misc]
    """Refuses the handshake."""

    async def connect(self) -> None:
        await self.close()


async def not_found(_scope: dict[str, Any], _receive: Any, send: Any) -> None:
    """HTTP does not live here."""
    headers = [(b"content-type", b"text/plain; charset=utf-8")]
    await send({"type": "http.response.start", "status": 404, "headers": headers})
    await send({"type": "http.response.body", "body": b"Not found\n"})


websockets = URLRouter(
    [
        path("live/", LiveConsumer.as_asgi()),
        path("live/own/", OwnConsumer.as_asgi()),
        re_path(r"", UnknownPath.as_asgi()),
    ]
)
application = ProtocolTypeRouter({"websocket": AllowedHostsOriginValidator(websockets), "http": not_found})
