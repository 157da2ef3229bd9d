"""Rate limit: a bucket of three gives three, and refuses the fourth."""

from typing import Final
from uuid import UUID, uuid4

from access.limits.bucket import Bucket
from access.limits.gate import limiter
from compliance.posture.outcome import Outcome, Untried, judged

_QUOTA: Final = 3


def probe(_tenant_id: UUID) -> Outcome:
    bucket = Bucket("probe", uuid4().hex, _QUOTA)
    given = [limiter().take([bucket]).short is None for _ in range(_QUOTA + 1)]
    if not all(given[:_QUOTA]):
        raise Untried("the limiter refused what is within the limit")
    return judged(["one request more than the limit was admitted"] if given[-1] else [], limit=_QUOTA)
