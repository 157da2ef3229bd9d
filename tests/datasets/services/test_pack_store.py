"""What a pack and its rows must bear."""

import os

from datasets.models import Ingest, SubjectIndexEntry
from datasets.services.keys import load_keys
from datasets.services.pack_store import PackWriter
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, queue_upload
from vaultsite.kernel.jobs import claim

#: With seven columns each, more than one statement has parameters for.
PEOPLE = 10_000


def test_a_pack_may_name_more_people_than_one_statement_has_parameters_for(tenant):
    dataset = make_dataset(tenant)
    ingest = queue_upload(tenant, dataset, jsonl([{"text": "anything"}]))
    with acting(tenant):
        keys = load_keys(dataset.pk)
        claimed = claim(Ingest, ingest.pk)
    writer = PackWriter(keys, claim=claimed[1], detector=bytes(33))
    leaf = os.urandom(32)
    writer.add_findings(os.urandom(32), b"[]")
    writer.add_subjects("a", leaf, [os.urandom(32) for _ in range(PEOPLE)])
    writer.flush()
    with acting(tenant):
        assert SubjectIndexEntry.objects.filter(dataset=dataset, leaf=leaf).count() == PEOPLE
