"""What of holds waits for one person, inside the open scope."""

from access.work_selectors import COUNTED, Waiting
from compliance.holds.notices import own_notices
from vaultsite.kernel.tenancy.principal import Principal


def notices_to_acknowledge(principal: Principal) -> Waiting:
    """Holds in force that the person was told of and has not acknowledged."""
    waiting = own_notices(principal).filter(acknowledged_at=None, hold__released_at=None)
    return Waiting(waiting.order_by()[:COUNTED].count())
