"""What a probe found: facts are counts, names of the vault's own and times, never data."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from compliance.models.posture import ProbeState


@dataclass(frozen=True)
class Outcome:
    """The state, and facts that explain it."""

    state: ProbeState
    facts: Mapping[str, Any] = field(default_factory=dict)


class Untried(Exception):
    """A probe could not be tried: what would have to work for the attempt to say anything did not.

    ``reason`` is a sentence of the vault's own.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def judged(breaches: list[str], **facts: Any) -> Outcome:
    """Passed without a breach, else failed with them; each is a short sentence of the vault's own."""
    if breaches:
        return Outcome(ProbeState.FAILED, {**facts, "breaches": breaches[:20]})
    return Outcome(ProbeState.PASSED, facts)
