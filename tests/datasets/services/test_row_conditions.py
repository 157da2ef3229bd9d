"""An obligation to filter rows: for its reader the other records do not exist, on every surface that releases any."""

import orjson
import pytest

from access.policy.errors import InvalidPolicyText
from access.services.policies import check_policy, draft_policy
from anonymization.guarantees.guarantee import Guarantee
from datasets.errors import RecordNotFound, UnmetObligation
from datasets.errors.exports import StricterObligations
from datasets.query import parse_filter
from datasets.services.diff import count_changes, open_comparison, shown_changes
from datasets.services.exports.download import make_address
from datasets.services.merges.conflicts import open_conflicts
from datasets.services.query import Query, RecordScan
from datasets.services.read import read_record, read_records, stream_data
from datasets.services.statistics.ask import open_statistics
from datasets.services.statistics.request import parse_request
from tests.access.policy.stored import put_in_force
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import PURPOSE, jsonl, make_dataset, someone, upload
from tests.factories.drafts import make_draft, put, read_draft
from tests.factories.exports import contents, export, queue_export, reload_export
from tests.factories.guaranteed import declare_rules, guaranteed, people, table
from tests.factories.leases import open_as
from tests.factories.merges import merged, parted
from vaultsite.kernel.tenancy.principal import RequestFacts
from vaultsite.kernel.tenancy.scope import tenant_scope

ROWS = [
    {"id": f"r{n:03d}", "n": n, "kind": "even" if n % 2 == 0 else "odd", "mail": f"a{n}@example.com"} for n in range(40)
]
EVEN = [row["id"] for row in ROWS if row["kind"] == "even"]
ACTIONS = 'action in [Action::"record.read", Action::"analytics.export", Action::"statistics.query"]'


def only(condition: str) -> str:
    return f"@filter_rows({orjson.dumps(condition).decode()}) permit(principal, {ACTIONS}, resource);"


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant)
    upload(tenant, made, jsonl(ROWS))
    put_in_force(tenant, only("kind = 'even'"))
    return made


@pytest.mark.parametrize("role", ["data_steward", "data_scientist", "analyst"])
def test_pages_streams_and_single_records_have_none_of_the_others(tenant, dataset, role):
    reader = someone(tenant, role)
    release = open_as(tenant, dataset, reader)
    assert [record.id for record in read_records(release)] == EVEN
    assert [record.id for record in read_records(release, after="r010", limit=3)] == ["r012", "r014", "r016"]
    lines = [orjson.loads(line) for line in stream_data(release, reader, RequestFacts())]
    assert [line["n"] for line in lines] == list(range(0, 40, 2))
    assert read_record(release, "r002").id == "r002"
    with pytest.raises(RecordNotFound):
        read_record(release, "r003")


@pytest.mark.parametrize("role", ["data_steward", "data_scientist"])
def test_queries_and_what_they_cost_tell_nothing_of_the_others(tenant, dataset, role):
    client = caller(tenant, role)
    answer = send(client, "POST", f"/datasets/{dataset.pk}/query", {"filter": "n >= 30"}).json()
    assert [record["id"] for record in answer["data"]] == [one for one in EVEN if one >= "r030"]
    assert answer["scanned"]["records"] == len(EVEN)
    nothing = send(client, "POST", f"/datasets/{dataset.pk}/query", {"filter": "n > 1000"}).json()
    assert (nothing["data"], nothing["scanned"]["pruned_chunks"]) == ([], 0)


def test_a_query_whose_time_is_up_comes_past_records_that_are_not_released(tenant, dataset):
    release = open_as(tenant, dataset, someone(tenant, "data_steward"))
    after, seen = None, []
    for _ in ROWS:
        scan = RecordScan(release, Query().filter, after, deadline=0.0)
        seen += [record["id"] for record in scan]
        after = scan.last_id
    assert seen == EVEN


def test_aggregates_are_of_the_released_alone(tenant, dataset):
    body = {"aggregate": "count", "group_by": "kind"}
    answer = send(caller(tenant, "data_steward"), "POST", f"/datasets/{dataset.pk}/query", body)
    assert [group["group"] for group in answer.json()["data"]] == [{"/data/kind": "even"}]


def test_a_condition_is_judged_on_what_is_stored_and_not_on_what_is_shown(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(ROWS[:4]))
    put_in_force(tenant, only("NOT mail PREFIX 'a1@'"))
    analyst = someone(tenant, "analyst")
    shown = list(read_records(open_as(tenant, dataset, analyst)))
    assert [record.id for record in shown] == ["r000", "r002", "r003"]
    assert "a2@" not in str(shown[1].data)


def test_conditions_of_several_policies_all_have_to_hold(tenant, dataset):
    put_in_force(tenant, only("n < 10"))
    release = open_as(tenant, dataset, someone(tenant, "data_scientist"))
    assert [record.id for record in read_records(release)] == EVEN[:5]


