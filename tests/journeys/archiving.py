"""Maintenance of old months as the command does it, in small parts, for a process that is killed."""

import os
import sys
from datetime import date

import django

django.setup()

from audit.archive import months  # noqa: E402 - after the setup
from audit.archive.removal import remove_archived_months  # noqa: E402
from tests.audit.archive.moving import TODAY  # noqa: E402
from tests.journeys.statements import watch_statements  # noqa: E402

if __name__ == "__main__":
    months.PART_EVENTS = 2
    watch_statements(os.environ)
    today: date = TODAY
    if sys.argv[1] == "archive":
        months.archive_months(online=3, today=today)
    else:
        remove_archived_months(keep=12, today=today)
