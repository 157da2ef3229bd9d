"""One report in a process of its own: ``python -m tests.benchmarks.report_worker TENANT REPORT`` says what it took."""

import os
import sys
import time
from uuid import UUID

import django

from tests.benchmarks.figures import peak_mb


def main() -> None:
    tenant_id, report_id = map(UUID, sys.argv[1:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")
    django.setup()
    from compliance.reports.work import run_report  # after django.setup()
    from vaultsite.celery import app

    app.loader.import_default_modules()
    idle, started, used = peak_mb(), time.monotonic(), time.process_time()
    run_report(tenant_id, report_id)
    sys.stdout.write(f"{idle} {peak_mb()} {time.monotonic() - started} {time.process_time() - used}\n")


if __name__ == "__main__":
    main()
