"""The anonymizer: everything a decision obliges to, made ready once and applied to record after record."""

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from access.services.authorize import Obligation
from anonymization.errors import ObligationUnmet
from anonymization.findings import ACT_FROM, Finding
from anonymization.operators.base import Piece, Show
from anonymization.operators.lists import DEFAULT_LOCALE
from anonymization.operators.registry import OPERATORS
from anonymization.operators.rewrite import NOBODY, Whose, copied, rewrite, rewrite_plainly, value_at
from anonymization.operators.strategy import Strategy, make_strategy, strictest
from anonymization.policies.compiled import RECOGNIZER, CompiledPolicy
from anonymization.policies.errors import PolicyNotFound, PolicyVersionNotFound
from anonymization.policies.hidden import HiddenFields
from anonymization.policies.places import is_within, values_below
from anonymization.services.operator_keys import KeySource
from anonymization.services.policy_source import compiled_policy, trial_policy
from anonymization.services.trust import load_trust
from anonymization.trust.trust import Trust, Verdict

#: How many places and kinds the choice is remembered for.
_REMEMBERED: Final = 8192
_POLICY: Final = "policy"


@dataclass(frozen=True, slots=True)
class Declared:
    """A field that its schema says is personal: where (``*``: every element), of what kind, and how to show it."""

    place: str
    entity_type: str
    strategy: str


