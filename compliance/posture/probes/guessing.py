"""Guessing passwords: after a few wrong ones a name is locked, whether it exists or not."""

from typing import Final
from uuid import UUID, uuid4

from access.errors import TooManyAttempts
from access.services.throttle import count_attempt, login_brakes
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import sandbox

#: PCI DSS asks for a lock after ten at the latest.
_MOST: Final = 10


def probe(tenant_id: UUID) -> Outcome:
    brakes = login_brakes("probe", f"probe-{uuid4().hex}", "")
    with sandbox(tenant_id):
        for attempt in range(1, _MOST + 1):
            try:
                count_attempt(brakes)
            except TooManyAttempts:
                return judged([], locked_at_attempt=attempt)
    return judged([f"{_MOST} wrong passwords in a row were looked at"])
