"""A worker as production starts it, with small runs, packs and leases, so that a short file has many checkpoints."""

import os
import sys
from datetime import timedelta

import django

django.setup()

from anonymization.services.token_vault import resealing  # noqa: E402 - after the setup
from compliance.incidents import scope_work  # noqa: E402
from datasets.services import pack_store, purge, relocation, removal  # noqa: E402
from datasets.services.erasure import sweep  # noqa: E402
from datasets.services.guaranteed import output  # noqa: E402
from datasets.services.guaranteed import work as guaranteed  # noqa: E402
from datasets.services.ingest import scan  # noqa: E402
from datasets.services.rescan import work as rescan  # noqa: E402
from datasets.services.rotation import work as rotation  # noqa: E402
from tests.journeys.statements import watch_statements  # noqa: E402
from vaultsite.celery import app  # noqa: E402
from vaultsite.kernel import jobs  # noqa: E402

RUN_BYTES, PACK_BYTES, LEASE = 48 * 1024, 8 * 1024, timedelta(seconds=4)
TABLE_ROWS, RESCANNED, RESEALED, REWRAPPED = 40, 1, 3, 2
PURGED_ROWS, PURGED_OBJECTS, EVENTS = 5, 2, 2

if __name__ == "__main__":
    scan.RUN_BYTES, pack_store.PACK_BYTES, jobs.RUNNING_LEASE = RUN_BYTES, PACK_BYTES, LEASE
    relocation.PACK_BYTES, sweep._ROWS = PACK_BYTES, 2
    guaranteed.BATCH_RECORDS = output.PART_ROWS = TABLE_ROWS
    rescan._BATCH, resealing._BATCH, rotation._BATCH = RESCANNED, RESEALED, REWRAPPED
    removal.BATCH, purge._OBJECTS = PURGED_ROWS, PURGED_OBJECTS
    scope_work.PAGE = EVENTS
    watch_statements(os.environ)
    jobs.RETRY_DELAY = timedelta(seconds=1)
    sys.exit(app.worker_main(["--quiet", "worker", "--concurrency", "1", "--without-gossip", "--without-mingle"]))
