"""Who acts: a user, a service or the vault itself, always inside one tenant."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

PrincipalKind = Literal["user", "service", "system"]

#: The vault itself, when no person asked: sealing, reaping, retention.
SYSTEM_PRINCIPAL_ID: Final = UUID("00000000-0000-7000-8000-000000000001")
#: Requests that name no valid tenant are recorded here.
PLATFORM_TENANT_ID: Final = UUID("00000000-0000-7000-8000-000000000000")


@dataclass(frozen=True)
class Principal:
    """The acting party as the decision point sees it.

    ``credential`` tells how it proved itself (``session``, ``api_key:<id>``, ``system``), ``purpose`` is the purpose
    bound to that credential, used when a request states none; ``scopes`` narrow what the roles permit (empty: all),
    ``datasets`` the datasets they permit it on (empty: all). ``groups`` are ids of groups, ``attributes`` what policies
    may ask of the person (``department``, ``clearance``). ``mfa`` tells whether a second factor was shown, at the
    earliest at ``authenticated_at``. ``session_id`` is the browser session that proves a user, where one does.
    """

    id: UUID
    kind: PrincipalKind
    tenant_id: UUID
    name: str
    roles: frozenset[str] = frozenset()
    permissions: frozenset[str] = frozenset()
    credential: str = "system"
    purpose: str | None = None
    scopes: frozenset[str] = frozenset()
    datasets: frozenset[UUID] = frozenset()
    groups: frozenset[UUID] = frozenset()
    attributes: Mapping[str, str] = field(default_factory=dict, hash=False)
    mfa: bool = False
    authenticated_at: datetime | None = None
    session_id: UUID | None = None

    @classmethod
    def system(cls, tenant_id: UUID) -> "Principal":
        return cls(id=SYSTEM_PRINCIPAL_ID, kind="system", tenant_id=tenant_id, name="vault")

    @classmethod
    def nobody(cls, tenant_id: UUID) -> "Principal":
        """Before anybody proved who they are: holds no role and may do nothing."""
        return cls(id=UUID(int=0), kind="service", tenant_id=tenant_id, name="", credential="none")


@dataclass(frozen=True)
class RequestFacts:
    """What the audit wants to know of the request that opened a scope."""

    request_id: str = ""
    ip_address: str = ""
    user_agent: str = ""
    purpose: str | None = None
    method: str = ""
    path: str = ""
    #: When the request came, or a job was claimed.
    started_at: datetime | None = None
