"""A package lies where the records in it do, and is not made of records of several regions."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from compliance.requests.packages import expire_packages
from tests.compliance.requests.test_packages import ROWS, fetched, written
from tests.factories.access import age
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.regions import declare_regions, files_in, serve_only


@pytest.fixture
def folders(settings: Any, tmp_path: Path) -> dict[str, Path]:
    return declare_regions(settings, tmp_path)


def requested(tenant: Any, asked: Any, act: Any, *regions: str) -> tuple[Any, Any]:
    datasets = [make_dataset(tenant, region=region) for region in regions]
    for one in datasets:
        upload(tenant, one, jsonl(ROWS))
    request = asked(identity="known")
    act(request, "move", {"to": "searching"})
    matches = [{"dataset_id": str(one.pk), "record_ids": ["r-1"]} for one in datasets]
    assert act(request, "matches", {"matches": matches}, "PUT")[0] == 200
    act(request, "move", {"to": "review"})
    status, package = act(request, "package")
    assert status == 202, package
    return request, package


def packages_in(folder: Path) -> set[str]:
    return {name for name in files_in(folder) if name.startswith("subject-package/")}


def test_a_package_lies_in_the_region_of_its_records(tenant, folders, asked, act, officer) -> None:
    request, package = requested(tenant, asked, act, "us")
    row = written(tenant, package)
    assert {name for name, _ in row.parts} == packages_in(folders["us"])
    assert not packages_in(folders["eu"])
    assert fetched(officer, request)
    again = written(tenant, act(request, "package")[1])
    assert {name for name, _ in again.parts} == packages_in(folders["us"])


def test_records_of_two_regions_go_into_no_one_file(tenant, folders, asked, act) -> None:
    _, package = requested(tenant, asked, act, "us", "eu")
    row = written(tenant, package)
    assert (row.status, row.error_code) == ("failed", "VAULT_DATA_4505")
    assert not packages_in(folders["us"]) | packages_in(folders["eu"])


@pytest.fixture
def expired(tenant, folders, asked, act):
    """A package in a region beyond the default one, past its time."""
    row = written(tenant, requested(tenant, asked, act, "us")[1])
    age(row, expires_at=timedelta(seconds=1))
    return row


def is_removed(package: Any) -> bool:
    expire_packages()
    package.refresh_from_db(using="system")
    assert package.is_taken_back
    return package.removed_at is not None


def test_a_package_counts_as_removed_once_its_store_is_there_to_lose_it(folders, expired) -> None:
    kept = folders["us"].rename(folders["us"].with_name("kept"))
    folders["us"].write_text("no folder")
    assert not is_removed(expired)
    folders["us"].unlink()
    kept.rename(folders["us"])
    assert packages_in(folders["us"])
    assert is_removed(expired)
    assert not packages_in(folders["us"])


def test_a_package_counts_as_removed_once_a_process_of_its_zone_removed_it(settings, folders, expired) -> None:
    serve_only(settings, "eu")
    assert not is_removed(expired)
    assert packages_in(folders["us"])
    serve_only(settings)
    assert is_removed(expired)
    assert not packages_in(folders["us"])
