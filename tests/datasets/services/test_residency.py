"""Objects of a dataset lie in the store of its region and nowhere else; another zone's process does not touch them."""

from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from access.models import Tenant
from datasets.errors.residency import OutsideRegion, RegionFixed, RowsOutsideRegion, UnknownRegion
from datasets.models import Blob, BlobKind, Chunk, Dataset, FindingsBlob, MergeStrategy
from datasets.services.datasets import DatasetFacts, update_dataset
from datasets.services.keys import load_keys
from datasets.services.node_cache import NODES
from datasets.services.residency import _region
from datasets.services.temporary import read_frames
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.datasets import (
    jsonl,
    make_dataset,
    purge,
    queue_upload,
    read_all,
    reload,
    rows_of,
    someone,
    upload,
)
from tests.factories.drafts import make_draft, publish, put, staged_kinds
from tests.factories.exports import contents, export
from tests.factories.merges import fork, merged, put_on
from tests.factories.regions import ATOMIC, declare_regions, files_in, serve_only
from tests.factories.upkeep import collect, erase, scrub
from vaultsite.kernel.errors import RegionNotServed
from vaultsite.kernel.jobs import JobStatus


@pytest.fixture
def folders(settings: Any, tmp_path: Path) -> dict[str, Path]:
    return declare_regions(settings, tmp_path, with_countries=False)


def _names(tenant: Tenant, dataset: Dataset) -> set[str]:
    with acting(tenant):
        return set(Blob.objects.filter(dataset_id=dataset.pk).values_list("name", flat=True))


def _worked_on(tenant: Tenant, region: str) -> Dataset:
    """A dataset that went through everything that writes objects."""
    dataset = make_dataset(tenant, region=region)
    named = [{"id": f"r{number}", **row} for number, row in enumerate(rows_of(60))]
    upload(tenant, dataset, jsonl(named), id_field="id")
    upload(tenant, dataset, jsonl(rows_of(5, seed=2)) + b"no json\n", mode="append", on_error="reject")
    draft = make_draft(tenant, dataset)
    put(tenant, draft, [{"id": "r1", "data": {"prompt": "changed", "response": "by hand"}}])
    publish(tenant, draft)
    fork(tenant, dataset, "side")
    put_on(tenant, dataset, "side", rows_of(3, seed=9))
    merged(tenant, dataset, source="side", target="main", strategy=MergeStrategy.THEIRS)
    erase(tenant, dataset, ["r2"])
    collect(tenant, dataset)
    scrub(tenant, dataset)
    return dataset


@pytest.mark.parametrize(("region", "other"), [("us", "eu"), ("", "us")])
def test_bytes_of_a_dataset_lie_in_the_folder_of_its_region_alone(
    tenant: Tenant, folders: dict[str, Path], region: str, other: str
) -> None:
    dataset = _worked_on(tenant, region)
    kept = export(tenant, dataset, role="data_steward")
    home = folders[region or "eu"]
    assert dataset.region == (region or "eu")
    assert contents(tenant, kept)
    assert read_all(tenant, dataset)
    assert _names(tenant, dataset) <= files_in(home)
    assert {name.partition("/")[0] for name in files_in(home)} >= {BlobKind.PACK, BlobKind.REPORT, BlobKind.EXPORT}
    assert not files_in(folders[other])


def test_records_wait_in_the_database_only_where_the_region_says_so(
    tenant: Tenant, settings: Any, tmp_path: Path
) -> None:
    us = {"storage": {"backend": ATOMIC, "options": {"location": str(tmp_path / "us")}}}
    declare_regions(settings, tmp_path, us=us)
    dataset = make_dataset(tenant, region="us")
    upload(tenant, dataset, jsonl(rows_of(5)))
    draft = make_draft(tenant, dataset)
    with pytest.raises(RowsOutsideRegion):
        put(tenant, draft, [{"id": "r1", "data": {"prompt": "by hand"}}])
    assert not staged_kinds(tenant, draft)
    at_home = make_draft(tenant, make_dataset(tenant, region="eu"))
    assert put(tenant, at_home, [{"id": "r1", "data": {"prompt": "by hand"}}])


def test_two_datasets_of_two_regions_share_no_folder(tenant: Tenant, folders: dict[str, Path]) -> None:
    body = jsonl(rows_of(20))
    home, away = make_dataset(tenant, region="eu"), make_dataset(tenant, region="us")
    for dataset in (home, away):
        upload(tenant, dataset, body)
    assert _names(tenant, home) == files_in(folders["eu"])
    assert _names(tenant, away) == files_in(folders["us"])
    purge(tenant, away)
    assert not files_in(folders["us"])
    assert len(read_all(tenant, home)) == 20


@pytest.mark.parametrize(
    "wanted", ["mars", "EU", "Eu", "\uff45\uff55", "eu ", " eu", "us\u200b", "u\u0455", "vault", "vault-us", "*"]
)
def test_a_dataset_is_made_in_a_declared_region_or_not_at_all(
    tenant: Tenant, folders: dict[str, Path], wanted: str
) -> None:
    with pytest.raises(UnknownRegion) as refused:
        make_dataset(tenant, region=wanted)
    assert refused.value.extra["regions"] == ["eu", "us"]
    assert not files_in(folders["eu"]) | files_in(folders["us"])


