"""The catalogue: which types of personal data the vault knows, and which recognizers find them."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final

from access.services.authorize import authorize
from anonymization.findings import UNSCANNABLE
from anonymization.services.detect import active_detector
from anonymization.trust.rules import LOCKED, SENSITIVE
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: What the finder of names finds, and what rules and the walk through a record name.
_BESIDE_PATTERNS: Final = (
    ("PERSON", "names"),
    ("LOCATION", "names"),
    ("ORGANIZATION", "names"),
    (SENSITIVE, "deny-list"),
    (SENSITIVE, "field-rule"),
    (UNSCANNABLE, "walk"),
)


@dataclass(frozen=True)
class EntityType:
    """``can_be_tuned``: lists, field rules and thresholds may speak of it."""

    entity_type: str
    recognizers: tuple[str, ...]
    can_be_tuned: bool


def list_entities(principal: Principal) -> tuple[EntityType, ...]:
    """The recognizers of the configured detector by what they find, in order of name. Raises AccessDenied."""
    authorize(principal, "detection.read", ResourceRef("detection-rule"))
    return known_entities()


def known_entities() -> tuple[EntityType, ...]:
    """The same without a decision, for lists to choose from."""
    found: dict[str, set[str]] = defaultdict(set)
    for recognizer_name, entity_type in active_detector().finds:
        found[entity_type].add(recognizer_name)
    for entity_type, recognizer_name in _BESIDE_PATTERNS:
        found[entity_type].add(recognizer_name)
    return tuple(EntityType(kind, tuple(sorted(names)), kind not in LOCKED) for kind, names in sorted(found.items()))
