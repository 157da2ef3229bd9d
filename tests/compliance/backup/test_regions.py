"""Backups, replicas and regions: nothing leaves the region it lies in for the sake of a copy."""

from io import StringIO
from pathlib import Path
from typing import Any

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
def folders(settings: Any, tmp_path: Path) -> dict[str, Path]:
    storage = {"backend": ATOMIC, "options": {"location": str(tmp_path / "replica")}}
    us = {"backend": ATOMIC, "options": {"location": str(tmp_path / "us")}}
    replicated = {"storage": us, "countries": ["US"], "replica": {"region": "us", "storage": storage}}
    return declare_regions(settings, tmp_path, us=replicated) | {"replica": tmp_path / "replica"}


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


def test_a_replica_follows_its_region_and_holds_nothing_else(tenant: Tenant, folders: dict[str, Path]) -> None:
    home, away = make_dataset(tenant, region="eu"), make_dataset(tenant, region="us")
    for dataset in (home, away):
        upload(tenant, dataset, jsonl(rows_of(12)))
    _replicate("us")
    assert files_in(folders["replica"]) == files_in(folders["us"])
    assert _replicate("us").startswith("0 objects copied, 0 removed")
    lost = min(files_in(folders["us"]))
    (folders["us"] / lost).unlink()
    assert _replicate("us", "--bring-back").startswith("1 objects copied")
    assert len(read_all(tenant, away)) == 12
    purge(tenant, away)
    _replicate("us")
    assert not files_in(folders["replica"])


def test_only_a_region_with_a_replica_that_is_served_here_is_replicated(
    settings: Any, folders: dict[str, Path]
) -> None:
    with pytest.raises(CommandError, match="no such region"):
        _replicate("mars")
    with pytest.raises(CommandError, match="VAULT_SYS_9013"):
        _replicate("eu")
    settings.VAULT = {**settings.VAULT, "ZONES": frozenset({"eu"})}
    with pytest.raises(CommandError, match="VAULT_SYS_9013"):
        _replicate("us")


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
