"""The browsers people are signed in with: listed, and signed out from afar. A session ended is over at its next use."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from access.auth.sessions import HALF_KEY, MFA_KEY, ORIGIN_KEY, SessionStore
from access.factors.errors import SessionNotFound
from access.models import User, VaultSession
from access.selectors import IDLE, live_sessions
from access.services.authorize import authorize
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: No list is longer than this.
MOST_LISTED: Final = 200


@dataclass(frozen=True)
class Browser:
    """A live session. ``address`` and ``agent`` are those it was begun from; ``ends_at`` unless it idles before."""

    id: UUID
    user: User
    address: str
    agent: str
    mfa: bool
    began_at: datetime
    seen_at: datetime
    ends_at: datetime

    @property
    def idle_until(self) -> datetime:
        return min(self.seen_at + IDLE, self.ends_at)


def own_sessions(principal: Principal) -> list[Browser]:
    """Where the principal itself is signed in, last used first."""
    facts = {"act": "sessions.listed"}
    emit(Event(EventType.ADMIN_READ, "read", ResourceRef("user", str(principal.id)), metadata=facts), primary=True)
    return signed_in_browsers(user_id=principal.id)


def all_sessions(principal: Principal, *, user_id: UUID | None = None) -> list[Browser]:
    """Where people of the tenant, or one of them, are signed in, last used first. Raises AccessDenied."""
    authorize(principal, "session.read", ResourceRef("user", str(user_id or "")))
    return signed_in_browsers(user_id=user_id)


def end_own_session(principal: Principal, *, session_id: UUID) -> None:
    """Sign one of the principal's own browsers out. Raises SessionNotFound."""
    _record(principal.id, "own", 1)
    if not VaultSession.objects.filter(pk=session_id, user_id=principal.id).delete()[0]:
        raise SessionNotFound


def end_other_sessions(principal: Principal) -> int:
    """Sign the principal out everywhere but here; returns of how many browsers."""
    others = VaultSession.objects.filter(user_id=principal.id)
    if principal.session_id is not None:
        others = others.exclude(pk=principal.session_id)
    count: int = others.delete()[0]
    _record(principal.id, "own", count)
    return count


def revoke_session(principal: Principal, *, session_id: UUID) -> None:
    """Sign somebody's browser out. Raises AccessDenied, StepUpRequired, SessionNotFound."""
    authorize(principal, "session.revoke", ResourceRef("session", str(session_id)))
    row = VaultSession.objects.filter(pk=session_id).first()
    if row is None or row.user_id is None:
        raise SessionNotFound
    row.delete()
    _record(row.user_id, "revoked", 1)


def revoke_sessions_of(principal: Principal, *, user_id: UUID) -> int:
    """Sign somebody out of every browser; returns of how many. Raises AccessDenied, StepUpRequired."""
    authorize(principal, "session.revoke", ResourceRef("user", str(user_id)))
    count: int = VaultSession.objects.filter(user_id=user_id).delete()[0]
    _record(user_id, "revoked", count)
    return count


def signed_in_browsers(*, user_id: UUID | None = None) -> list[Browser]:
    """Live sessions of the scope's tenant, or of one of its users, last used first; half-signed-in ones are none."""
    rows = live_sessions().filter(user__isnull=False).select_related("user").order_by("-last_seen_at", "-created_at")
    if user_id is not None:
        rows = rows.filter(user_id=user_id)
    return list(_browsers(rows[:MOST_LISTED]))


def _browsers(rows: Iterable[VaultSession]) -> Iterator[Browser]:
    for row in rows:
        data = SessionStore.open_row(row)
        if HALF_KEY in data or row.user is None:
            continue
        origin = data.get(ORIGIN_KEY, {})
        yield Browser(
            id=row.pk,
            user=row.user,
            address=origin.get("address", ""),
            agent=origin.get("browser", ""),
            mfa=bool(data.get(MFA_KEY)),
            began_at=row.created_at,
            seen_at=row.last_seen_at,
            ends_at=row.expires_at,
        )


def _record(user_id: UUID, act: str, count: int) -> None:
    facts = {"act": act, "count": count}
    primary = act == "own"
    event = Event(EventType.SESSION_ENDED, "delete", ResourceRef("user", str(user_id)), metadata=facts)
    emit(event, primary=primary)
