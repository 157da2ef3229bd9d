from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from django.db import OperationalError, connections

from datasets.errors import PersonalDataInText, VersionNotFound
from datasets.errors.branches import (
    BranchMoved,
    BranchNotFound,
    BranchProtected,
    DefaultBranchKept,
    InvalidRefName,
    RefNameTaken,
    TagNotFound,
    VersionNotOnBranch,
)
from datasets.models import Branch, Version
from datasets.selectors import find_version
from datasets.services.branches import create_branch, delete_branch, get_branch, move_branch, protect_branch
from datasets.services.commit import read_profile
from datasets.services.history import read_log
from datasets.services.rollback import roll_back
from datasets.services.tags import create_tag, delete_tag
from datasets.services.write import run_ingest
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, queue_upload, read_all, rows_of, someone, upload

WRITERS = 16


def as_steward(tenant, service, dataset, **facts):
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        return service(steward, dataset_id=dataset.pk, **facts)


@pytest.fixture
def dataset(tenant):
    """Two versions on main: ten records, then fifteen."""
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows_of(10)))
    upload(tenant, dataset, jsonl(rows_of(15)))
    return dataset


def head_label(tenant, dataset, name="main"):
    with acting(tenant):
        head = get_branch(dataset, name).head
        return head.label if head else None


def names_of(records):
    return [record.id for record in records]


def test_a_branch_starts_at_any_version_and_takes_uploads_of_its_own(tenant, dataset):
    made = as_steward(tenant, create_branch, dataset, name="team/experiment", source="v1.0.0")
    assert made.head.label == "v1.0.0"
    ingest = upload(tenant, dataset, jsonl(rows_of(3)), branch="team/experiment", mode="append")
    assert (ingest.version.parent.label, ingest.version.record_count) == ("v1.0.0", 13)
    assert head_label(tenant, dataset) == "v1.1.0"
    assert len(read_all(tenant, dataset, version="team/experiment")) == 13


def test_an_upload_to_a_branch_that_is_not_there_is_refused_but_to_the_default_one_never(tenant):
    dataset = make_dataset(tenant)
    with pytest.raises(BranchNotFound):
        queue_upload(tenant, dataset, jsonl(rows_of(2)), branch="nowhere")
    assert upload(tenant, dataset, jsonl(rows_of(2)), branch="main").status == "succeeded"


def test_an_upload_whose_branch_is_deleted_meanwhile_fails(tenant, dataset):
    as_steward(tenant, create_branch, dataset, name="short")
    ingest = queue_upload(tenant, dataset, jsonl(rows_of(2)), branch="short")
    as_steward(tenant, delete_branch, dataset, name="short")
    run_ingest(tenant.pk, ingest.pk)
    with acting(tenant):
        ingest.refresh_from_db()
        assert (ingest.status, ingest.error_code) == ("failed", BranchNotFound.code)
        assert not Branch.objects.filter(dataset=dataset, name="short").exists()


def test_an_upload_whose_branch_is_protected_meanwhile_fails(tenant, dataset):
    ingest = queue_upload(tenant, dataset, jsonl(rows_of(2)))
    as_steward(tenant, protect_branch, dataset, name="main", is_protected=True)
    run_ingest(tenant.pk, ingest.pk)
    with acting(tenant):
        ingest.refresh_from_db()
        assert (ingest.status, ingest.error_code) == ("failed", BranchProtected.code)
    assert head_label(tenant, dataset) == "v1.1.0"


def test_a_protected_branch_takes_no_direct_write(tenant, dataset):
    as_steward(tenant, create_branch, dataset, name="side")
    as_steward(tenant, protect_branch, dataset, name="side", is_protected=True)
    with pytest.raises(BranchProtected):
        queue_upload(tenant, dataset, jsonl(rows_of(2)), branch="side")
    with pytest.raises(BranchProtected):
        as_steward(tenant, roll_back, dataset, branch_name="side", version="v1.0.0")
    with pytest.raises(BranchProtected):
        as_steward(tenant, move_branch, dataset, name="side", version="v1.0.0", expected="v1.1.0")
    with pytest.raises(BranchProtected):
        as_steward(tenant, delete_branch, dataset, name="side")
    as_steward(tenant, protect_branch, dataset, name="side", is_protected=False)
    as_steward(tenant, delete_branch, dataset, name="side")
    with acting(tenant), pytest.raises(BranchNotFound):
        get_branch(dataset, "side")


