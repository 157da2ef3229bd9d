"""Explaining: what is found in a text or record, why, and what the tenant's rules made of it. Nothing is stored."""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any
from uuid import UUID

from django.conf import settings

from access.services.keyring import KeyPurpose, current_key
from anonymization.detectors.base import Detector
from anonymization.detectors.walk import scan_records
from anonymization.errors import OperatorKeyMissing
from anonymization.findings import Finding
from anonymization.operators.registry import OPERATORS, get_operator
from anonymization.policies.presets import PRESETS
from anonymization.services.anonymize import apply
from anonymization.services.anonymizer import build_trial
from anonymization.services.detect import active_detector
from anonymization.services.trust import load_trust
from anonymization.trust.trust import Judgement, Trust


@dataclass(frozen=True)
class Shown:
    """What one operator makes of a record; ``record`` is None where it needs what a trial does not have."""

    operator: str
    title: str
    description: str
    record: dict[str, Any] | None


def explain_record(
    record: Mapping[str, Any], *, dataset_id: UUID | None = None, is_strict: bool = False, with_rules: bool = True
) -> list[Judgement]:
    """Every detection in ``{"data": .., "metadata": ..}`` by place, with what decided on it; in the open scope.

    The rules of ``dataset_id`` apply, or those of the whole tenant. ``with_rules`` is for those who may read the rules:
    to others the answer would tell which values are listed. Raises DetectionFailed.
    """
    detector = strict_detector() if is_strict else active_detector()
    [findings] = scan_records([record], detector)
    trust = load_trust(dataset_id) if with_rules else Trust()
    judged = trust.judged(record, findings)
    return sorted(judged, key=lambda one: (one.finding, one.verdict))


def show_with_every_operator(record: Mapping[str, Any], findings: Sequence[Finding]) -> list[Shown]:
    """The record under each operator with its usual parameters, by name."""
    # A key of its own: whoever may try texts could otherwise find out by guessing what stands in a dataset.
    key = current_key(KeyPurpose.PSEUDONYM).key.derive(b"playground")
    shown = []
    for name in sorted(OPERATORS):
        operator = get_operator(name)
        try:
            result = apply(record, findings, operator=name, hash_key=key, threshold=0.0)
        except OperatorKeyMissing:
            result = None
        shown.append(Shown(name, operator.title, operator.description, result))
    return shown


def show_with_presets(record: Mapping[str, Any], findings: Sequence[Finding]) -> list[Shown]:
    """The record under each preset policy, for readers of raw records alone: the keys are those of the tenant.

    ``findings`` are all detections: the policy and the tenant's rules decide. Raises what the anonymizer raises.
    """
    shown = []
    for name, preset in PRESETS.items():
        trial = build_trial(policy=f"preset:{name}", dataset_id=None, purpose=None)
        shown.append(Shown(name, preset.title, preset.caveat, trial.show(record, findings)))
    return shown


@cache
def strict_detector() -> Detector:
    """The configured detector in strict mode: more is found, more of it wrongly. One without the mode as it is."""
    detector = active_detector()
    options = settings.VAULT["DETECTOR"].get("OPTIONS", {})
    try:
        strict: Detector = type(detector)(**{**options, "strict": True})
    except TypeError:
        return detector
    return strict


os.register_at_fork(after_in_child=strict_detector.cache_clear)
