"""Tenant scopes: the only way to a cursor.

A scope is one transaction that the database knows the tenant of. Row-level security reads the setting
``vault.tenant_id``, which lives exactly as long as the scope: SET LOCAL alone would survive inner exits, so it is
emptied again.
"""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db import DatabaseError, connections, transaction

from vaultsite.kernel.errors import AuditUnavailable, NoTenantScope, ScopeConflict
from vaultsite.kernel.events.buffer import EventBuffer
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts

#: Aliases on which every statement needs a scope.
GUARDED_ALIASES: Final = ("default", "durable")
#: How long a durable effect waits for a row that somebody else holds.
DURABLE_LOCK_TIMEOUT: Final = "10s"
_SET_CONTEXT: Final = "SELECT set_config('vault.tenant_id', %s, true), set_config('vault.principal_id', %s, true)"
_SET_LOCK_TIMEOUT: Final = "SELECT set_config('lock_timeout', %s, true)"
_SET_SLUG: Final = "SELECT set_config('vault.tenant_slug', %s, true)"

_current: ContextVar["Scope | None"] = ContextVar("vault_scope", default=None)
_unscoped: ContextVar[str | None] = ContextVar("vault_unscoped", default=None)
_alias: ContextVar[str] = ContextVar("vault_alias", default="default")


@dataclass
class Scope:
    """One tenant, one principal, one transaction."""

    tenant_id: UUID
    principal: Principal
    request: RequestFacts = field(default_factory=RequestFacts)
    events: EventBuffer = field(default_factory=EventBuffer)
    failure: BaseException | None = None
    is_committed: bool = False
    #: Everything in it is taken back at its end, so durable effects are part of it as well.
    keeps_nothing: bool = False
    #: What was looked up once in this scope and holds until its end, by who looked it up.
    memo: dict[str, Any] = field(default_factory=dict)
    _compensations: list[Callable[[], object]] = field(default_factory=list)

    def if_undone(self, compensate: Callable[[], object]) -> None:
        """Call ``compensate`` in a transaction of its own when the scope fails: it takes back a durable effect."""
        self._compensations.append(compensate)

    @property
    def has_compensations(self) -> bool:
        return bool(self._compensations)

    def compensate(self) -> None:
        while self._compensations:
            self._compensations.pop()()

    def mark_committed(self) -> None:
        """Called by the database connection right after COMMIT, before any other on_commit hook."""
        self.is_committed = True

    def fail(self, exc: BaseException) -> None:
        """Mark the scope as failed: whatever was written is rolled back at exit, however the exit happens."""
        self.failure = self.failure or exc

    @property
    def purpose(self) -> str | None:
        """The purpose this request declared, else the one bound to its credential."""
        return self.request.purpose or self.principal.purpose


def current_scope() -> Scope:
    """The open scope; raises NoTenantScope when there is none."""
    scope = _current.get()
    if scope is None:
        raise NoTenantScope
    return scope


def current_tenant_id() -> UUID:
    return current_scope().tenant_id


def find_scope() -> Scope | None:
    return _current.get()


def active_alias() -> str:
    """The database alias writes go to now: ``durable`` inside durable_effect(), else ``default``."""
    return _alias.get()


@contextmanager
def tenant_scope(tenant_id: UUID, principal: Principal, request: RequestFacts | None = None) -> Iterator[Scope]:
    """Open the transaction in which the database shows ``tenant_id``'s rows, and only those.

    A scope of the same tenant is joined; one of another tenant raises ScopeConflict. At a clean exit the buffered
    events are written in the same transaction; a sink that fails undoes everything. At a failed exit nothing stays but
    the scope's primary event, written in a transaction of its own with outcome ``denied`` or ``failure``.
    """
    outer = _current.get()
    if outer is not None:
        if outer.tenant_id != tenant_id:
            raise ScopeConflict
        yield outer
        return
    scope = Scope(tenant_id=tenant_id, principal=principal, request=request or RequestFacts())
    with _recording_failure(scope), _transaction("default", tenant_id, principal.id), _entered(scope):
        transaction.on_commit(scope.mark_committed)
        yield scope
        if scope.failure is not None:
            transaction.set_rollback(True)
        else:
            scope.events.flush()


@contextmanager
def _entered(scope: Scope) -> Iterator[None]:
    """Make ``scope`` the current one, strictly inside its transaction.

    What runs after the commit (on_commit hooks) finds no scope: the tenant's setting is gone by then, so joining this
    one would read nothing and record nothing. It opens a scope of its own.
    """
    token = _current.set(scope)
    try:
        yield
    finally:
        _current.reset(token)