def test_the_default_branch_of_an_empty_dataset_can_be_protected(tenant):
    dataset = make_dataset(tenant)
    as_steward(tenant, protect_branch, dataset, name="main", is_protected=True)
    with pytest.raises(BranchProtected):
        queue_upload(tenant, dataset, jsonl(rows_of(2)))


def test_the_default_branch_cannot_be_deleted(tenant, dataset):
    with pytest.raises(DefaultBranchKept):
        as_steward(tenant, delete_branch, dataset, name="main")


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a b",
        "ümlaut",
        "a..b",
        "/a",
        "a/",
        "a//b",
        "./a",
        "x" * 101,
        "v1",
        "v1.2.3",
        "1.2",
        "17",
        "0f" * 32,
        "0190a1b2-0000-7000-8000-000000000001",
        "0190a1b200007000800000000000000f",
        "team/rollback",
    ],
)
def test_a_name_that_could_be_taken_for_something_else_is_refused(tenant, dataset, name):
    for service, facts in ((create_branch, {}), (create_tag, {"version": "main"})):
        with pytest.raises(InvalidRefName):
            as_steward(tenant, service, dataset, name=name, **facts)


def test_a_name_is_given_once_to_a_branch_or_a_tag(tenant, dataset):
    as_steward(tenant, create_branch, dataset, name="side")
    as_steward(tenant, create_tag, dataset, name="released", version="v1.0.0")
    for name in ("main", "side", "released"):
        with pytest.raises(RefNameTaken):
            as_steward(tenant, create_branch, dataset, name=name)
        with pytest.raises(RefNameTaken):
            as_steward(tenant, create_tag, dataset, name=name, version="main")


def test_names_and_messages_hold_no_personal_data(tenant, dataset):
    with pytest.raises(PersonalDataInText):
        as_steward(tenant, create_branch, dataset, name="card/4111-1111-1111-1111")
    for service, facts in ((create_tag, {"name": "ok", "version": "main"}), (roll_back, {"branch_name": "main"})):
        with pytest.raises(PersonalDataInText):
            as_steward(tenant, service, dataset, **({"version": "v1.0.0"} | facts), message="asked by ada@example.com")


def test_a_tag_names_its_version_until_it_is_deleted(tenant, dataset):
    as_steward(tenant, create_tag, dataset, name="paper/2026", version="1", message="as published")
    with acting(tenant):
        assert find_version(dataset, "paper/2026").label == "v1.0.0"
    upload(tenant, dataset, jsonl(rows_of(20)))
    assert len(read_all(tenant, dataset, version="paper/2026")) == 10
    as_steward(tenant, delete_tag, dataset, name="paper/2026")
    with acting(tenant), pytest.raises(VersionNotFound):
        find_version(dataset, "paper/2026")
    with pytest.raises(TagNotFound):
        as_steward(tenant, delete_tag, dataset, name="paper/2026")


def test_a_branch_moves_only_from_where_it_is_expected(tenant, dataset):
    with pytest.raises(BranchMoved) as refused:
        as_steward(tenant, move_branch, dataset, name="main", version="v1.0.0", expected="v1.0.0")
    assert refused.value.extra == {"head": "v1.1.0"}
    with pytest.raises(BranchMoved):
        as_steward(tenant, move_branch, dataset, name="main", version="v1.0.0", expected=None)
    as_steward(tenant, move_branch, dataset, name="main", version="v1.0.0", expected="v1.1.0")
    assert head_label(tenant, dataset) == "v1.0.0"


