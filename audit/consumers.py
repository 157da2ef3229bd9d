"""The live feed: a tenant's events over a websocket, to those who may read its audit."""

import asyncio
import io
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest

from access.auth.access_tokens import Surface
from access.auth.sessions import SessionStore
from access.selectors import live_sessions
from access.services.authorize import Decision, authorize
from access.services.metering import require_still
from audit.services.live import group_name
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

ACTION: Final = "audit.read"
RESOURCE: Final = ResourceRef(type="audit", id="live")
#: Close codes of our own (4000-4999 are free for applications, RFC 6455 section 7.4.2).
UNAUTHENTICATED: Final = 4401
FORBIDDEN: Final = 4403
UNSUPPORTED_DATA: Final = 1003


@dataclass(frozen=True)
class Admitted:
    """Who was let in by the handshake, and by which decision."""

    principal: Principal
    facts: RequestFacts
    decision: Decision


class LiveConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Sends every event of the caller's tenant as a CloudEvents envelope; takes nothing from the browser.

    Who has no session is refused with 4401, who lacks the permission with 4403, both before the handshake ends. The
    session is looked up again every ``recheck_seconds``, and before an event when that was ``fresh_seconds`` ago; the
    socket is closed when it no longer holds.
    """

    recheck_seconds: ClassVar[float] = 0.8
    fresh_seconds: ClassVar[float] = 1.0

    _group: str | None = None
    _watch: "asyncio.Task[None] | None" = None

    async def connect(self) -> None:
        try:
            self._admitted = await database_sync_to_async(self._admit)()
        except VaultError as refusal:
            await self.close(code=_close_code(refusal))
            return
        self._checked_at = time.monotonic()
        self._group = group_name(self._admitted.principal.tenant_id)
        await self.channel_layer.group_add(self._group, self.channel_name)
        await self.accept()
        self._watch = asyncio.create_task(self._watch_session())

    async def disconnect(self, code: int) -> None:  # noqa: ARG002 - Channels names it
        if self._watch is not None:
            self._watch.cancel()
        if self._group is not None:
            await self.channel_layer.group_discard(self._group, self.channel_name)

    async def receive(self, *_: Any, **__: Any) -> None:
        """The feed has one direction."""
        await self.close(code=UNSUPPORTED_DATA)

    async def audit_event(self, message: dict[str, Any]) -> None:
        """A message of the tenant's group, for who may hear it still."""
        if time.monotonic() - self._checked_at < self.fresh_seconds or await self._holds():
            await self.send_json(message["event"])

    async def _watch_session(self) -> None:
        with suppress(asyncio.CancelledError):
            while True:
                await asyncio.sleep(self.recheck_seconds)
                if not await self._holds():
                    return

    async def _holds(self) -> bool:
        """Whether what was decided holds now; closes the socket when it does not."""
        code = await database_sync_to_async(self._recheck)()
        self._checked_at = time.monotonic()
        if code is not None:
            await self.close(code=code)
        return code is None

    def _request(self) -> ASGIRequest:
        """The handshake as a request: its headers and cookies prove who asks."""
        request = ASGIRequest({**self.scope, "method": "GET"}, io.BytesIO())
        request.session = SessionStore(request.COOKIES.get(settings.SESSION_COOKIE_NAME))
        request.vault_surface = Surface.LIVE  # type: ignore[attr-defined]
        return request

    def _admit(self) -> Admitted:
        """Who opens the feed; the decision is audited. Raises an AUTH or AUTHZ error."""
        request = self._request()
        principal, facts = resolve_principal(request), facts_of(request)
        with tenant_scope(principal.tenant_id, principal, facts):
            return Admitted(principal, facts, authorize(principal, ACTION, RESOURCE))

    def _recheck(self) -> int | None:
        """The code to close with, or None while the decision holds. Not a new decision, so not a new event."""
        admitted = self._admitted
        principal = admitted.principal
        with tenant_scope(principal.tenant_id, principal, admitted.facts):
            try:
                require_still(principal, ACTION, RESOURCE, admitted.decision)
            except VaultError:
                session = live_sessions().filter(pk=principal.session_id)
                return UNAUTHENTICATED if principal.session_id and not session.exists() else FORBIDDEN
        return None


def _close_code(refusal: VaultError) -> int:
    return UNAUTHENTICATED if refusal.code.startswith("VAULT_AUTH_") else FORBIDDEN
