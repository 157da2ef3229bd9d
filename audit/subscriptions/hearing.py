"""One event before all filters of its tenant: read once, and asked once by each distinct filter."""

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final, cast
from uuid import UUID

from audit.catalog.aliases import CANONICAL
from audit.catalog.envelope import CLOUDEVENTS, envelope
from audit.models import AuditEvent
from audit.selectors import read_body
from audit.subscriptions.filter import Filter, Subject
from audit.subscriptions.grammar import compile_filter

#: Tenants whose parsed filters a process keeps, and how many of each: those of as many webhooks and subscriptions as
#: there may be.
_TENANTS: Final = 256
_KEPT: Final = 256


class Hearing:
    """An event, what filters said of it, and the shapes it was put into."""

    def __init__(self, event: AuditEvent) -> None:
        self.event: Final = event
        self._filters = _filters_of(cast("UUID", event.tenant_id))
        self._answers: dict[str, bool] = {}
        self._shapes: dict[tuple[str, str], dict[str, Any]] = {}

    @cached_property
    def _body(self) -> dict[str, Any]:
        return read_body(self.event)

    @cached_property
    def _subject(self) -> Subject:
        return Subject(self._body)

    def passes(self, expression: str) -> bool:
        """Whether the filter holds for the event. Raises InvalidFilter."""
        answer = self._answers.get(expression)
        if answer is None:
            answer = self._answers[expression] = self._filters(expression).holds(self._subject)
        return answer

    def shaped(self, *, form: str = CLOUDEVENTS, vocabulary: str = CANONICAL) -> Mapping[str, Any]:
        """The event's envelope, shared by all who are sent this shape. Raises as ``envelope``."""
        key = (form, vocabulary)
        if key not in self._shapes:
            self._shapes[key] = envelope(self.event, form=form, vocabulary=vocabulary, body=self._body)
        return self._shapes[key]


@lru_cache(maxsize=_TENANTS)
def _filters_of(tenant_id: UUID) -> Callable[[str], Filter]:  # noqa: ARG001 - a store for each, that no other fills
    """How a tenant's filters are read: each once, as long as it is kept."""
    return lru_cache(maxsize=_KEPT)(compile_filter)
