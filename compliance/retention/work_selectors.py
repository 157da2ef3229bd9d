"""What of retention waits for somebody. Counted inside the open scope."""

from access.selectors import may
from access.work_selectors import Waiting
from compliance.retention.selectors import find_clock
from vaultsite.kernel.tenancy.principal import Principal


def clocks_to_confirm(principal: Principal) -> Waiting:
    """Whether runs wait until somebody like the principal has confirmed the time: one or none."""
    clock = find_clock() if may(principal, "retention.manage") else None
    return Waiting(int(clock is not None and clock.suspected_at is not None))