@dataclass
class Anonymizer:
    """Shows records as the obligations of one decision allow. Needs no open scope.

    ``floor`` is what the reader's role asks for, whatever policies say. Of all that applies to one piece of personal
    data (floor, policies, what the schema declares) the strictest counts.
    """

    floor: Strategy | None = None
    policies: tuple[CompiledPolicy, ...] = ()
    declared: tuple[tuple[Declared, Strategy], ...] = ()
    trust: Trust = field(default_factory=Trust)
    _fallback: Strategy = field(default_factory=lambda: make_strategy("redact"))
    _chosen: dict[tuple[str, str, str, float, str], Strategy | None] = field(default_factory=dict)

    @property
    def is_raw(self) -> bool:
        return self.floor is None and not self.policies

    @property
    def operator(self) -> str | None:
        """How records are shown, in one word: an operator, ``policy``, or None for raw."""
        if self.policies:
            return _POLICY
        return self.floor.name if self.floor else None

    @property
    def policy_facts(self) -> tuple[dict[str, str], ...]:
        """Each policy's reference ("name@3") and the SHA-256 of its document, for decisions and passports."""
        return tuple({"policy": one.reference, "sha256": one.document.digest.hex()} for one in self.policies)

    @cached_property
    def content_hash(self) -> bytes:
        """SHA-256 of what the result depends on beside record, findings and keys."""
        parts = [self.floor.name if self.floor else "raw", self.trust.content_hash.hex()]
        parts += [policy.document.digest.hex() for policy in self.policies]
        parts += [f"{one.place}\0{one.entity_type}\0{one.strategy}" for one, _ in self.declared]
        return hashlib.sha256("\n".join(parts).encode()).digest()

    @cached_property
    def _only_floor(self) -> Strategy | None:
        """The one strategy for all that is found, where nothing else applies."""
        return self.floor if self.trust.is_plain and not self.policies and not self.declared else None

    @cached_property
    def acts_on_findings_alone(self) -> bool:
        """Whether a record without findings is shown as it is."""
        names_fields = any(policy.names_whole_fields for policy in self.policies) or bool(self.declared)
        return self.trust.is_plain and not names_fields

    def show(self, record: Mapping[str, Any], findings: Sequence[Finding], *, record_id: str = "") -> dict[str, Any]:
        """A copy of ``{"data": .., "metadata": ..}`` as it may be seen, without the record given being changed.

        ``findings`` are all stored detections of the record. Raises FindingMismatch when one does not fit it,
        DetectionFailed when the tenant's deny-list could not be looked for: then nothing may be shown.
        """
        return self.show_own(copied(record), findings, record_id=record_id)

    def show_own(self, record: dict[str, Any], findings: Sequence[Finding], *, record_id: str = "") -> dict[str, Any]:
        """As :meth:`show`, of a record that is the caller's to give away: it is changed and returned."""
        floor = self._only_floor
        if floor is not None and (not findings or rewrite_plainly(record, findings, floor)):
            return record
        if self.is_raw or (not findings and self.acts_on_findings_alone):
            return record
        acting = self._acting(record, findings)
        return rewrite(record, acting, self.choose, self._fallback, self._whose(record, record_id))

    def _acting(self, record: Mapping[str, Any], findings: Sequence[Finding]) -> Sequence[Finding]:
        """The findings that count, and one over each value that policies or the schema name as a whole."""
        counted = self._counted(record, findings)
        if not self.policies and not self.declared:
            return counted
        whole = [one for policy in self.policies if policy.names_whole_fields for one in policy.whole_fields(record)]
        return [*counted, *whole, *self._declared_in(record)]

    def prepare(self, records: Sequence[Mapping[str, Any]], findings: Sequence[Sequence[Finding]]) -> None:
        """Work on many records at once where an operator is cheaper so; :meth:`show` then uses what came of it."""
        strategies = [one for policy in self.policies for _, one in policy.rules] + [
            one.default for one in self.policies
        ]
        strategies += [self.floor, *(strategy for _, strategy in self.declared)]
        waiting: dict[int, list[Piece]] = {id(one): [] for one in strategies if one is not None and one.show_many}
        if not waiting:
            return
        collectors = {
            id(one): replace(one, show=_collector(waiting[id(one)]), is_local=False, show_many=None)
            for one in strategies
            if one is not None and id(one) in waiting
        }

        def choose(finding: Finding) -> Strategy | None:
            chosen = self.choose(finding)
            return collectors.get(id(chosen), chosen)

        for record, found in zip(records, findings, strict=True):
            mine = copied(record)
            rewrite(mine, self._acting(mine, found), choose, self._fallback)
        for strategy in {id(one): one for one in strategies if one is not None and id(one) in waiting}.values():
            strategy.prepare(waiting[id(strategy)])

    def choose(self, finding: Finding) -> Strategy | None:
        """What happens to what a finding covers: the strictest of all that applies; None leaves it."""
        if not self.policies and not self.declared:
            return self.floor if finding.score >= ACT_FROM else None
        key = (finding.pointer, finding.part, finding.entity_type, finding.score, finding.recognizer)
        if key not in self._chosen:
            if len(self._chosen) >= _REMEMBERED:
                self._chosen.clear()
            self._chosen[key] = strictest(self._applying(finding), self._fallback)
        return self._chosen[key]

    def _applying(self, finding: Finding) -> list[Strategy | None]:
        if finding.recognizer == RECOGNIZER:
            return [policy.strategy_for_all_of(finding.pointer) for policy in self.policies]
        floor = self.floor if finding.score >= ACT_FROM else None
        declared = [
            strategy
            for one, strategy in self.declared
            if finding.part == "value" and is_within(finding.pointer, [one.place])
        ]
        return [floor, *declared, *(policy.strategy_for(finding) for policy in self.policies)]

    def _counted(self, record: Mapping[str, Any], findings: Sequence[Finding]) -> Sequence[Finding]:
        """The findings that count. One that the tenant's thresholds let count is as sure as any that acts."""
        if self.trust.is_plain and not self.policies:
            return findings
        counted = [
            finding if finding.score >= ACT_FROM else replace(finding, score=ACT_FROM)
            for finding in self.trust.effective(record, findings)
        ]
        return counted + self._weaker(record, findings) if self._asks_below < ACT_FROM else counted

    def _weaker(self, record: Mapping[str, Any], findings: Sequence[Finding]) -> list[Finding]:
        """Findings that count for policies alone, which ask for surer or less sure ones than others do."""
        return [
            one.finding
            for one in self.trust.judged(record, findings)
            if not one.counts and one.verdict == Verdict.DEFAULT and one.finding.score >= self._asks_below
        ]

    @cached_property
    def _asks_below(self) -> float:
        scores = [rule.match.min_score for policy in self.policies for rule, _ in policy.rules]
        return min([*scores, *(policy.document.min_score for policy in self.policies)], default=ACT_FROM)

    def _declared_in(self, record: Mapping[str, Any]) -> list[Finding]:
        """A finding over each value of a declared field, also of records older than their schema."""
        return [
            Finding(place, "value", 0, length, one.entity_type, 1.0, "schema")
            for one, _ in self.declared
            for place, length in values_below(record, one.place)
        ]

    def _whose(self, record: Mapping[str, Any], record_id: str) -> Whose:
        if not self.policies:
            return Whose(record_id) if record_id else NOBODY
        pointer = next((policy.document.subject for policy in self.policies if policy.document.subject), "")
        return Whose(record_id, value_at(record, pointer) if pointer else "")


