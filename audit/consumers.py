"""The live feed: events over a websocket, to those who may read the audit, or about what is theirs."""

import asyncio
import io
import time
from collections.abc import Coroutine, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

from channels.db import database_sync_to_async
from channels.generic.websocket import AsyncJsonWebsocketConsumer
from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.db import DatabaseError

from access.auth.access_tokens import Surface
from access.auth.sessions import SessionStore
from access.selectors import live_sessions
from access.services.authorize import Decision, authorize
from access.services.metering import require_still
from audit.live.backlog import Backlog
from audit.live.missed import Missed, read_missed
from audit.live.sight import visible_events
from audit.live.wish import read_wish
from audit.services.live import group_name
from vaultsite.kernel.errors import InvalidInput, VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.middleware import facts_of
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

#: Close codes of our own (4000-4999 are free for applications, RFC 6455 section 7.4.2).
UNREADABLE: Final = 4400
UNAUTHENTICATED: Final = 4401
FORBIDDEN: Final = 4403
TOO_MANY: Final = 4429
UNSUPPORTED_DATA: Final = 1003
#: What the feed depends on is away: come again.
TRY_AGAIN: Final = 1013
#: The member that only messages of the feed itself have; events are CloudEvents.
LIVE: Final = "live"

_open: Final[set["LiveConsumer"]] = set()


@dataclass(frozen=True)
class Admitted:
    """Who was let in by the handshake, and by which decision."""

    principal: Principal
    facts: RequestFacts
    decision: Decision