@contextmanager
def _recording_failure(scope: Scope) -> Iterator[None]:
    try:
        yield
    except BaseException as exc:
        if not scope.is_committed:  # else an on_commit hook failed, which undoes nothing
            scope.fail(exc)
        raise
    finally:
        if scope.failure is not None:
            if scope.has_compensations:
                _take_back(scope)
            _record_failure(scope)


def _take_back(scope: Scope) -> None:
    """Durable effects that made sense only with the scope; one that cannot be taken back now expires by itself.

    What is emitted while they are taken back is recorded with that.
    """
    context = _transaction("default", scope.tenant_id, scope.principal.id)
    with suppress(DatabaseError, AuditUnavailable), context, _entered(scope):
        scope.compensate()
        scope.events.flush()


def _record_failure(scope: Scope) -> None:
    primary = scope.events.primary_after(scope.failure)
    if primary is None:
        return
    with _transaction("default", scope.tenant_id, scope.principal.id), _entered(scope):
        EventBuffer.write([primary, *scope.events.lasting])


@contextmanager
def _transaction(alias: str, tenant_id: UUID, principal_id: UUID) -> Iterator[None]:
    """A transaction on ``alias`` under ``tenant_id``; the settings are put back before it ends."""
    with transaction.atomic(using=alias):
        _set_context(alias, str(tenant_id), str(principal_id))
        yield
        if not connections[alias].needs_rollback:
            _set_context(alias, "", "")


def _set_context(alias: str, tenant: str, principal: str) -> None:
    with _allowed("sets the scope's own context"), connections[alias].cursor() as cursor:
        cursor.execute(_SET_CONTEXT, [tenant, principal])


@contextmanager
def durable_effect() -> Iterator[None]:
    """Write what must outlive a refusal (attempt counters, throttles, spent quota).

    Statements inside go over a second connection in their own transaction under the same tenant, committed at exit
    whatever becomes of the scope around it. Never touch rows here that the scope has written: it would wait for itself,
    which ends after DURABLE_LOCK_TIMEOUT in an OperationalError. In a scope that keeps nothing they go with it,
    and in another durable effect with that.

    The second connection goes back to its pool at exit. Kept until the thread is done, it would be idle in the hands of
    scopes that wait for a row of another scope, which itself waits for a second connection.
    """
    scope = current_scope()
    if scope.keeps_nothing or active_alias() == "durable":
        with transaction.atomic(using=active_alias()):
            yield
        return
    with closing(connections["durable"]), _transaction("durable", scope.tenant_id, scope.principal.id):
        _limit_waiting()
        token = _alias.set("durable")
        try:
            yield
        finally:
            _alias.reset(token)


def _limit_waiting() -> None:
    with connections["durable"].cursor() as cursor:
        cursor.execute(_SET_LOCK_TIMEOUT, [DURABLE_LOCK_TIMEOUT])


@contextmanager
def unscoped(reason: str, *, tenant_slug: str | None = None) -> Iterator[None]:
    """Allow statements that touch no tenant's rows, and the lookup of one tenant by its slug.

    No tenant is set, so row-level security shows nothing. ``reason`` is for the reader of the code.
    """
    with transaction.atomic(), _allowed(reason):
        if tenant_slug is not None:
            _set_slug(tenant_slug)
        yield
        if tenant_slug is not None:
            _set_slug("")


@contextmanager
def _allowed(reason: str) -> Iterator[None]:
    token = _unscoped.set(reason)
    try:
        yield
    finally:
        _unscoped.reset(token)


def _set_slug(slug: str) -> None:
    with connections["default"].cursor() as cursor:
        cursor.execute(_SET_SLUG, [slug])


def refuse_without_scope(
    execute: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
) -> Any:
    """Execute wrapper of the guarded connections: no scope, no statement."""
    if _current.get() is None and _unscoped.get() is None:
        raise NoTenantScope(statement=sql.split(" ", 1)[0])
    return execute(sql, params, many, context)


def guard_connection(*, connection: Any, **_: Any) -> None:
    """Receiver of ``connection_created``: put the guard on the application's connections."""
    if connection.alias in GUARDED_ALIASES and refuse_without_scope not in connection.execute_wrappers:
        connection.execute_wrappers.append(refuse_without_scope)
