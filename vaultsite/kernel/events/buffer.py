"""The events of one scope, held until it ends."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from django.db import DatabaseError, transaction

from vaultsite.kernel.errors import AuditUnavailable, VaultError
from vaultsite.kernel.events.event import Event, Recorded
from vaultsite.kernel.tenancy.principal import Principal, RequestFacts

#: Writes events inside the transaction it is called in.
Sink = Callable[[Sequence[Recorded]], None]

_sinks: Final[list[Sink]] = []


def register_sink(sink: Sink) -> None:
    """Called once at start-up by the app that stores events."""
    if sink not in _sinks:
        _sinks.append(sink)


class _Marker:
    """Registered with on_commit so that Django forgets it when the savepoint it was emitted in is rolled back."""

    __slots__ = ("recorded",)

    def __init__(self, recorded: Recorded) -> None:
        self.recorded = recorded

    def __call__(self) -> None:
        """Committing needs no action: the event is already stored by then."""


@dataclass
class EventBuffer:
    """Events wait here and are written in the scope's own transaction, at its end."""

    primary: Recorded | None = None
    #: What is written beside the primary event when the scope fails.
    lasting: list[Recorded] = field(default_factory=list)
    _markers: list[_Marker] = field(default_factory=list)

    def add(self, recorded: Recorded, *, primary: bool) -> None:
        """Hold an event. The primary one is the scope's decision: it is written even when the scope fails."""
        if primary:
            self.primary = recorded
        marker = _Marker(recorded)
        self._markers.append(marker)
        transaction.on_commit(marker)

    def expect(self, event: Event, principal: Principal, request: RequestFacts, tenant_id: UUID) -> None:
        """Name the event to record if the scope fails before any decision; a success writes nothing of it."""
        self.primary = Recorded(event=event, tenant_id=tenant_id, principal=principal, request=request)

    def surviving(self) -> list[Recorded]:
        """The buffered events whose savepoint was not rolled back, in order of emission."""
        pending = {id(hook[1]) for hook in transaction.get_connection().run_on_commit}
        return [marker.recorded for marker in self._markers if id(marker) in pending]

    def flush(self) -> None:
        """Write what is buffered, and what the sinks themselves emit while writing (a key they had to make)."""
        while events := self.surviving():
            self._markers.clear()
            self.write(events)

    def primary_after(self, failure: BaseException | None) -> Recorded | None:
        """The primary event as it must be recorded after ``failure`` undid the scope."""
        if self.primary is None or failure is None:
            return None
        return Recorded(
            event=self.primary.event.ended_by(failure),
            tenant_id=self.primary.tenant_id,
            principal=self.primary.principal,
            request=self.primary.request,
        )

    @staticmethod
    def write(events: Sequence[Recorded]) -> None:
        """Hand events to every sink in the open transaction; raises AuditUnavailable when one cannot take them."""
        if not _sinks:
            raise AuditUnavailable("no sink is registered")
        try:
            for sink in _sinks:
                sink(events)
        except (DatabaseError, VaultError, OSError) as exc:
            raise AuditUnavailable from exc