def test_the_api_names_the_known_regions(tenant: Tenant, folders: dict[str, Path]) -> None:
    client = caller(tenant, "data_steward")
    refused = send(client, "POST", "/datasets", {"name": "elsewhere", "region": "mars"})
    assert (refused.status_code, refused.json()["code"]) == (422, "VAULT_DATA_4501")
    assert refused.json()["regions"] == ["eu", "us"]
    made = send(client, "POST", "/datasets", {"name": "here"})
    assert (made.status_code, made.json()["region"]) == (201, "eu")
    moved = send(client, "PATCH", f"/datasets/{made.json()['id']}", {"region": "us"})
    assert (moved.status_code, moved.json()["code"]) == (409, "VAULT_DATA_4502")


def test_a_dataset_stays_where_it_is(tenant: Tenant, folders: dict[str, Path]) -> None:
    dataset, steward = make_dataset(tenant, region="us"), someone(tenant, "data_steward")
    with acting(tenant, steward):
        for same in ("us", ""):
            updated = update_dataset(steward, dataset_id=dataset.pk, facts=DatasetFacts(description="new", region=same))
            assert updated.region == "us"
        with pytest.raises(RegionFixed):
            update_dataset(steward, dataset_id=dataset.pk, facts=DatasetFacts(region="eu"))


@pytest.mark.parametrize("model", [Chunk, FindingsBlob])
def test_a_row_that_names_another_store_is_not_read(
    tenant: Tenant, folders: dict[str, Path], model: type[Chunk] | type[FindingsBlob]
) -> None:
    dataset = make_dataset(tenant, region="us")
    upload(tenant, dataset, jsonl(rows_of(30)))
    with acting(tenant):
        packs = model.objects.filter(dataset=dataset).values("blob")
        Blob.objects.filter(pk__in=packs).update(store="vault")
    for name in files_in(folders["us"]):  # even where somebody put the bytes there
        (folders["eu"] / name).parent.mkdir(parents=True, exist_ok=True)
        (folders["eu"] / name).write_bytes((folders["us"] / name).read_bytes())
    NODES.clear()
    with pytest.raises(OutsideRegion):
        read_all(tenant, dataset)


def test_files_of_an_export_are_not_read_from_another_store(tenant: Tenant, folders: dict[str, Path]) -> None:
    dataset = make_dataset(tenant, region="us")
    upload(tenant, dataset, jsonl(rows_of(5)))
    kept = export(tenant, dataset, role="data_steward")
    with acting(tenant):
        Blob.objects.filter(job=kept.pk).update(store="vault")
        keys, blob = load_keys(dataset.pk), Blob.objects.filter(job=kept.pk).first()
    with pytest.raises(OutsideRegion):
        next(read_frames(keys, blob))
    with pytest.raises(OutsideRegion):
        contents(tenant, kept)


def test_a_process_of_another_zone_gets_no_keys(tenant: Tenant, settings: Any, folders: dict[str, Path]) -> None:
    dataset = make_dataset(tenant, region="us")
    upload(tenant, dataset, jsonl(rows_of(5)))
    serve_only(settings, "eu")
    client = caller(tenant, "data_steward")
    for path in ("/versions/main/records", "/versions/main/records/r1"):
        refused = send(client, "GET", f"/datasets/{dataset.pk}{path}")
        assert (refused.status_code, refused.json()["code"]) == (503, "VAULT_SYS_9013"), path
    assert send(client, "GET", f"/datasets/{dataset.pk}").status_code == 200  # what it is called is no secret
    with acting(tenant), pytest.raises(RegionNotServed):
        load_keys(dataset.pk)


def test_a_job_of_another_zone_waits_for_a_worker_there(
    tenant: Tenant, settings: Any, folders: dict[str, Path]
) -> None:
    dataset = make_dataset(tenant, region="us")
    queued = queue_upload(tenant, dataset, jsonl(rows_of(5)))
    before = files_in(folders["us"])
    serve_only(settings, "eu")
    for _ in range(12):  # more often than a job is tried
        run_ingest(tenant.pk, queued.pk)
    waiting = reload(tenant, queued)
    assert (waiting.status, waiting.attempt) == (JobStatus.QUEUED, 0)
    assert files_in(folders["us"]) == before
    serve_only(settings, "us")
    run_ingest(tenant.pk, queued.pk)
    assert reload(tenant, queued).status == JobStatus.SUCCEEDED


def test_an_undeclared_region_is_served_by_nobody(tenant: Tenant, settings: Any, tmp_path: Path) -> None:
    dataset = make_dataset(tenant, region="mars")  # a remark, as long as no region is declared
    upload(tenant, dataset, jsonl(rows_of(5)))
    declare_regions(settings, tmp_path)
    with pytest.raises(RegionNotServed):
        read_all(tenant, dataset)


def test_a_process_asks_once_where_a_dataset_lies(tenant: Tenant, folders: dict[str, Path]) -> None:
    dataset = make_dataset(tenant, region="us")
    with acting(tenant):
        load_keys(dataset.pk)
        asked = _region.cache_info().misses
        load_keys(dataset.pk)
    assert _region.cache_info().misses == asked


def test_a_dataset_of_another_tenant_has_no_region_here(
    tenant: Tenant, rival: Tenant, folders: dict[str, Path]
) -> None:
    from_rival: UUID = make_dataset(rival, region="us").pk
    client = caller(tenant, "data_steward")
    assert send(client, "GET", f"/datasets/{from_rival}/versions/main/records").status_code == 404
