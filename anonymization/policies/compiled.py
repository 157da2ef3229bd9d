"""A policy with its operators bound to keys: what it does to a finding, and which whole fields it names."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from anonymization.detectors.walk import leaves
from anonymization.findings import UNSCANNABLE, Finding
from anonymization.operators.base import Keys
from anonymization.operators.strategy import Strategy, make_strategy
from anonymization.policies.document import Match, PolicyDocument, Rule
from anonymization.policies.places import is_within
from anonymization.policies.schema import KEEP

#: What findings that a policy itself makes, over a whole field, name as their recognizer.
RECOGNIZER: Final = "policy"
#: The kind of a field that is hidden as a whole, where nothing says what it holds.
FIELD: Final = "FIELD"


@dataclass
class CompiledPolicy:
    """One version of a policy, ready to be applied. ``reference`` names it ("name@3")."""

    reference: str
    document: PolicyDocument
    default: Strategy | None
    #: With each rule the strategy it chooses (None: leave it).
    rules: Sequence[tuple[Rule, Strategy | None]]

    @classmethod
    def of(cls, reference: str, document: PolicyDocument, keys_of: Callable[[str, str], Keys]) -> "CompiledPolicy":
        """``keys_of`` gives the keys of a scope and locale. Raises UnknownOperator, OperatorKeyMissing."""
        keys = keys_of(document.scope, document.locale)
        rules = [(rule, _bound(rule, keys)) for rule in document.rules]
        return cls(reference, document, _bound(document.default, keys), rules)

    def strategy_for(self, finding: Finding) -> Strategy | None:
        """What the policy does to what a finding covers; None leaves it. What nobody could look into is never left."""
        chosen = self._chosen(finding)
        if chosen is None and finding.entity_type == UNSCANNABLE:
            return make_strategy("redact")
        return chosen

    def _chosen(self, finding: Finding) -> Strategy | None:
        if any(_matches(match, finding) for match in self.document.exceptions):
            return None
        for rule, strategy in self.rules:
            if _matches(rule.match, finding):
                return strategy
        return self.default if finding.score >= self.document.min_score else None

    @property
    def names_whole_fields(self) -> bool:
        return any(rule.whole_field for rule, _ in self.rules)

    def whole_fields(self, record: Mapping[str, Any]) -> Iterator[Finding]:
        """A finding over each value that stands in a field the policy names as a whole, empty ones left out."""
        for leaf in leaves(record):
            if leaf.part == "value" and leaf.text and self._rule_for_all_of(leaf.pointer):
                yield Finding(leaf.pointer, "value", 0, len(leaf.text), FIELD, 1.0, RECOGNIZER)

    def strategy_for_all_of(self, pointer: str) -> Strategy | None:
        """What the policy does to the whole value at a place."""
        found = self._rule_for_all_of(pointer)
        return found[1] if found else None

    def _rule_for_all_of(self, pointer: str) -> tuple[Rule, Strategy | None] | None:
        if any(not match.entities and is_within(pointer, match.fields) for match in self.document.exceptions):
            return None
        for rule, strategy in self.rules:
            if rule.whole_field and is_within(pointer, rule.match.fields):
                return rule, strategy
        return None


def _bound(rule: Rule, keys: Keys) -> Strategy | None:
    return None if rule.strategy == KEEP else make_strategy(rule.strategy, rule.parameters, keys)


def _matches(match: Match, finding: Finding) -> bool:
    return (
        finding.score >= match.min_score
        and (not match.entities or finding.entity_type in match.entities)
        and (not match.fields or is_within(finding.pointer, match.fields))
    )
