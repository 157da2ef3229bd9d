"""Sessions under row-level security: the key names its tenant, the table holds only its hash, the data is sealed."""

import hashlib
import re
import secrets
from contextlib import AbstractContextManager
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.contrib.auth import SESSION_KEY
from django.contrib.sessions.backends.base import CreateError, SessionBase, UpdateError
from django.db.models import Q
from django.db.models.functions import Now
from django.utils import timezone

from access.models import VaultSession
from access.selectors import IDLE, live_sessions
from access.services.keyring import open_column, seal_column
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import Scope, tenant_scope

#: last_seen_at is written at most once in this time.
SEEN_EVERY: Final = timedelta(minutes=1)
#: Where the purpose that a reader picked is kept in the session.
PURPOSE_KEY: Final = "vault_purpose"
#: Whose password held while the second factor is still asked for. Such a session proves nobody.
HALF_KEY: Final = "vault_half_signed_in"
#: The address to go on to once signed in.
WANTED_KEY: Final = "vault_wanted"
#: When the user last proved who they are (ISO 8601), and whether by a second factor.
AUTHENTICATED_KEY: Final = "vault_authenticated_at"
MFA_KEY: Final = "vault_mfa"
#: With which identity provider the session was begun (``FederatedLogin.as_json``).
FEDERATED_KEY: Final = "vault_federated"
#: From where the session was begun: address and browser, sealed like all of its data.
ORIGIN_KEY: Final = "vault_origin"

_KIND: Final = "access.session"
_SHAPE: Final = re.compile(r"([0-9a-f]{32})\.([0-9A-Za-z_-]{43})")


def tenant_of(session_key: str | None) -> UUID | None:
    """The tenant a session key names, None when it has not the shape of one."""
    match = _SHAPE.fullmatch(session_key or "")
    return UUID(hex=match[1]) if match else None


class SessionStore(SessionBase):
    """Django's session interface over VaultSession.

    Before somebody signs in there is no tenant, so there is nothing to store: data lives in memory for the request and
    no cookie is set. Signing in calls :meth:`bind_tenant` first. A session lives ``SESSION_COOKIE_AGE`` seconds from
    sign-in, whatever keys it had since, at most ``IDLE`` between two uses, and ends with its user's last role.
    """

    def __init__(self, session_key: str | None = None) -> None:
        super().__init__(session_key if tenant_of(session_key) else None)
        self._tenant_id = tenant_of(session_key)
        self._row: VaultSession | None = None
        self._ends_at: datetime | None = None

    @property
    def row_id(self) -> UUID | None:
        """The id of the stored session, None when nothing is stored."""
        return self._row.pk if self._row else None

    @property
    def tenant_id(self) -> UUID | None:
        """The tenant this session belongs to, None before somebody signed in."""
        return self._tenant_id

    def bind_tenant(self, tenant_id: UUID, *, lifetime: timedelta | None = None) -> None:
        """Give the session to a tenant. A session that was another's, or was there before, is left behind.

        ``lifetime`` is how long the new one lasts at most, ``SESSION_COOKIE_AGE`` seconds if it is not given.
        """
        self.flush()
        self._row = None
        self._tenant_id = tenant_id
        self._ends_at = timezone.now() + lifetime if lifetime else None
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
            data = self.open_row(row)
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
        self._session_key = _new_key(self._tenant_id)
        self._row = None
        self.save(must_create=True)
        self.modified = True

    def cycle_key(self) -> None:
        """Another key for the same session, which keeps its end: whoever knew the old key is out.

        Raises UpdateError when the session was ended meanwhile.
        """
        row, tenant_id = self._row, self._tenant_id
        if row is None or tenant_id is None:
            super().cycle_key()
            return
        data: dict[str, Any] = self._get_session()  # type: ignore[attr-defined]
        session_key = _new_key(tenant_id)
        with self._scope(tenant_id):
            self._update(session_key, data, key_hash=_hash(session_key))
        self._session_key, row.key_hash, self.modified = session_key, _hash(session_key), True

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
            user_id=_user_of(data),
            sealed=self._seal(row_id, data),
            expires_at=self._ends_at or timezone.now() + timedelta(seconds=settings.SESSION_COOKIE_AGE),
        )

    def _update(self, session_key: str, data: dict[str, Any], **changed: Any) -> None:
        row = self._row or live_sessions().filter(key_hash=_hash(session_key)).first()
        if row is None:
            raise UpdateError
        changed |= {"user_id": _user_of(data), "sealed": self._seal(row.pk, data)}
        # By its key as well: who still writes under an old one knows nothing of what the new one was given for.
        if not VaultSession.objects.filter(pk=row.pk, key_hash=bytes(row.key_hash)).update(**changed):
            raise UpdateError

    def _seal(self, row_id: UUID, data: dict[str, Any]) -> bytes:
        return seal_column(_KIND, row_id.bytes, self.serializer().dumps(data))

    @classmethod
    def open_row(cls, row: VaultSession) -> dict[str, Any]:
        """What a stored session of the scope's tenant holds."""
        data: dict[str, Any] = cls().serializer().loads(open_column(_KIND, row.pk.bytes, row.sealed))
        return data

    @staticmethod
    def _scope(tenant_id: UUID) -> AbstractContextManager[Scope]:
        return tenant_scope(tenant_id, Principal.nobody(tenant_id))


def _new_key(tenant_id: UUID) -> str:
    return f"{tenant_id.hex}.{secrets.token_urlsafe(32)}"


def _user_of(data: dict[str, Any]) -> Any:
    """The user whom the session ends with, signed in or half-way."""
    return data.get(SESSION_KEY) or data.get(HALF_KEY)


def _hash(session_key: str) -> bytes:
    return hashlib.sha256(session_key.encode()).digest()