def _collector(pieces: list[Piece]) -> Show:
    def show(piece: Piece) -> None:
        pieces.append(piece)

    return show


def build_anonymizer(
    obligations: Sequence[Obligation],
    *,
    dataset_id: UUID | None,
    purpose: str | None,
    declared: Callable[[], Sequence[Declared]] = tuple,
) -> Anonymizer:
    """What discharges the obligations, in the open scope; ``declared`` tells what the dataset's schema says.

    Raises ObligationUnmet when one of them cannot be: it is not understood, or names a policy that is not active.
    """
    if not obligations:
        return Anonymizer()
    source = KeySource(dataset_id, purpose or "")
    keys = source.keys("tenant", DEFAULT_LOCALE)
    floors: list[Strategy] = []
    policies: list[CompiledPolicy] = []
    for obligation in obligations:
        if obligation.type == "mask" and obligation.fields:
            policies.append(HiddenFields.hiding(obligation.fields, keys))
            continue
        if obligation.type != "anonymize" or bool(obligation.policy) is (obligation.operator in OPERATORS):
            raise ObligationUnmet(obligation=str(obligation))
        if obligation.policy:
            policies.append(_policy(obligation, source))
        else:
            floors.append(make_strategy(obligation.operator, keys=keys))
    return Anonymizer(
        floor=strictest(floors, make_strategy("redact")),
        policies=tuple(policies),
        declared=_declared(declared, source),
        trust=load_trust(dataset_id),
    )


def _policy(obligation: Obligation, source: KeySource) -> CompiledPolicy:
    try:
        return compiled_policy(obligation.policy, source)
    except (PolicyNotFound, PolicyVersionNotFound) as unknown:
        raise ObligationUnmet(obligation=str(obligation)) from unknown


def build_trial(
    *,
    policy: str = "",
    version: int | None = None,
    document: Any = None,
    dataset_id: UUID | None,
    purpose: str | None,
    declared: Callable[[], Sequence[Declared]] = tuple,
) -> Anonymizer:
    """What a policy would do, in the open scope, for those who may see records raw anyway.

    ``policy`` is a name or ``preset:`` and a name, in ``version`` (None: the active one); else ``document`` is a policy
    that is stored nowhere. Raises PolicyNotFound, PolicyVersionNotFound, InvalidPolicy.
    """
    source = KeySource(dataset_id, purpose or "")
    tried = trial_policy(policy, version, document, source)
    return Anonymizer(policies=(tried,), declared=_declared(declared, source), trust=load_trust(dataset_id))


def _declared(declared: Callable[[], Sequence[Declared]], source: KeySource) -> tuple[tuple[Declared, Strategy], ...]:
    keys = source.keys("dataset", DEFAULT_LOCALE)
    return tuple((one, make_strategy(one.strategy, keys=keys)) for one in declared())
