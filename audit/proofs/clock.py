"""Whether maintenance may go by the time: a clock that jumps must not make months of the audit go early."""

from datetime import datetime, timedelta
from typing import Final

from django.db import connections

from audit.models import AuditEvent

#: The clocks of the database and of the process that asks may differ by so much.
TOLERANCE: Final = timedelta(minutes=10)
#: Something happens every day in a vault that is used: a longer silence is a clock that jumped, or a vault that stood
#: still. As for runs of retention.
LONGEST_SILENCE: Final = timedelta(hours=26)

# There is no row to annotate: a vault may have no organization yet.
_NOW: Final = "SELECT statement_timestamp()"


def database_time() -> datetime:
    """The time of this statement by the database's clock, as the owner."""
    with connections["owner"].cursor() as cursor:
        cursor.execute(_NOW)
        now: datetime = cursor.fetchone()[0]
    return now


def why_doubted(now: datetime, *, process_now: datetime, is_confirmed: bool) -> str:
    """Why months must not go by the database's time ``now``; empty: they may.

    ``is_confirmed``: somebody says that nothing happened for so long; that two clocks differ nobody can confirm. What
    was written since a jump hides the silence before it.
    """
    if abs(now - process_now) > TOLERANCE:
        return (
            f"the clocks of the database ({now:%Y-%m-%d %H:%M} UTC) and of this host ({process_now:%Y-%m-%d %H:%M} "
            f"UTC) are more than {TOLERANCE.seconds // 60} minutes apart"
        )
    events = AuditEvent.objects.using("owner").filter(time__lte=now + TOLERANCE)
    if is_confirmed or events.filter(time__gt=now - LONGEST_SILENCE).exists() or not events.exists():
        return ""
    hours = LONGEST_SILENCE // timedelta(hours=1)
    return f"by the database's clock ({now:%Y-%m-%d %H:%M} UTC) no event was recorded for more than {hours} hours"
