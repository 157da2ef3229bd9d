"""Sessions under row-level security: the key names its tenant, the table holds only its hash, the data is sealed."""

import hashlib
import re
import secrets
from contextlib import AbstractContextManager
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db.models import Exists, OuterRef, Q
from django.db.models.functions import Now
from django.utils import timezone

from access.models import RoleBinding, VaultSession
from access.services.keyring import open_column, seal_column
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope

#: A session nobody used for so long is over.
IDLE: Final = timedelta(minutes=30)
#: last_seen_at is written at most once in this time.
SEEN_EVERY: Final = timedelta(minutes=1)
#: Where the purpose that a reader picked is kept in the session.
PURPOSE_KEY: Final = "vault_purpose"

_KIND: Final = "access.session"
_SHAPE: Final = re.compile(r"([0-9a-f]{32})\.([0-9A-Za-z_-]{43})")


def tenant_of(session_key: str | None) -> UUID | None:
    """The tenant a session key names, None when it has not the shape of one."""
    match = _SHAPE.fullmatch(session_key or "")
    return UUID(hex=match[1]) if match else None


def live_sessions() -> Any:
    """Sessions of the scope's tenant that still count: not expired, not idle, of an active user who holds a role."""
    now = timezone.now()
    roles = RoleBinding.objects.live().filter(user_id=OuterRef("user_id"))
    return VaultSession.objects.filter(
        Q(user__isnull=True) | (Q(user__is_active=True) & Exists(roles)),
        tenant__is_active=True,
        expires_at__gt=now,
        last_seen_at__gt=now - IDLE,
    )


class SessionStore(SessionBase):
    """Django's session interface over VaultSession.

    Before somebody signs in there is no tenant, so there is nothing to store: data lives in memory for the request and
    no cookie is set. Signing in calls :meth:`bind_tenant` first. A session lives ``SESSION_COOKIE_AGE`` seconds from
    sign-in, at most ``IDLE`` between two uses, and ends with its user's last role.
    """

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key if tenant_of(session_key) else None)
        self._tenant_id = tenant_of(session_key)
        self._row: VaultSession | None = None

    @property
    def tenant_id(self) -> UUID | None:
        """The tenant this session belongs to, None before somebody signed in."""
        return self._tenant_id

    def bind_tenant(self, tenant_id: UUID) -> None:
        """Give the session to a tenant. A session that was another's, or was there before, is left behind."""
        self.flush()
        self._tenant_id = tenant_id
        self.modified = True

    def is_empty(self) -> bool:
        return self._tenant_id is None or super().is_empty()

    def load(self) -> dict[str, Any]:
        if self.session_key is None or self._tenant_id is None:
            return {}
        with self._scope(self._tenant_id):
            row = live_sessions().filter(key_hash=_hash(self.session_key)).first()
            if row is None:
                self._session_key = None
                return {}
            data = self._open(row)
            if timezone.now() - row.last_seen_at > SEEN_EVERY:
                VaultSession.objects.filter(pk=row.pk).update(last_seen_at=Now())
        self._row = row
        return data

    def exists(self, session_key: str) -> bool:
        tenant_id = tenant_of(session_key)
        if tenant_id is None:
            return False
        with self._scope(tenant_id):
            return VaultSession.objects.filter(key_hash=_hash(session_key)).exists()

    def create(self) -> None:
        if self._tenant_id is None:
            return
        self._session_key = f"{self._tenant_id.hex}.{secrets.token_urlsafe(32)}"
        self._row = None
        self.save(must_create=True)
        self.modified = True

    def save(self, must_create: bool = False) -> None:
        """Raises UpdateError when the session was ended meanwhile: it must not come back to life."""
        if self._tenant_id is None:
            return
        if self.session_key is None:
            self.create()
            return
        data: dict[str, Any] = self._get_session(no_load=must_create)  # type: ignore[attr-defined]
        with self._scope(self._tenant_id):
            if must_create:
                self._insert(self.session_key, data)
            else:
                self._update(self.session_key, data)

    def delete(self, session_key: str | None = None) -> None:
        session_key = session_key or self.session_key
        tenant_id = tenant_of(session_key)
        if session_key is None or tenant_id is None:
            return
        with self._scope(tenant_id):
            VaultSession.objects.filter(key_hash=_hash(session_key)).delete()

    @classmethod
    def clear_expired(cls) -> None:
        """Delete what is over, in every tenant, as vault_system."""
        over = Q(expires_at__lte=Now()) | Q(last_seen_at__lte=timezone.now() - IDLE)
        VaultSession.objects.using("system").filter(over).delete()

    def _insert(self, session_key: str, data: dict[str, Any]) -> None:
        if self.exists(session_key):
            raise CreateError
        row_id = uuid7()
        self._row = VaultSession.objects.create(
            id=row_id,
            key_hash=_hash(session_key),
            user_id=data.get(SESSION_KEY),
            sealed=self._seal(row_id, data),
            expires_at=timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE),
        )

    def _update(self, session_key: str, data: dict[str, Any]) -> None:
        row = self._row or live_sessions().filter(key_hash=_hash(session_key)).first()
        if row is None:
            raise UpdateError
        changed = {"user_id": data.get(SESSION_KEY), "sealed": self._seal(row.pk, data)}
        if not VaultSession.objects.filter(pk=row.pk).update(**changed):
            raise UpdateError

    def _seal(self, row_id: UUID, data: dict[str, Any]) -> bytes:
        return seal_column(_KIND, row_id.bytes, self.serializer().dumps(data))

    def _open(self, row: VaultSession) -> dict[str, Any]:
        data: dict[str, Any] = self.serializer().loads(open_column(_KIND, row.pk.bytes, row.sealed))
        return data

    @staticmethod
    def _scope(tenant_id: UUID) -> AbstractContextManager[Scope]:
        return tenant_scope(tenant_id, Principal.nobody(tenant_id))


def _hash(session_key: str) -> bytes:
    return hashlib.sha256(session_key.encode()).digest()
