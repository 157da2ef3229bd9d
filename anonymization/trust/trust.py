"""Which of the detections in a record count, after everything people have said about them."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

import orjson

from anonymization.detectors.walk import scan_records
from anonymization.findings import ACT_FROM, Finding
from anonymization.trust.allow import AllowList
from anonymization.trust.deny import DENY_RECOGNIZER, DenyList
from anonymization.trust.places import PlaceIndex
from anonymization.trust.rules import (
    LOCKED,
    AllowRule,
    DenyRule,
    FieldDecision,
    FieldRule,
    ThresholdRule,
    TrustRules,
)
from anonymization.trust.texts import text_of, values_of
from vaultsite.kernel.crypto.keys import SecretKey

#: What findings that a schema states name as their recognizer.
SCHEMA_RECOGNIZER: Final = "schema"
#: What findings that a field rule states name as their recognizer; their ``pattern`` is the id of the rule.
FIELD_RECOGNIZER: Final = "field-rule"
_OWN: Final = frozenset({DENY_RECOGNIZER, FIELD_RECOGNIZER})
#: Raise it when the same rules come to another result.
_VERSION: Final = 1


class Verdict(StrEnum):
    """What decided on a finding, strongest first: what hides comes before what shows."""

    LOCKED = "locked"
    SCHEMA = "schema"
    FIELD_TYPE = "field-type"
    FIELD_ALWAYS = "field-always"
    DENY = "deny"
    FIELD_NEVER = "field-never"
    ALLOW = "allow"
    THRESHOLD = "threshold"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True)
class Judgement:
    """A finding, whether it counts, what decided that, and the id of the rule that did; empty: none of the tenant."""

    finding: Finding
    counts: bool
    verdict: Verdict
    rule_id: str = ""


class Trust:
    """The rules of one dataset (or of single texts), compiled; immutable, used from any thread, needs no database.

    ``content_hash`` (32 bytes) is equal for equal rules. ``key`` is the tenant's key of list values, needed where
    allow-lists hold values. ``had_rules``: stored findings may come from a deny-list of before. Entries end by the
    clock: one that expires while the object is in use stops at once.
    """

    def __init__(
        self,
        rules: TrustRules = TrustRules(),  # noqa: B008 - frozen
        key: SecretKey | None = None,
        *,
        had_rules: bool = False,
    ) -> None:
        self.rules = rules
        self._had_rules = had_rules
        self.content_hash = hashlib.sha256(f"trust/v{_VERSION}\0{sorted(_told(rules))}".encode()).digest()
        self._allow = AllowList(rules.allow, key)
        self._allows_values = frozenset(str(rule.id) for rule in rules.allow if rule.digest)
        self._deny = DenyList(rules.deny) if rules.deny else None
        self._deny_rules = {str(rule.id): rule for rule in rules.deny}
        ranked = sorted(rules.fields, key=lambda rule: rule.rank, reverse=True)
        self._fields: PlaceIndex[FieldRule] = PlaceIndex([(rule.place, rule) for rule in ranked])
        self._states_fields = any(rule.decision != FieldDecision.NEVER for rule in ranked)
        own_last = sorted(rules.thresholds, key=lambda rule: rule.is_own)
        self._thresholds = {rule.entity_type: rule for rule in own_last}

    @property
    def is_plain(self) -> bool:
        """Whether there never were rules: every stored finding is a detector's, and what scores ACT_FROM counts."""
        return not (self._had_rules or self._has_rules)

    @property
    def _has_rules(self) -> bool:
        return bool(self._allow or self._deny or self._fields or self._thresholds)

    def effective(
        self, record: Mapping[str, Any], findings: Sequence[Finding], *, at: float | None = None
    ) -> list[Finding]:
        """The findings that count in the record object ``{"data": .., "metadata": ..}``, sorted; no others may act.

        ``findings`` are all stored detections of the record, from STORE_FROM on. The result needs no further threshold:
        one that the tenant lowered leaves findings below ACT_FROM in it. ``at`` is the time in seconds since the epoch,
        now by default. Raises FindingMismatch when a finding that is left out does not fit the record (those kept are
        for whoever applies them to check), DetectionFailed when the deny-list could not be looked for.
        """
        if not self._has_rules:
            for finding in findings:
                if finding.score < ACT_FROM:
                    text_of(record, finding)
            return sorted(one for one in findings if one.score >= ACT_FROM and one.recognizer not in _OWN)
        return sorted(one.finding for one in self.judged(record, findings, at=at) if one.counts)

    def judged(
        self, record: Mapping[str, Any], findings: Sequence[Finding], *, at: float | None = None
    ) -> list[Judgement]:
        """Every finding, and those that rules add, with what decided on it. Raises as :meth:`effective`."""
        now = time.time() if at is None else at
        declared = {one.pointer for one in findings if one.recognizer == SCHEMA_RECOGNIZER and one.part == "value"}
        stated = list(self._stated(record, declared, now)) if self._states_fields else []
        denied = self._denied(record, now) if self._deny is not None else ()
        stored = (one for one in findings if one.recognizer not in _OWN)  # what the rules of another day had added
        judged = [self._judge(record, one, declared, now) for one in (*stored, *stated, *denied)]
        return self._with_parts(judged) if self._allows_values else judged

    def with_denied(self, record: Mapping[str, Any], findings: Sequence[Finding]) -> list[Finding]:
        """Detections as they are stored, with what the deny-list of now finds in place of what an earlier one found.

        Stored, they count in the profile of a version; readers get what :meth:`effective` says. Raises DetectionFailed.
        """
        detected = [one for one in findings if one.recognizer != DENY_RECOGNIZER]
        return [*detected, *self._denied(record, time.time())] if self._deny is not None else detected

    def _stated(self, record: Mapping[str, Any], declared: set[str], at: float) -> Iterator[Finding]:
        """One finding over each value whose field rule says it is personal, unless the schema has said what it is."""
        for pointer, length in values_of(record):
            rule = self._field_rule(pointer, at)
            if rule is not None and rule.decision != FieldDecision.NEVER and pointer not in declared:
                yield Finding(
                    pointer, "value", 0, length, rule.entity_type, 1.0,
                    FIELD_RECOGNIZER, str(rule.id), "", (f"field-{rule.decision}",),
                )  # fmt: skip

    def _denied(self, record: Mapping[str, Any], at: float) -> Iterator[Finding]:
        assert self._deny is not None
        for finding in scan_records([record], self._deny)[0]:
            rule = self._deny_rules.get(finding.pattern)
            if finding.recognizer != DENY_RECOGNIZER or rule is None or rule.expires_at <= at:
                continue
            if rule.place is None or (finding.part == "value" and rule.place.matches(finding.pointer)):
                yield finding

    def _judge(self, record: Mapping[str, Any], finding: Finding, declared: set[str], at: float) -> Judgement:
        text = text_of(record, finding)
        if finding.entity_type in LOCKED:
            return Judgement(finding, finding.score >= ACT_FROM, Verdict.LOCKED)
        if finding.recognizer == SCHEMA_RECOGNIZER:
            return Judgement(finding, True, Verdict.SCHEMA)
        decided = self._by_place(finding, self._rule_over(finding, declared, at))
        if decided is None and self._allow:
            entry = self._allow.entry_for(finding, text[finding.start : finding.end], at)
            decided = Judgement(finding, False, Verdict.ALLOW, str(entry.id)) if entry else None
        return decided or self._by_score(finding)

    @staticmethod
    def _by_place(finding: Finding, rule: FieldRule | None) -> Judgement | None:
        """What the field rule and the deny-list say; None: nothing."""
        if rule is not None and rule.decision != FieldDecision.NEVER:
            verdict = Verdict.FIELD_TYPE if rule.decision == FieldDecision.TYPE else Verdict.FIELD_ALWAYS
            return Judgement(finding, finding.recognizer == FIELD_RECOGNIZER, verdict, str(rule.id))
        if finding.recognizer == DENY_RECOGNIZER:
            return Judgement(finding, True, Verdict.DENY, finding.pattern)
        return Judgement(finding, False, Verdict.FIELD_NEVER, str(rule.id)) if rule is not None else None

    def _by_score(self, finding: Finding) -> Judgement:
        threshold = self._thresholds.get(finding.entity_type)
        if threshold is None:
            return Judgement(finding, finding.score >= ACT_FROM, Verdict.DEFAULT)
        return Judgement(finding, finding.score >= threshold.score, Verdict.THRESHOLD, str(threshold.id))

    def _with_parts(self, judged: Sequence[Judgement]) -> list[Judgement]:
        """Parts of an allowed value are as well known as the whole; of what a pattern allows nobody knows the parts."""
        allowed: dict[tuple[str, str], list[Judgement]] = defaultdict(list)
        for one in judged:
            if one.verdict == Verdict.ALLOW and one.rule_id in self._allows_values:
                allowed[one.finding.pointer, one.finding.part].append(one)
        return [_as_part(one, allowed.get((one.finding.pointer, one.finding.part), ())) for one in judged]

    def _rule_over(self, finding: Finding, declared: set[str], at: float) -> FieldRule | None:
        """The field rule that holds for a finding in a value, unless the schema says what the value is."""
        if finding.part == "key" or finding.pointer in declared:
            return None
        return self._field_rule(finding.pointer, at)

    def _field_rule(self, pointer: str, at: float) -> FieldRule | None:
        return next((rule for rule in self._fields.at(pointer) if rule.expires_at > at), None)


def _told(rules: TrustRules) -> Iterator[str]:
    every: tuple[AllowRule | DenyRule | FieldRule | ThresholdRule, ...]
    every = (*rules.allow, *rules.deny, *rules.fields, *rules.thresholds)
    for rule in every:
        yield type(rule).__name__ + orjson.dumps(asdict(rule), option=orjson.OPT_SORT_KEYS, default=repr).hex()


def _as_part(one: Judgement, allowed: Sequence[Judgement]) -> Judgement:
    if one.counts and one.verdict in {Verdict.THRESHOLD, Verdict.DEFAULT}:
        for whole in allowed:
            if whole.finding.start <= one.finding.start and one.finding.end <= whole.finding.end:
                return Judgement(one.finding, False, Verdict.ALLOW, whole.rule_id)
    return one
