"""T54: while no key can be had, what is in the caches is served; the rest is refused, and nothing is kept in clear."""

from collections.abc import Iterator

import pytest

from access.services.keyring import drop_tenant
from datasets.models import Ingest
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, read_all, rows_of, upload
from tests.faults import FaultyKMS
from vaultsite.kernel import providers
from vaultsite.kernel.blobs import BlobStore


@pytest.fixture
def kms_down() -> Iterator[None]:
    working = providers.load_provider("KMS")
    providers._loaded["KMS"] = FaultyKMS(working)
    yield
    providers._loaded["KMS"] = working


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(rows_of(30)))
    assert len(read_all(tenant, made)) == 30
    return made


def assert_unavailable(answer):
    assert answer.status_code == 503
    # Of an act whose actor cannot be sealed there is no audit row, and without one there is no access.
    assert answer.json()["code"] in {"VAULT_CRYPTO_5002", "VAULT_SYS_9006"}
    assert int(answer["Retry-After"]) > 0


def test_reads_go_on_with_the_keys_that_are_here_and_then_ask_to_come_again(tenant, dataset, kms_down):
    client, page = caller(tenant, "data_steward"), f"/datasets/{dataset.pk}/versions/main/records"
    assert send(client, "GET", page).status_code == 200
    drop_tenant(tenant.pk)  # as their age does
    assert_unavailable(send(client, "GET", page))


def test_nothing_is_taken_in_while_nothing_can_be_sealed(tenant, dataset, kms_down):
    client, before = caller(tenant, "data_steward"), set(BlobStore.default().names())
    with acting(tenant):
        ingests = Ingest.objects.count()
    drop_tenant(tenant.pk)
    assert_unavailable(send(client, "POST", f"/datasets/{dataset.pk}/data", jsonl(rows_of(5, seed=1))))
    assert set(BlobStore.default().names()) <= before
    with acting(tenant):
        assert Ingest.objects.count() == ingests


def test_when_the_kms_is_back_everything_goes_on(tenant, dataset, kms_down):
    client, page = caller(tenant, "data_steward"), f"/datasets/{dataset.pk}/versions/main/records"
    drop_tenant(tenant.pk)
    assert_unavailable(send(client, "GET", page))
    providers.reset_providers()
    assert len(send(client, "GET", page).json()["data"]) == 30
    assert send(client, "POST", f"/datasets/{dataset.pk}/data", jsonl(rows_of(5, seed=1))).status_code == 202