class LiveConsumer(AsyncJsonWebsocketConsumer):  # type: ignore[misc]
    """Sends every event of the caller's tenant as a CloudEvents envelope; takes nothing from the browser.

    Who has no session is refused with 4401, who lacks the permission with 4403, an address that asks for something
    unknown with 4400, all before the handshake ends; one socket too many of this process or of one principal with 4429.
    The session is looked up again every ``recheck_seconds``, and before events when that was ``fresh_seconds`` ago; the
    socket is closed when it no longer holds.

    Beside events it sends ``{"live": "gap"}`` (more was missed than is told again), ``{"live": "heartbeat"}`` and
    ``{"live": "progress", "job": ..}``.
    """

    action: ClassVar[str] = "audit.read"
    resource: ClassVar[ResourceRef] = ResourceRef(type="audit", id="live")
    recheck_seconds: ClassVar[float] = 0.8
    fresh_seconds: ClassVar[float] = 1.0
    heartbeat_seconds: ClassVar[float] = 20.0
    #: Sockets of one process, and of one principal there.
    most_sockets: ClassVar[int] = 1000
    most_of_one: ClassVar[int] = 16

    _group: str | None = None
    _tasks: "tuple[asyncio.Task[None], ...]" = ()

    async def connect(self) -> None:
        try:
            self._wish = read_wish(self.scope.get("query_string", b""))
            self._admitted = await database_sync_to_async(self._admit)()
        except VaultError as refusal:
            await self.close(code=_close_code(refusal))
            return
        if not self._has_room():
            await self.close(code=TOO_MANY)
            return
        _open.add(self)
        self._checked_at = time.monotonic()
        self._backlog = Backlog()
        self._last: UUID | None = self._wish.after
        self._group = group_name(self._admitted.principal.tenant_id)
        await self.channel_layer.group_add(self._group, self.channel_name)
        await self.accept()
        works = (self._watch_session(), self._serve())
        self._tasks = tuple(asyncio.create_task(self._guarded(work)) for work in works)

    async def disconnect(self, code: int) -> None:  # noqa: ARG002 - Channels names it
        _open.discard(self)
        for task in self._tasks:
            task.cancel()
        if self._group is not None:
            await self.channel_layer.group_discard(self._group, self.channel_name)

    async def receive(self, *_: Any, **__: Any) -> None:
        """The feed has one direction."""
        await self.close(code=UNSUPPORTED_DATA)

    async def audit_events(self, message: dict[str, Any]) -> None:
        """Events of the tenant's group. Never waits for the socket: what it cannot send yet waits in the backlog."""
        self._backlog.put([event for event in message["events"] if self._wish.wants_event(event)])

    async def job_progress(self, message: dict[str, Any]) -> None:
        """How far a job of the tenant is."""
        if self._wish.wants_progress and self._may_hear(message):
            self._backlog.put([{LIVE: "progress", "job": message["job"]}])

    def _may_hear(self, message: dict[str, Any]) -> bool:  # noqa: ARG002 - those of the audit hear of every job
        return True

    def _has_room(self) -> bool:
        principal_id = self._admitted.principal.id
        of_one = sum(1 for other in _open if other._admitted.principal.id == principal_id)  # noqa: SLF001
        return len(_open) < self.most_sockets and of_one < self.most_of_one

    async def _guarded(self, work: Coroutine[Any, Any, None]) -> None:
        """Do ``work``; when what it depends on is away, the socket is closed rather than silent."""
        try:
            await work
        except (VaultError, DatabaseError, OSError):
            with suppress(OSError, RuntimeError):  # the other side may be gone already
                await self.close(code=TRY_AGAIN)

    async def _serve(self) -> None:
        """Send what was missed, then what arrives; a reader that was too slow is told again from the audit."""
        if self._last is not None:
            await self._resume(is_broken=False)
        while True:
            waiting, is_broken = await self._backlog.take()
            await self._resume(is_broken=True) if is_broken else await self._send_all(waiting)

    async def _resume(self, *, is_broken: bool) -> None:
        missed = await database_sync_to_async(self._read_missed)() if self._last else Missed([], is_whole=False)
        if is_broken:
            await self.send_json({LIVE: "gap", "after": _text(self._last), "is_told_again": missed.is_whole})
        await self._send_all(missed.events)
        if not missed.is_whole and not is_broken:
            await self.send_json({LIVE: "gap", "after": _text(self._last), "is_told_again": False})

    async def _send_all(self, messages: Sequence[dict[str, Any]]) -> None:
        """Send what may be seen, in order, for who may hear it still."""
        events = [message for message in messages if LIVE not in message]
        is_stale = time.monotonic() - self._checked_at >= self.fresh_seconds
        if events and is_stale and not await self._holds():
            return
        seen = await self._seen(events) if events else {}
        for message in messages:
            shown = message if LIVE in message else seen.get(message["id"])
            if shown is not None:
                await self.send_json(shown)
            if LIVE not in message:
                self._last = UUID(message["id"])

    async def _seen(self, events: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        """Those of ``events`` that may be told, by their id."""
        return {event["id"]: event for event in events}

    async def _watch_session(self) -> None:
        beaten_at = time.monotonic()
        while True:
            await asyncio.sleep(self.recheck_seconds)
            if not await self._holds():
                return
            if time.monotonic() - beaten_at >= self.heartbeat_seconds:
                beaten_at = time.monotonic()
                self._backlog.put([{LIVE: "heartbeat", "after": _text(self._last)}])

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
            return Admitted(principal, facts, authorize(principal, self.action, self.resource))

    def _recheck(self) -> int | None:
        """The code to close with, or None while the decision holds. Not a new decision, so not a new event."""
        admitted = self._admitted
        principal = admitted.principal
        with tenant_scope(principal.tenant_id, principal, admitted.facts):
            try:
                require_still(principal, self.action, self.resource, admitted.decision)
            except VaultError:
                session = live_sessions().filter(pk=principal.session_id)
                return UNAUTHENTICATED if principal.session_id and not session.exists() else FORBIDDEN
        return None

    def _read_missed(self) -> Missed:
        principal = self._admitted.principal
        with tenant_scope(principal.tenant_id, principal, self._admitted.facts):
            return read_missed(self._wish, self._last) if self._last else Missed([], is_whole=False)


class OwnConsumer(LiveConsumer):
    """The feed of who may not read the audit: datasets they may see, and how far their own jobs are."""

    action = "live.read"
    resource = ResourceRef(type="live", id="own")

    def _may_hear(self, message: dict[str, Any]) -> bool:
        return bool(message["requested_by"] == str(self._admitted.principal.id))

    async def _seen(self, events: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        found: dict[str, dict[str, Any]] = await database_sync_to_async(self._look)(events)
        return found

    def _look(self, events: Sequence[dict[str, Any]]) -> dict[str, dict[str, Any]]:
        principal = self._admitted.principal
        with tenant_scope(principal.tenant_id, principal, self._admitted.facts):
            return {event["id"]: event for event in visible_events(principal, events)}


def _text(event_id: UUID | None) -> str | None:
    return str(event_id) if event_id else None


def _close_code(refusal: VaultError) -> int:
    if isinstance(refusal, InvalidInput):
        return UNREADABLE
    return UNAUTHENTICATED if refusal.code.startswith("VAULT_AUTH_") else FORBIDDEN
