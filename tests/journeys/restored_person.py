"""A process in a restored vault: says as JSON which canaries of one person can be read there, and all secrets."""

import json
import os
import sys
from pathlib import Path
from uuid import UUID

import django

django.setup()

from access.models import Tenant  # noqa: E402 - after the setup
from compliance.models import SubjectSearch  # noqa: E402
from datasets.models import Dataset, SuppressedIdentifier  # noqa: E402
from tests.factories.access import acting  # noqa: E402
from tests.factories.planted import (  # noqa: E402
    Person,
    all_rows,
    canaries_in,
    canaries_in_rows,
    roots_of,
    secrets_now,
)
from vaultsite.kernel.crypto.aead import Context  # noqa: E402

if __name__ == "__main__":
    tenant = Tenant.objects.using("system").get(pk=UUID(sys.argv[1]))
    person, told = Person(sys.argv[3]), json.loads(Path(sys.argv[4]).read_text())
    contexts = {Context(tenant.pk, UUID(scope), kind, bytes.fromhex(name)) for scope, kind, name in told}
    with acting(tenant):
        dataset = Dataset.objects.get(pk=UUID(sys.argv[2]))
        kept = SubjectSearch.objects.exclude(identifiers=None).count()
        suppressed = SuppressedIdentifier.objects.count()
    found = {
        "stores": sorted(canaries_in(tenant, dataset, person)),
        "rows": sorted(canaries_in_rows(tenant, person, all_rows(), contexts)[0]),
        "secrets": [secret.hex() for secret in secrets_now(tenant)],
        "roots": {label: root.hex() for label, root in roots_of(tenant, dataset).items()},
        "identifiers": kept,
        "suppressed": suppressed,
    }
    sys.stdout.write(json.dumps(found))
    sys.stdout.flush()
    os._exit(0)
