"""Other spellings of event types, for subscribers that were written for them."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from vaultsite.kernel.events.event import EventType

#: The name of the vocabulary that renames nothing.
CANONICAL: Final = "canonical"

#: Vocabulary -> type -> what its subscribers call it. ``registry`` is that of model registries, ``platform`` that of
#: the topics ``vault.events.*``. A type without a line keeps its own name.
VOCABULARIES: Final[Mapping[str, Mapping[EventType, str]]] = MappingProxyType(
    {
        CANONICAL: MappingProxyType({}),
        "registry": MappingProxyType(
            {
                EventType.ACCESS_READ: "data.accessed",
                EventType.VERSIONED: "version.created",
            }
        ),
        "platform": MappingProxyType(
            {
                EventType.ACCESS_READ: "data.read",
                EventType.ACCESS_WRITE: "data.write",
                EventType.KEY_ROTATED: "key.rotated",
                EventType.BREACH_SUSPECTED: "breach.suspected",
                EventType.RETENTION_APPLIED: "retention.policy.applied",
            }
        ),
    }
)

#: What was attempted, by the operation that a denied decision names.
_ATTEMPTS: Final = MappingProxyType({"read": EventType.ACCESS_READ, "write": EventType.ACCESS_WRITE})
_OTHER_NAMES: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        kind.value: tuple(names[kind] for names in VOCABULARIES.values() if kind in names)
        for kind in {kind for names in VOCABULARIES.values() for kind in names}
    }
)
#: Other spelling -> type.
ALIASES: Final[Mapping[str, str]] = MappingProxyType(
    {alias: kind for kind, aliases in _OTHER_NAMES.items() for alias in aliases}
)


def alias_of(event_type: str, vocabulary: str) -> str:
    """What subscribers of ``vocabulary`` call a type."""
    names: Mapping[str, str] = VOCABULARIES[vocabulary]  # type: ignore[assignment]  # a StrEnum's member is its text
    return names.get(event_type, event_type)


def names_of(event_type: str, operation: str) -> tuple[str, ...]:
    """Every name a filter may call an event by: its type, other spellings of it, and those of what was denied.

    A read that was denied is a ``data.access.denied``, and a ``data.read`` with the status ``denied`` in the spelling
    of subscribers that know no type of its own for it.
    """
    attempted = _ATTEMPTS.get(operation) if event_type == EventType.ACCESS_DENIED else None
    return (event_type, *_OTHER_NAMES.get(event_type, ()), *(_OTHER_NAMES.get(attempted, ()) if attempted else ()))
