"""Clocks: worker, database and the store of limits tell the same time, and the audit knows no event of the future."""

import time
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.limits.gate import limiter
from access.services.clock import database_now
from audit.models import AuditEvent
from compliance.posture.outcome import Outcome, judged
from compliance.posture.sandbox import sandbox

#: By how many seconds clocks that are set by one source may differ, with the way between them.
_APART: Final = 5.0


def probe(tenant_id: UUID) -> Outcome:
    with sandbox(tenant_id):
        began = timezone.now()
        database = database_now()
        ended = timezone.now()
        newest = AuditEvent.objects.order_by("-time").values_list("time", flat=True).first()
    # A clock is apart by what is beyond the time that asking it took.
    apart = {"database": max((began - database).total_seconds(), (database - ended).total_seconds(), 0.0)}
    asked = time.time()
    if (told := limiter().shared_clock()) is not None:
        apart["store of limits"] = max(asked - told, told - time.time(), 0.0)
    breaches = [f"the clock of the {name} is {by:.0f} s apart" for name, by in apart.items() if by > _APART]
    if newest is not None and (newest - ended).total_seconds() > _APART:
        breaches.append("the audit has an event of the future")
    return judged(breaches, clocks=len(apart) + 1, most_apart_ms=int(1000 * max(apart.values())))
