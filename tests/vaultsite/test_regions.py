"""What the vault depends on is the stores of the regions that this process serves, each of them."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from access.models import Tenant
from datasets.models import Blob
from datasets.services.sweep import sweep_blobs
from tests.factories.access import acting
from tests.factories.regions import declare_regions, serve_only
from vaultsite.health import check_storage
from vaultsite.kernel.blobs import BlobStore, new_blob_name
from vaultsite.kernel.errors import StorageUnavailable


def test_a_store_that_is_away_is_noticed_where_its_region_is_served(settings: Any, tmp_path: Path) -> None:
    declare_regions(settings, tmp_path)
    assert check_storage()
    (tmp_path / "us").write_text("no folder")
    with pytest.raises(StorageUnavailable):
        check_storage()
    serve_only(settings, "eu")
    assert check_storage()


def test_the_store_of_one_region_is_not_what_the_others_depend_on(settings: Any, tmp_path: Path) -> None:
    settings.SECURE_SSL_REDIRECT = False
    folders = declare_regions(settings, tmp_path)
    folders["us"].write_text("no folder")
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["stores_away"]) == (200, ["vault-us"])
    folders["us"].unlink()
    folders["eu"].write_text("no folder")
    answer = Client().get("/health/ready")
    assert (answer.status_code, answer.json()["failed"]) == (503, ["storage"])
    serve_only(settings, "us")
    assert Client().get("/health/ready").status_code == 200


def test_a_store_that_is_away_keeps_nothing_dead_in_the_others(tenant: Tenant, settings: Any, tmp_path: Path) -> None:
    folders = declare_regions(settings, tmp_path)
    names = {alias: new_blob_name("part") for alias in ("vault-us", "vault")}
    for alias, name in names.items():
        BlobStore.at(alias).put(name, b"dead")
        with acting(tenant):
            Blob.objects.create(dataset_id=uuid4(), store=alias, name=name, kind="part", state="dead")
    kept = folders["us"].rename(tmp_path / "kept")
    folders["us"].write_text("no folder")
    while sweep_blobs():
        continue
    with acting(tenant):
        assert list(Blob.objects.values_list("name", flat=True)) == [names["vault-us"]]
    folders["us"].unlink()
    kept.rename(folders["us"])
    while sweep_blobs():
        continue
    assert not BlobStore.at("vault-us").exists(names["vault-us"])
