"""Idle sessions: what nobody uses for half an hour, or what is past its end, proves nobody any more."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.auth.sessions import SessionStore
from access.models import VaultSession
from access.selectors import IDLE
from compliance.posture.outcome import Outcome, Untried, judged
from compliance.posture.sandbox import sandbox

_WORD: Final = "probe"
#: What is longer than this is no automatic logoff.
_LONGEST: Final = timedelta(minutes=30)
_SECOND: Final = timedelta(seconds=1)


def probe(tenant_id: UUID) -> Outcome:
    breaches = [f"sessions may be idle for {IDLE}"] if IDLE > _LONGEST else []
    with sandbox(tenant_id):
        session = SessionStore()
        session.bind_tenant(tenant_id)
        session[_WORD] = _WORD
        session.save()
        if session.row_id is None:
            raise Untried("a session was not kept")
        rows, key = VaultSession.objects.filter(pk=session.row_id), str(session.session_key)
        if not _opens(key):
            raise Untried("a session that was just made did not open")
        rows.update(last_seen_at=Now() - _LONGEST - _SECOND)
        if _opens(key):
            breaches.append("an idle session was opened")
        rows.update(last_seen_at=Now(), expires_at=Now() - _SECOND)
        if _opens(key):
            breaches.append("a session past its end was opened")
        rows.update(expires_at=Now() + _LONGEST)
        again = SessionStore(key)
        again.load()
        again.cycle_key()
        if _opens(key):
            breaches.append("a key from before signing in was still good")
    return judged(breaches, idle_seconds=int(IDLE.total_seconds()), attempts=3)


def _opens(key: str) -> bool:
    return SessionStore(key).load().get(_WORD) == _WORD
