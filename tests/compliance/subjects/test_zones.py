"""Workers of two zones, none of which serves both: a search and an erasure of a person come to their end."""

import pytest

from compliance.subjects.erasure_work import run_subject_erasure
from compliance.subjects.sweep import run_search
from tests.factories.datasets import jsonl, make_dataset, read_all, upload
from tests.factories.regions import declare_regions, serve_only
from tests.factories.subjects import ADA, ROWS, queue_erasure_of, queue_search, run_parts
from tests.factories.upkeep import again

ZONES = ("us", "eu")


@pytest.fixture
def datasets(tenant, settings, tmp_path):
    declare_regions(settings, tmp_path, with_countries=False)
    made = [make_dataset(tenant, region=zone) for zone in ZONES]
    for one in made:
        assert upload(tenant, one, jsonl(ROWS)).status == "succeeded"
    return made


def in_turn(settings, run, *args):
    """Two workers, each started twice."""
    for zone in ZONES * 2:
        serve_only(settings, zone)
        run(*args)
    settings.VAULT = {**settings.VAULT, "ZONES": frozenset()}


def test_a_search_and_an_erasure_over_two_zones_end(tenant, settings, datasets) -> None:
    search = queue_search(tenant, ADA[:2])
    in_turn(settings, run_search, tenant.pk, search.pk)
    search = again(tenant, search)
    assert (search.status, search.counts, search.dataset_count) == ("succeeded", {"record": 4}, 2)
    erasure = queue_erasure_of(tenant, search)
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    in_turn(settings, run_subject_erasure, tenant.pk, erasure.pk)
    erasure = again(tenant, erasure)
    assert (erasure.status, erasure.remaining) == ("succeeded", {})
    assert [record.id for one in datasets for record in read_all(tenant, one)] == ["like", "name", "other"] * 2


def test_what_one_zone_found_again_is_in_the_count_of_the_other(tenant, settings, datasets) -> None:
    search = queue_search(tenant, ADA[:2])
    run_search(tenant.pk, search.pk)
    erasure = queue_erasure_of(tenant, again(tenant, search))
    run_subject_erasure(tenant.pk, erasure.pk)
    run_parts(tenant, erasure)
    for one in datasets:
        assert upload(tenant, one, jsonl(ROWS[:1]), mode="append").status == "succeeded"
    in_turn(settings, run_subject_erasure, tenant.pk, erasure.pk)
    assert again(tenant, erasure).remaining == {"found in record": 2}
