"""Rate limit: a bucket of three gives three, and refuses the fourth."""

from typing import Final
from uuid import UUID, uuid4

from access.limits.bucket import Bucket
from access.limits.gate import limiter
from compliance.posture.outcome import Outcome, Untried, judged

_QUOTA: Final = 3


def probe(_tenant_id: UUID) -> Outcome:
    given = _taken()
    if given[-1]:  # once, if Redis ceased to answer in the middle: from then on a process counts by itself
        given = _taken()
    if not all(given[:_QUOTA]):
        raise Untried("the limiter refused what is within the limit")
    return judged(["one request more than the limit was admitted"] if given[-1] else [], limit=_QUOTA)


def _taken() -> list[bool]:
    """Of a new bucket, one token more than there are: which were given."""
    bucket = Bucket("probe", uuid4().hex, _QUOTA)
    return [limiter().take([bucket]).short is None for _ in range(_QUOTA + 1)]
