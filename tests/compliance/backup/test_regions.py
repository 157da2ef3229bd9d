"""Backups, replicas and regions: nothing leaves the region it lies in for the sake of a copy."""

from io import StringIO
from pathlib import Path
from shutil import rmtree
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command

from access.models import Tenant
from compliance.errors.backup import BackupOutsideRegion
from compliance.models import BackupRun
from datasets.models import Blob, Dataset
from tests.factories.access import acting
from tests.factories.backup import back_up, new_place
from tests.factories.datasets import jsonl, make_dataset, purge, read_all, rows_of, upload
from tests.factories.regions import ATOMIC, declare_regions, files_in
from vaultsite.backup.drill import second_environment
from vaultsite.backup.take import take_backup
from vaultsite.kernel.blobs import BlobStore


@pytest.fixture
def mirrored() -> str:
    """The name of a region with a replica, which no row of another test names."""
    return f"us-{uuid4().hex[:8]}"


@pytest.fixture
def folders(settings: Any, tmp_path: Path, mirrored: str) -> dict[str, Path]:
    away, replica = ({"backend": ATOMIC, "options": {"location": str(tmp_path / at)}} for at in ("away", "replica"))
    replicated = {"storage": away, "countries": ["US"], "replica": {"region": mirrored, "storage": replica}}
    found = declare_regions(settings, tmp_path, **{mirrored: replicated})
    return found | {"away": tmp_path / "away", "replica": tmp_path / "replica"}


def _replicate(*given: str) -> str:
    out = StringIO()
    call_command("replicate", *given, stdout=out)
    return out.getvalue()


def test_a_backup_refuses_what_lies_in_another_region(tenant: Tenant, folders: dict[str, Path], tmp_path: Path) -> None:
    home, away = make_dataset(tenant, region="eu"), make_dataset(tenant, region="us")
    for dataset in (home, away):
        upload(tenant, dataset, jsonl(rows_of(12)))
    manifest = back_up(new_place(tmp_path))
    copied = {one.name for one in manifest.objects}
    assert files_in(folders["eu"]) <= copied
    assert copied.isdisjoint(files_in(folders["us"]))
    with acting(tenant):
        refused = Blob.objects.filter(dataset_id=away.pk, state="sealed", job=None).count()
        run = BackupRun.objects.latest("id")
    assert manifest.elsewhere == {str(tenant.pk): refused}
    assert (run.elsewhere_count, run.missing_count) == (refused, 0)


@pytest.mark.parametrize("stands_in", ["us", "mars"])
def test_a_repository_in_another_region_takes_no_backup(
    settings: Any, folders: dict[str, Path], tmp_path: Path, stands_in: str
) -> None:
    place = new_place(tmp_path)
    settings.BACKUP_REGION = stands_in
    with pytest.raises(BackupOutsideRegion):
        take_backup(place.open())
    assert place.open().backups() == []
    with pytest.raises(CommandError, match="VAULT_COMP_8208"):
        back_up(place)
    settings.BACKUP_REGION = "eu"
    assert take_backup(place.open()).id in place.open().backups()


def _mirrored_dataset(tenant: Tenant, mirrored: str, folders: dict[str, Path]) -> Dataset:
    home, away = make_dataset(tenant, region="eu"), make_dataset(tenant, region=mirrored)
    for dataset in (home, away):
        upload(tenant, dataset, jsonl(rows_of(12)))
    _replicate(mirrored)
    assert files_in(folders["replica"]) == files_in(folders["away"])
    return away


def test_a_replica_follows_its_region_and_holds_nothing_else(
    tenant: Tenant, folders: dict[str, Path], mirrored: str
) -> None:
    away = _mirrored_dataset(tenant, mirrored, folders)
    assert _replicate(mirrored).startswith("0 objects copied, 0 removed")
    purge(tenant, away)
    _replicate(mirrored)
    assert not files_in(folders["replica"])


@pytest.mark.parametrize("loses", ["one", "all"])
def test_a_replica_outlives_what_its_store_lost(
    tenant: Tenant, folders: dict[str, Path], mirrored: str, loses: str
) -> None:
    away = _mirrored_dataset(tenant, mirrored, folders)
    held = files_in(folders["replica"])
    (folders["away"] / min(held)).unlink() if loses == "one" else rmtree(folders["away"])
    with pytest.raises(CommandError, match="VAULT_COMP_8209"):
        _replicate(mirrored)
    assert files_in(folders["replica"]) == held
    assert not _replicate(mirrored, "--bring-back").startswith("0 objects")
    assert files_in(folders["away"]) == held
    assert len(read_all(tenant, away)) == 12
    assert _replicate(mirrored).startswith("0 objects copied, 0 removed")


def test_what_no_row_names_is_not_brought_back(tenant: Tenant, folders: dict[str, Path], mirrored: str) -> None:
    away = _mirrored_dataset(tenant, mirrored, folders)
    purge(tenant, away)
    assert _replicate(mirrored, "--bring-back").startswith("0 objects copied")
    assert not files_in(folders["away"])


def test_only_a_region_with_a_replica_that_is_served_here_is_replicated(
    settings: Any, folders: dict[str, Path], mirrored: str
) -> None:
    with pytest.raises(CommandError, match="no such region"):
        _replicate("mars")
    with pytest.raises(CommandError, match="VAULT_SYS_9013"):
        _replicate("eu")
    settings.VAULT = {**settings.VAULT, "ZONES": frozenset({"eu"})}
    with pytest.raises(CommandError, match="VAULT_SYS_9013"):
        _replicate(mirrored)


def test_a_drill_knows_nothing_of_the_stores_of_regions(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAULT_REGIONS", "eu = {default = true}")
    monkeypatch.setenv("VAULT_ZONES", "eu")
    assert not {"VAULT_REGIONS", "VAULT_ZONES"} & set(second_environment(tmp_path, keys_from_backup=False))


def test_datasets_from_before_get_the_region_they_lie_in(tenant: Tenant, settings: Any, tmp_path: Path) -> None:
    settings.STORAGES = {
        **settings.STORAGES,
        "vault": {"BACKEND": ATOMIC, "OPTIONS": {"location": str(tmp_path / "eu")}},
    }
    said = {name: make_dataset(tenant, region=name) for name in ("", "Frankfurt", "us", "eu")}
    for dataset in said.values():
        upload(tenant, dataset, jsonl(rows_of(3)))
    declare_regions(settings, tmp_path)
    empty = make_dataset(tenant, region="us")
    call_command("adopt_regions", stdout=StringIO())
    with acting(tenant):
        for name, dataset in said.items():
            found = Dataset.objects.get(pk=dataset.pk)
            assert (found.region, found.tag_names) == ("eu", [f"region:{name}"] if name not in {"", "eu"} else [])
        assert Dataset.objects.get(pk=empty.pk).region == "us"
    for dataset in said.values():
        assert len(read_all(tenant, dataset)) == 3


def test_regions_are_adopted_where_some_are_declared() -> None:
    with pytest.raises(CommandError, match="VAULT_REGIONS"):
        call_command("adopt_regions")


def test_stores_know_their_alias(folders: dict[str, Path]) -> None:
    assert (BlobStore.default().alias, BlobStore.at("vault-us").alias) == ("vault", "vault-us")
