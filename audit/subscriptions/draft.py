"""What a subscription says, before it is one."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from access.ports import dataset_directory
from audit.catalog.aliases import CANONICAL, VOCABULARIES
from audit.catalog.envelope import CLOUDEVENTS, FORMATS
from audit.catalog.topics import ALL_TOPICS
from audit.models import EventSubscription, WebhookEndpoint
from audit.subscriptions.grammar import compile_filter
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import EventType

MAX_NAME: Final = 120
MAX_ROUTE: Final = 64
#: Types that one subscription may name.
MAX_TYPES: Final = 100
_ROUTE: Final = re.compile(r"[a-z0-9]+(?:[._-][a-z0-9]+)*")
_TYPES: Final = frozenset(kind.value for kind in EventType)


@dataclass(frozen=True)
class Draft:
    """The members of an EventSubscription that people set; exactly one of ``endpoint_id`` and ``route`` is given."""

    name: str
    topics: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    filter: str = ""
    format: str = CLOUDEVENTS
    vocabulary: str = CANONICAL
    endpoint_id: UUID | None = None
    route: str = ""
    is_active: bool = True

    def columns(self) -> dict[str, object]:
        """The values of the row's columns."""
        return {
            "name": self.name.strip(),
            "topics": list(dict.fromkeys(self.topics)),
            "types": list(dict.fromkeys(self.types)),
            "expression": self.filter.strip(),
            "format": self.format,
            "vocabulary": self.vocabulary,
            "endpoint_id": self.endpoint_id,
            "route": self.route,
            "is_active": self.is_active,
        }


def draft_of(row: EventSubscription) -> Draft:
    """What the row says now."""
    return Draft(
        name=row.name,
        topics=tuple(row.topics),
        types=tuple(row.types),
        filter=row.expression,
        format=row.format,
        vocabulary=row.vocabulary,
        endpoint_id=row.endpoint_id,
        route=row.route,
        is_active=row.is_active,
    )


def require_choice(draft: Draft) -> None:
    """Refuse what would choose nothing, or cannot be read. Raises InvalidInput, InvalidFilter."""
    _require(_problems_of_choice(draft))
    compile_filter(draft.filter.strip())


def require_sound(draft: Draft) -> None:
    """Refuse what cannot be a subscription, in the open scope.

    Raises InvalidInput, InvalidFilter, and the directory's refusal of personal data in the name.
    """
    _require([*_problems_of_choice(draft), *_problems_of_place(draft)])
    compile_filter(draft.filter.strip())
    dataset_directory().refuse_personal_data(name=draft.name)


def _require(problems: Iterable[FieldProblem]) -> None:
    if found := list(problems):
        raise InvalidInput(errors=found)


def _problems_of_choice(draft: Draft) -> Iterator[FieldProblem]:
    if unknown := set(draft.topics) - set(ALL_TOPICS):
        yield FieldProblem("/topics", f"{len(unknown)} of them are no topics")
    if unknown := set(draft.types) - _TYPES:
        yield FieldProblem("/types", f"{len(unknown)} of them are no types of events")
    if len(draft.types) > MAX_TYPES:
        yield FieldProblem("/types", f"at most {MAX_TYPES}")
    if draft.format not in FORMATS:
        yield FieldProblem("/format", f"one of {', '.join(FORMATS)}")
    if draft.vocabulary not in VOCABULARIES:
        yield FieldProblem("/vocabulary", f"one of {', '.join(VOCABULARIES)}")


def _problems_of_place(draft: Draft) -> Iterator[FieldProblem]:
    if not 0 < len(draft.name.strip()) <= MAX_NAME:
        yield FieldProblem("/name", f"1 to {MAX_NAME} characters")
    if (draft.endpoint_id is None) == (draft.route == ""):
        yield FieldProblem("/endpoint_id", "either a webhook endpoint or a route of the message broker")
    if draft.endpoint_id and not WebhookEndpoint.objects.filter(pk=draft.endpoint_id).exists():
        yield FieldProblem("/endpoint_id", "There is no such webhook endpoint.")
    if draft.route and not (len(draft.route) <= MAX_ROUTE and _ROUTE.fullmatch(draft.route)):
        yield FieldProblem("/route", f"words of a-z and 0-9 joined by . _ or -, at most {MAX_ROUTE} characters")