def test_differences_are_those_among_the_released(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(ROWS[:8]))
    changed = {"r000": {"kind": "odd"}, "r001": {"kind": "even"}, "r002": {"n": 99}, "r003": {"n": 99}}
    upload(tenant, dataset, jsonl([row | changed.get(row["id"], {}) for row in ROWS[:8] if row["n"] not in {4, 5}]))
    put_in_force(tenant, only("kind = 'even'"))
    reader = someone(tenant, "data_scientist")
    with acting(tenant, reader):
        compared = open_comparison(reader, dataset_id=dataset.pk, before="v1.0.0", after="v1.1.0")
    found = {change.id: change.kind for change in shown_changes(compared)}
    assert found == {"r000": "removed", "r001": "added", "r002": "modified", "r004": "removed"}
    assert count_changes(compared) == {"added": 1, "removed": 2, "modified": 1, "erased": 0}


def test_a_draft_shows_neither_what_is_staged_nor_what_lies_below_it(tenant, dataset):
    draft = make_draft(tenant, dataset)
    put(
        tenant,
        draft,
        [
            {"id": "r000", "data": {"kind": "odd"}},
            {"id": "s1", "data": {"kind": "even"}},
            {"id": "s2", "data": {"kind": "odd"}},
        ],
    )
    shown = [record.id for record in read_draft(tenant, draft)]
    assert shown == [*EVEN[1:], "s1"]


def test_who_may_not_see_every_record_chooses_between_none(tenant):
    base = [{"id": "a", "kind": "even", "n": 0}]
    merge = merged(tenant, parted(tenant, base, [base[0] | {"n": 1}], [base[0] | {"n": 2}]))
    put_in_force(tenant, only("kind = 'even'"))
    steward = someone(tenant, "data_steward")
    with pytest.raises(UnmetObligation), tenant_scope(tenant.pk, steward):
        open_conflicts(steward, merge_id=merge.pk)


@pytest.mark.parametrize("role", ["data_steward", "data_scientist"])
def test_an_export_holds_the_released_alone_and_leaves_as_long_as_the_condition_is_the_same(tenant, dataset, role):
    asker = someone(tenant, role)
    done = export(tenant, dataset, principal=asker)
    rows = [orjson.loads(line) for line in contents(tenant, done)["export.jsonl"].splitlines()]
    assert sorted(row["n"] for row in rows) == list(range(0, 40, 2))
    with acting(tenant, asker):
        assert make_address(asker, done.pk).name
    put_in_force(tenant, only("n < 10"))
    with acting(tenant, asker), pytest.raises(StricterObligations):
        make_address(asker, done.pk)


def test_an_export_is_written_under_the_condition_it_was_asked_for_under(tenant, dataset):
    queued = queue_export(tenant, dataset)
    assert reload_export(tenant, queued).obligations == ["filter_rows:kind = 'even'"]


def test_a_table_under_a_guarantee_is_made_of_the_released(tenant):
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(people(120)))
    declare_rules(tenant, dataset)
    put_in_force(tenant, only("age < 40"))
    done = guaranteed(tenant, dataset, guarantee=Guarantee(2, suppression=0.5))
    rows = table(tenant, done)
    young = sum(one["age"] < 40 for one in people(120))
    assert 0 < len(rows) <= young < 120


def test_statistics_are_about_the_released_and_answered_anew(tenant, dataset):
    steward = someone(tenant, "data_steward")
    declare_rules(tenant, dataset, subject="mail", sensitive=())
    request = parse_request(subject="mail", queries=[{"type": "count", "epsilon": 1}], filter_="n < 20")
    with acting(tenant, steward):
        asked = open_statistics(steward, dataset_id=dataset.pk, version="main", request=request)
    assert str(asked.request.filter) == str(parse_filter("kind = 'even' AND n < 20"))


@pytest.mark.parametrize(
    ("condition", "says"),
    [
        ("kind =", "no condition on records"),
        ("kind ~ 'x'", "no condition on records"),
        ("mail = 'ada.lovelace@example.com'", "personal data"),
        ("   ", "asks for nothing"),
        ("x" * 1001, "asks for nothing"),
    ],
)
def test_a_condition_nobody_could_judge_is_not_saved(tenant, condition, says):
    admin = principal_with(tenant, "tenant_admin")
    with acting(tenant, admin):
        verdict = check_policy(admin, text=only(condition))
        assert any(says in problem.detail for problem in verdict.problems)
    with acting(tenant, admin), pytest.raises(InvalidPolicyText):
        draft_policy(admin, name="broken", text=only(condition))


def test_where_nothing_filters_rows_it_cannot_be_asked_for(tenant):
    admin = principal_with(tenant, "tenant_admin")
    text = only("n = 1").replace(ACTIONS, 'action == Action::"version.read"')
    with acting(tenant, admin):
        (problem,) = check_policy(admin, text=text).problems
    assert "nothing enforces @filter_rows" in problem.detail


def test_the_records_of_the_api_and_of_the_browser_are_counted_after_the_condition(tenant, dataset):
    client = caller(tenant, "data_scientist", purpose=PURPOSE)
    first = send(client, "GET", f"/datasets/{dataset.pk}/versions/main/records?limit=15").json()
    assert [one["id"] for one in first["data"]] == EVEN[:15]
    cursor = first["pagination"]["next_cursor"]
    rest = send(client, "GET", f"/datasets/{dataset.pk}/versions/main/records?limit=15&cursor={cursor}").json()
    assert ([one["id"] for one in rest["data"]], rest["pagination"]["next_cursor"]) == (EVEN[15:], None)
