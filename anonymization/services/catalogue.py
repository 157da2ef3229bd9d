"""The catalogue: which types of personal data the vault knows, and which recognizers find them."""

from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from typing import Final

from access.services.authorize import authorize
from anonymization.detectors.recognizers.catalogue import build_recognizers
from anonymization.findings import UNSCANNABLE
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
    """The shipped recognizers by what they find, in order of name. Raises AccessDenied."""
    authorize(principal, "detection.read", ResourceRef("detection-rule"))
    return known_entities()


@cache
def known_entities() -> tuple[EntityType, ...]:
    """The same without a decision, for lists to choose from."""
    found: dict[str, set[str]] = defaultdict(set)
    for recognizer in build_recognizers():
        for entity_type in recognizer.supported_entities:
            found[entity_type].add(recognizer.name)  # type: ignore[has-type]
    for entity_type, recognizer_name in _BESIDE_PATTERNS:
        found[entity_type].add(recognizer_name)
    return tuple(EntityType(kind, tuple(sorted(names)), kind not in LOCKED) for kind, names in sorted(found.items()))
