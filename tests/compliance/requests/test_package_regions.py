"""A package lies where the records in it do, and is not made of records of several regions."""

from pathlib import Path
from typing import Any

import pytest

from tests.compliance.requests.test_packages import ROWS, fetched, written
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.regions import declare_regions, files_in


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
