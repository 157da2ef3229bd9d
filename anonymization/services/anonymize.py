"""Anonymizing: a record, or a text, with one operator for all that is found or one for each kind of it."""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any, Final

from anonymization.detectors.base import Span
from anonymization.errors import FindingMismatch
from anonymization.findings import ACT_FROM, Finding
from anonymization.operators.base import NO_PARAMETERS, Keys
from anonymization.operators.rewrite import copied, rewrite, text_at
from anonymization.operators.strategy import WITHHELD, Strategy, make_strategy
from vaultsite.kernel.crypto.keys import SecretKey

__all__ = ["WITHHELD", "apply", "apply_strategies", "apply_to_text", "found_text", "keys_for"]

_NO_EXCEPTIONS: Final[Mapping[str, str]] = MappingProxyType({})


def apply(
    record: Mapping[str, Any],
    findings: Sequence[Finding],
    *,
    operator: str,
    per_entity: Mapping[str, str] = _NO_EXCEPTIONS,
    hash_key: SecretKey | None = None,
    threshold: float = ACT_FROM,
) -> dict[str, Any]:
    """A copy of the record object ``{"data": .., "metadata": ..}`` without what the findings point to.

    ``operator`` names an operator, ``per_entity`` names others for single entity types, ``hash_key`` is what keyed
    operators need. Findings under ``threshold`` are left as they are. The record given is not changed.

    Raises FindingMismatch when any finding, whatever its score, does not fit the record; then nothing may be shown.
    Raises UnknownOperator and OperatorKeyMissing.
    """
    keys = keys_for(hash_key)
    strategies = {kind: make_strategy(name, NO_PARAMETERS, keys) for kind, name in per_entity.items()}
    default = make_strategy(operator, NO_PARAMETERS, keys)
    return apply_strategies(record, findings, default=default, per_entity=strategies, threshold=threshold)


def apply_strategies(
    record: Mapping[str, Any],
    findings: Sequence[Finding],
    *,
    default: Strategy,
    per_entity: Mapping[str, Strategy],
    threshold: float = ACT_FROM,
) -> dict[str, Any]:
    """As :func:`apply`, by strategies with parameters and keys of their own. Raises FindingMismatch."""

    def choose(finding: Finding) -> Strategy | None:
        return per_entity.get(finding.entity_type, default) if finding.score >= threshold else None

    return rewrite(copied(record), findings, choose, make_strategy("redact"))


def apply_to_text(
    text: str,
    spans: Sequence[Span],
    *,
    operator: str,
    per_entity: Mapping[str, str] = _NO_EXCEPTIONS,
    hash_key: SecretKey | None = None,
    threshold: float = ACT_FROM,
) -> str:
    """The text without what the spans cover; see :func:`apply`."""
    hidden: str = apply(
        {"data": text},
        findings_of_text(spans),
        operator=operator,
        per_entity=per_entity,
        hash_key=hash_key,
        threshold=threshold,
    )["data"]
    return hidden


def findings_of_text(spans: Sequence[Span]) -> list[Finding]:
    """The spans of a text as findings in the record ``{"data": text}``."""
    return [Finding("/data", "value", s.start, s.end, s.entity_type, s.score, s.recognizer) for s in spans]


def keys_for(key: SecretKey | None, *, sealing_key_id: bytes = bytes(16), locale: str = "en_US") -> Keys:
    """Keys of which all come from one, for texts that belong to no dataset."""
    sealing = key.derive(b"sealing") if key else None
    return Keys(key, sealing, sealing_key_id, locale, datetime.now(UTC).year)


def found_text(record: Mapping[str, Any], finding: Finding) -> str:
    """The text a finding covers, for keyed hashing. Raises FindingMismatch when it does not fit the record."""
    text = text_at(record, finding)
    if not 0 <= finding.start < finding.end <= len(text):
        raise FindingMismatch("Offsets outside the text")
    return text[finding.start : finding.end]
