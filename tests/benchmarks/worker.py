"""One ingest in a process of its own: ``python -m tests.benchmarks.worker TENANT INGEST`` says what memory it took."""

import os
import sys
import time
from uuid import UUID

import django

from tests.benchmarks.figures import peak_mb


def main() -> None:
    tenant_id, ingest_id = map(UUID, sys.argv[1:])
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vaultsite.settings")
    django.setup()
    from anonymization.services.detect import detect_text  # after django.setup()
    from datasets.models import Ingest
    from datasets.services.write import run_ingest
    from vaultsite.celery import app
    from vaultsite.kernel.tenancy.principal import Principal
    from vaultsite.kernel.tenancy.scope import tenant_scope

    app.loader.import_default_modules()
    detect_text("warm: ada@example.com")
    idle, started = peak_mb(), time.monotonic()
    while True:
        run_ingest(tenant_id, ingest_id)
        with tenant_scope(tenant_id, Principal.system(tenant_id)):
            if Ingest.objects.get(pk=ingest_id).is_final:
                break
    sys.stdout.write(f"{idle} {peak_mb()} {time.monotonic() - started}\n")


if __name__ == "__main__":
    main()
