"""The allow-list: which findings somebody has said are harmless."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

from anonymization.findings import Finding
from anonymization.trust.normal import normalizer_of, value_digest
from anonymization.trust.patterns import FullPatternSet, scannable
from anonymization.trust.places import PlaceIndex
from anonymization.trust.rules import AllowRule
from vaultsite.kernel.crypto.keys import SecretKey


class AllowList:
    """Values by digest, patterns in one pass, places in one pass. ``key`` is needed where there are values."""

    def __init__(self, rules: Sequence[AllowRule], key: SecretKey | None) -> None:
        self._key = key
        self._values: dict[str, dict[bytes, list[AllowRule]]] = defaultdict(lambda: defaultdict(list))
        for rule in rules:
            if rule.digest:
                self._values[rule.normalizer][rule.digest].append(rule)
        self._pattern_rules = [rule for rule in rules if rule.pattern]
        self._patterns = FullPatternSet([rule.pattern for rule in self._pattern_rules]) if self._pattern_rules else None
        self._anywhere_in_place = [rule for rule in rules if not rule.digest and not rule.pattern]
        self._places = PlaceIndex([(rule.place, rule) for rule in rules if rule.place is not None])

    def __bool__(self) -> bool:
        return bool(self._values or self._patterns or self._anywhere_in_place)

    def entry_for(self, finding: Finding, covered: str, at: float) -> AllowRule | None:
        """The entry that says the finding is harmless, ``covered`` being the text it covers."""
        for rule in self._candidates(finding, covered):
            if rule.entity_type in ("", finding.entity_type) and rule.expires_at > at and self._holds_at(rule, finding):
                return rule
        return None

    def _candidates(self, finding: Finding, covered: str) -> Iterator[AllowRule]:
        if self._values and self._key is not None:
            for normalizer in {"text", normalizer_of(finding.entity_type)} & self._values.keys():
                yield from self._values[normalizer].get(value_digest(self._key, normalizer, covered), ())
        if self._patterns is not None:
            yield from (self._pattern_rules[index] for index in self._patterns.matching(scannable(covered)))
        if self._anywhere_in_place:
            yield from self._anywhere_in_place

    def _holds_at(self, rule: AllowRule, finding: Finding) -> bool:
        if rule.place is None:
            return True
        return finding.part == "value" and any(found is rule for found in self._places.at(finding.pointer))
