"""A process in a restored vault: says as JSON what of one organization can be read there."""

import json
import os
import sys
from uuid import UUID

import django

django.setup()

from django.test import Client  # noqa: E402 - after the setup

from access.models import EncryptionKey, KeyState, Tenant  # noqa: E402
from compliance.models import BackupRun  # noqa: E402
from datasets.models import Branch, Dataset, Erasure  # noqa: E402
from tests.factories.access import acting  # noqa: E402
from tests.factories.datasets import read_all  # noqa: E402
from tests.factories.upkeep import readable_bytes, scrub  # noqa: E402
from vaultsite.kernel.errors import VaultError  # noqa: E402

if __name__ == "__main__":
    tenant = Tenant.objects.using("system").get(pk=UUID(sys.argv[1]))
    canary = sys.argv[2].encode()
    told = {"datasets": {}, "live": [], "ready": Client(SERVER_NAME="localhost").get("/health/ready").status_code}
    with acting(tenant):
        datasets = list(Dataset.objects.order_by("pk"))
        told["erasures"] = {str(pk): status for pk, status in Erasure.objects.values_list("pk", "status")}
        destroyed = EncryptionKey.objects.filter(state=KeyState.DESTROYED)
        told["destroyed"] = sorted(str(pk) for pk in destroyed.values_list("pk", flat=True))
        told["backups"] = BackupRun.objects.count()
        heads = set(Branch.objects.exclude(head=None).values_list("dataset_id", flat=True))
    for dataset in datasets:
        if dataset.pk not in heads:
            continue
        try:
            found = {record.id: record.data for record in read_all(tenant, dataset)}
            damaged = scrub(tenant, dataset).damaged_count
            has_canary = canary in readable_bytes(tenant, dataset)
        except VaultError as error:
            told["datasets"][str(dataset.pk)] = {"error": error.code}
        else:
            told["datasets"][str(dataset.pk)] = {"records": found, "damaged": damaged, "has_canary": has_canary}
    sys.stdout.write(json.dumps(told))
    sys.stdout.flush()
    os._exit(0)
