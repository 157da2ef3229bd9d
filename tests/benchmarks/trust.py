"""What rules over detections cost per record, against none."""

import random
from collections.abc import Callable, Sequence
from typing import Any
from uuid import uuid4

from anonymization.findings import Finding
from anonymization.trust.normal import value_digest
from anonymization.trust.patterns import value_pattern
from anonymization.trust.places import PlacePattern
from anonymization.trust.rules import AllowRule, DenyRule, FieldDecision, FieldRule, ThresholdRule, TrustRules
from anonymization.trust.trust import Trust
from tests.benchmarks.figures import Cost, Figure, Plan, cost_of, interleaved
from vaultsite.kernel.crypto.keys import SecretKey

Rows = Sequence[tuple[dict[str, Any], list[Finding]]]

VALUES, PATTERNS, FIELDS, DENIED = 1_000, 100, 50, 100
_WORDS = ("please", "order", "write", "model", "record", "answer", "customer", "about", "list", "today", "thanks")


def measure_trust(plan: Plan) -> list[Figure]:
    """``trust_effective_us``: lists, field rules and thresholds; ``trust_deny_us``: a deny-list beside them."""
    rng = random.Random(plan.seed)
    rows = [_row(rng) for _ in range(max(plan.texts // 2, 4))]
    key = SecretKey(rng.randbytes(32))
    plain, ruled = Trust(), Trust(_rules(key), key)
    denying = Trust(_rules(key, denied=DENIED), key)
    costs = interleaved(plan.rounds, *(_timed(trust, rows) for trust in (plain, ruled, denying)))
    each = [cost.cpu / len(rows) * 1e6 for cost in costs]
    note = (
        f"{VALUES} allowed values, {PATTERNS} patterns, {FIELDS} field rules; baseline: no rules; 3 findings a record"
    )
    return [
        Figure("trust_effective_us", each[1], "us/record", each[0], len(rows), plan.seed, note),
        Figure(
            "trust_deny_us", each[2], "us/record", each[0], len(rows), plan.seed, f"the same and {DENIED} denied values"
        ),
    ]


def _timed(trust: Trust, rows: Rows) -> Callable[[], Cost]:
    def run() -> None:
        for record, findings in rows:
            trust.effective(record, findings)

    return lambda: cost_of(run)


def _row(rng: random.Random) -> tuple[dict[str, Any], list[Finding]]:
    """A turn of a conversation of about 500 characters with three addresses in it."""
    text, findings = "", []
    for _ in range(3):
        text += " ".join(rng.choices(_WORDS, k=22)) + " "
        address = f"{rng.choice(_WORDS)}.{rng.randrange(10_000)}@mail.example"
        findings.append(
            Finding("/data/messages/0/content", "value", len(text), len(text) + len(address), "EMAIL_ADDRESS", 1.0, "x")
        )
        text += address + " "
    turn = {"role": "user", "content": text}
    return {"data": {"id": "r", "messages": [turn], "meta": {"source": "mail", "score": 3}}, "metadata": {}}, findings


def _rules(key: SecretKey, denied: int = 0) -> TrustRules:
    decisions = (FieldDecision.NEVER, FieldDecision.ALWAYS, FieldDecision.TYPE)
    return TrustRules(
        allow=(
            *(AllowRule(uuid4(), value_digest(key, "text", f"ours.{n}@mail.example")) for n in range(VALUES)),
            *(AllowRule(uuid4(), pattern=rf"team-{n}\.[a-z]+@mail\.example") for n in range(PATTERNS)),
        ),
        deny=tuple(DenyRule(uuid4(), value_pattern(f"Project Falcon {n}"), is_value=True) for n in range(denied)),
        fields=tuple(
            FieldRule(uuid4(), PlacePattern(f"/data/customer{n}/*/name"), decisions[n % 3]) for n in range(FIELDS)
        ),
        thresholds=(ThresholdRule(uuid4(), "PERSON", 0.6),),
    )
