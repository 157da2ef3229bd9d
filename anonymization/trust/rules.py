"""The rules a tenant puts over detections: lists, fields and thresholds, as data."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final
from uuid import UUID

import regex

from anonymization.findings import REFUSED_ENTITIES, UNSCANNABLE
from anonymization.trust.errors import InvalidRule
from anonymization.trust.places import PlacePattern
from vaultsite.kernel.errors import FieldProblem

#: What a value is called that a rule, and no recognizer, says is personal.
SENSITIVE: Final = "SENSITIVE"
#: What no rule may touch: content nobody looked into, and data that may not be stored at all.
LOCKED: Final = REFUSED_ENTITIES | {UNSCANNABLE}
#: When a rule ends that has no end.
FOREVER: Final = float("inf")

_ENTITY_TYPE: Final = regex.compile(r"[A-Z][A-Z0-9_]{1,63}")


class FieldDecision(StrEnum):
    """What a field rule says: its values are of a type, are always personal, or never are."""

    TYPE = "type"
    ALWAYS = "always"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class AllowRule:
    """A value (by digest), a pattern, or neither: then whatever is found in ``place``. All that is given must hold."""

    id: UUID
    digest: bytes = b""
    normalizer: str = "text"
    pattern: str = ""
    entity_type: str = ""
    place: PlacePattern | None = None
    expires_at: float = FOREVER


@dataclass(frozen=True, slots=True)
class DenyRule:
    """Source of a pattern that must be hidden as ``entity_type``; ``is_value``: it was made from a value."""

    id: UUID
    pattern: str
    entity_type: str = SENSITIVE
    place: PlacePattern | None = None
    is_value: bool = False
    expires_at: float = FOREVER


@dataclass(frozen=True, slots=True)
class FieldRule:
    """``is_own``: of the dataset itself, not of the whole tenant."""

    id: UUID
    place: PlacePattern
    decision: FieldDecision
    entity_type: str = SENSITIVE
    is_own: bool = False
    expires_at: float = FOREVER

    @property
    def rank(self) -> tuple[bool, tuple[int, int], bool]:
        """The greatest of the rules for a place decides: the dataset's own, the narrowest, the one that hides."""
        return self.is_own, self.place.specificity, self.decision != FieldDecision.NEVER


@dataclass(frozen=True, slots=True)
class ThresholdRule:
    """Findings of ``entity_type`` count from ``score`` on."""

    id: UUID
    entity_type: str
    score: float
    is_own: bool = False


@dataclass(frozen=True, slots=True)
class TrustRules:
    """Everything that holds for a dataset, or, without one, for texts of the tenant."""

    allow: tuple[AllowRule, ...] = ()
    deny: tuple[DenyRule, ...] = ()
    fields: tuple[FieldRule, ...] = ()
    thresholds: tuple[ThresholdRule, ...] = ()


def is_entity_type(text: str) -> bool:
    return _ENTITY_TYPE.fullmatch(text) is not None


def checked_entity(entity_type: str, *, member: str = "entity_type") -> str:
    """The entity type. Raises InvalidRule for what is none, or what no rule may touch."""
    if entity_type in LOCKED:
        detail = "is never released, whatever the rules"
    elif not is_entity_type(entity_type):
        detail = "upper-case letters, digits and _, such as EMAIL_ADDRESS; at most 64"
    else:
        return entity_type
    raise InvalidRule(errors=[FieldProblem(field=f"/{member}", detail=detail)])