def test_a_rollback_is_a_new_version_with_the_old_tree(tenant, dataset):
    before = names_of(read_all(tenant, dataset, version="v1.0.0"))
    made = as_steward(tenant, roll_back, dataset, branch_name="main", version="v1.0.0", expected="v1.1.0")
    with acting(tenant):
        old, head = find_version(dataset, "v1.0.0"), find_version(dataset, "main")
        assert head.pk == made.pk
        assert (head.kind, head.parent.label, head.label) == ("rollback", "v1.1.0", "v1.2.0")
        assert (bytes(head.root), head.record_count, head.new_chunk_count) == (bytes(old.root), 10, 0)
        assert bytes(head.digest) != bytes(old.digest)
        assert read_profile(head) == read_profile(old)
    assert names_of(read_all(tenant, dataset)) == before
    again = upload(tenant, dataset, jsonl(rows_of(15)))
    assert again.version.record_count == 15


def test_a_rollback_goes_to_where_the_branch_comes_from_and_only_from_where_it_is(tenant, dataset):
    as_steward(tenant, create_branch, dataset, name="side", source="v1.0.0")
    with pytest.raises(VersionNotOnBranch):
        as_steward(tenant, roll_back, dataset, branch_name="side", version="v1.1.0")
    with pytest.raises(BranchMoved) as refused:
        as_steward(tenant, roll_back, dataset, branch_name="main", version="v1.0.0", expected="v1.0.0")
    assert refused.value.extra == {"head": "v1.1.0"}
    assert head_label(tenant, dataset) == "v1.1.0"


def test_a_rollback_of_an_empty_branch_is_refused(tenant, dataset):
    empty = make_dataset(tenant)
    with pytest.raises(VersionNotFound):
        as_steward(tenant, roll_back, empty, branch_name="main", version="v1.0.0")


def in_threads(work):
    """Sixteen at once, each on a connection of its own."""

    def connected(number):
        try:
            return work(number)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(WRITERS) as pool:
        return list(pool.map(connected, range(WRITERS)))


def test_of_sixteen_commits_on_one_head_one_wins_each_time_and_nothing_is_lost(tenant, dataset):
    def commit(number, head):
        try:
            as_steward(
                tenant,
                roll_back,
                dataset,
                branch_name="main",
                version="v1.0.0",
                message=f"writer {number}",
                expected=head,
            )
        except BranchMoved:
            return False
        return True

    waiting, rounds = set(range(WRITERS)), 0
    while waiting:
        head = head_label(tenant, dataset)
        ended = in_threads(lambda number, head=head: commit(number, head) if number in waiting else None)
        winners = [number for number, won in enumerate(ended) if won]
        assert len(winners) == 1
        waiting.discard(winners[0])
        rounds += 1
    assert rounds == WRITERS
    with acting(tenant):
        log = read_log(find_version(dataset, "main"), limit=100)
    assert len(log) == WRITERS + 2
    assert {version.message for version in log[:WRITERS]} == {f"writer {number}" for number in range(WRITERS)}
    assert [newer.parent_id for newer in log[:-1]] == [older.pk for older in log[1:]]


def test_sixteen_uploads_at_once_all_end_on_the_branch(tenant):
    dataset = make_dataset(tenant)
    ingests = [
        queue_upload(tenant, dataset, jsonl([{"id": f"row-{number}", "text": "x"}]), mode="append")
        for number in range(WRITERS)
    ]

    def work(number):
        ingest = ingests[number]
        for _ in range(200):
            with suppress(OperationalError), acting(tenant):
                ingest.refresh_from_db(fields=["status"])
            if ingest.is_final:
                return
            with suppress(OperationalError):  # the pool has fewer connections than there are workers here
                run_ingest(tenant.pk, ingest.pk)

    in_threads(work)
    with acting(tenant):
        statuses = {ingest.status for ingest in ingests if ingest.refresh_from_db() is None}
        assert statuses <= {"succeeded", "queued"}
    for ingest in ingests:  # who waited for another's build is woken again
        run_ingest(tenant.pk, ingest.pk)
    assert names_of(read_all(tenant, dataset)) == sorted(f"row-{number}" for number in range(WRITERS))
    with acting(tenant):
        assert Version.objects.filter(dataset=dataset).count() == WRITERS
