"""Release rules over REST and on their page: who declares them, who reads what of them, and what they bind."""

import pytest

from anonymization.guarantees.guarantee import Guarantee
from audit.models import AuditEvent
from datasets.models import ReleaseRules
from datasets.services.guaranteed.options import Column, HierarchyKind, HierarchyPlan, Role
from tests.factories.access import acting, principal_with
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.guaranteed import declare_rules, guaranteed, options_of, people, queue_guaranteed, table
from tests.factories.pages import browser_of
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
from vaultsite.kernel.errors import VaultError

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

TABLE = "nurse;care;*\nclerk;office;*\npilot;away;*\nbaker;away;*\n"
RULES = {
    "subject": "person",
    "sensitive": ["spent"],
    "insensitive": ["at"],
    "minimum_k": 4,
    "hierarchies": {"job": {"kind": "table", "table": TABLE}, "age": {"kind": "intervals", "steps": [10, 20]}},
}


@pytest.fixture
def dataset(tenant):
    made = make_dataset(tenant, name="visits")
    upload(tenant, made, jsonl(people(80)))
    return made


def put(client, dataset, **changed):
    return send(client, "PUT", f"/datasets/{dataset.pk}/release-rules", RULES | changed)


def test_a_steward_declares_and_who_asks_reads_all_but_the_tables(tenant, dataset):
    empty = send(caller(tenant, "analyst"), "GET", f"/datasets/{dataset.pk}/release-rules")
    assert (empty.status_code, empty.json()["subject"], empty.json()["minimum_k"]) == (200, "", None)
    answer = put(caller(tenant, "data_steward"), dataset)
    assert answer.status_code == 200, answer.content
    assert answer.json()["hierarchies"]["job"]["table"] == TABLE
    shown = send(caller(tenant, "analyst"), "GET", f"/datasets/{dataset.pk}/release-rules").json()
    assert (shown["subject"], shown["sensitive"], shown["minimum_k"]) == ("person", ["spent"], 4)
    assert shown["hierarchies"]["job"] == {"kind": "table", "steps": [], "ordered": False, "lines": 4}
    assert send(caller(tenant, "viewer"), "GET", f"/datasets/{dataset.pk}/release-rules").status_code == 403
    with acting(tenant):
        assert b"nurse" not in bytes(ReleaseRules.objects.get().hierarchies)
        (event,) = AuditEvent.objects.filter(type="privacy.rules.declared")
        assert b"nurse" not in bytes(event.body)


@pytest.mark.parametrize("role", ["analyst", "tenant_admin", "ml_engineer"])
def test_who_asks_does_not_declare(tenant, dataset, role):
    assert put(caller(tenant, role), dataset).status_code == 403


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"subject": "data"}, 400),
        ({"subject": "a b"}, 400),
        ({"subject": "spent"}, 400),
        ({"insensitive": ["spent"]}, 400),
        ({"minimum_k": 1}, 400),
        ({"unknown": 1}, 400),
        ({"sensitive": ["ada@example.com"]}, 400),
        ({"hierarchies": {"job": {"kind": "table", "table": "a;b\na;c\n"}}}, 400),
    ],
)
def test_rules_that_do_not_hold_together_are_refused(tenant, dataset, changed, status):
    assert put(caller(tenant, "data_steward"), dataset, **changed).status_code == status


def test_a_table_is_counted_by_the_declared_subject_and_labelled_by_the_declared_hierarchy(tenant, dataset):
    job = HierarchyPlan(HierarchyKind.TABLE, table=TABLE)
    declare_rules(tenant, dataset, hierarchies={"job": job})
    done = guaranteed(
        tenant, dataset, role="analyst", columns=(Column("job", Role.QUASI),), guarantee=Guarantee(30, suppression=0.9)
    )  # fmt: skip
    assert done.status == "succeeded", done.error
    assert done.guarantee["counts"] == "data subjects"
    assert [column["name"] for column in done.columns] == ["person", "job"]
    assert {row["job"] for row in table(tenant, done)} <= {"care", "office", "away", "*"}


def test_a_subject_in_metadata_counts_people_too(tenant):
    made = make_dataset(tenant)
    rows = [
        {"id": f"r{n}", "data": {"age": 30 + n % 2}, "metadata": {"user": f"u{n // 4}"}} for n in range(40)
    ]  # fmt: skip
    upload(tenant, made, jsonl(rows), envelope=True)
    declare_rules(tenant, made, subject="metadata.user", sensitive=())
    done = guaranteed(tenant, made, role="analyst", columns=(Column("age", Role.QUASI),), guarantee=Guarantee(5))
    assert done.status == "succeeded", done.error
    # Ten people with four rows each, of whom each is in both groups of age.
    assert done.attained["k"] == 10


def test_where_every_record_is_about_somebody_else_rows_are_counted(tenant, dataset):
    declare_rules(tenant, dataset, subject="id")
    done = guaranteed(tenant, dataset, role="analyst", columns=(Column("job", Role.QUASI),), guarantee=Guarantee(5))
    assert (done.status, done.guarantee["counts"]) == ("succeeded", "rows")


@pytest.mark.parametrize(
    "column",
    [
        Column("at", Role.SENSITIVE),
        Column("spent", Role.QUASI),
        Column("at", Role.INSENSITIVE),
        Column("person", Role.IDENTIFIER),
        Column("person", Role.QUASI),
    ],
)
def test_columns_have_the_roles_they_are_declared_with(tenant, dataset, column):
    declare_rules(tenant, dataset)
    columns = (Column("age", Role.QUASI), column)
    with pytest.raises(VaultError) as refusal:
        queue_guaranteed(tenant, dataset, role="analyst", columns=columns)
    assert [problem.field for problem in refusal.value.errors] == ["/columns/1"]


def test_the_declared_k_binds_who_reads_raw_and_the_rest_does_not(tenant, dataset):
    declare_rules(tenant, dataset, minimum_k=5)
    own = options_of(columns=(Column("note", Role.SUBJECT), Column("age", Role.QUASI))).columns
    with pytest.raises(VaultError) as refusal:
        queue_guaranteed(tenant, dataset, columns=own, guarantee=Guarantee(4))
    assert refusal.value.code == "VAULT_DATA_4707"
    assert queue_guaranteed(tenant, dataset, columns=own, guarantee=Guarantee(5)).pk


def test_the_installations_k_holds_where_none_is_declared(tenant, dataset):
    assert declare_rules(tenant, dataset, minimum_k=None).minimum_k == 5


def test_rules_of_ones_own_making_do_not_count(tenant, dataset):
    both = principal_with(tenant, "analyst", purpose="evaluation")
    as_steward = principal_with(tenant, "data_steward", id=both.id)
    declare_rules(tenant, dataset, principal=as_steward)
    with pytest.raises(VaultError) as refusal:
        queue_guaranteed(tenant, dataset, principal=both)
    assert refusal.value.code == "VAULT_DATA_4706"


def test_statistics_count_the_declared_subject(tenant, dataset):
    analyst = caller(tenant, "analyst", purpose="analytics")
    path = f"/datasets/{dataset.pk}/statistics"
    count = {"queries": [{"type": "count", "epsilon": "1"}]}
    missing = send(analyst, "POST", path, count | {"subject": "person"})
    assert (missing.status_code, missing.json()["code"]) == (409, "VAULT_DATA_4706")
    assert missing.json()["missing"] == ["subject"]
    declare_rules(tenant, dataset)
    other = send(analyst, "POST", path, count | {"subject": "note"})
    assert (other.status_code, other.json()["errors"][0]["field"]) == (422, "/subject")
    chosen = send(analyst, "POST", path, count | {"filter": {"person": "P00001"}})
    assert (chosen.status_code, chosen.json()["errors"][0]["field"]) == (422, "/filter")
    assert send(analyst, "POST", path, count).status_code == 200
    steward = caller(tenant, "data_steward", purpose="analytics")
    assert send(steward, "POST", path, count | {"subject": "age"}).status_code == 200


def test_rules_are_declared_and_shown_on_their_page(tenant, dataset):
    path = f"/admin/datasets/dataset/{dataset.pk}/release-rules/"
    steward, analyst = browser_of(tenant, "data_steward"), browser_of(tenant, "analyst")
    assert "Nothing is declared" in analyst.get(path).text
    assert "<form" not in analyst.get(path).text.partition('id="declared"')[2]
    form = {
        "subject": "person", "minimum_k": "4", "sensitive": "spent\n", "insensitive": "at",
        "column": ["job", ""], "kind": ["table", "intervals"], "steps": ["", ""], "table": [TABLE, ""],
        "ordered": ["no", "no"],
    }  # fmt: skip
    wrong = steward.post(path, form | {"subject": "data"})
    assert wrong.status_code == 400
    assert "nurse;care;*" in wrong.text
    assert steward.post(path, form | {"kind": ["table"]}).status_code == 400
    assert steward.post(path, form).status_code == 302
    assert "nurse;care;*" in steward.get(path).text
    shown = analyst.get(path).text
    assert "job (table)" in shown
    assert "nurse" not in shown
    assert analyst.post(path, form).status_code == 403
    assert "k is at least" in analyst.get(f"/admin/datasets/dataset/{dataset.pk}/guaranteed/").text


def test_schedules_are_shown_and_ended_on_the_page_of_tables(tenant, dataset):
    declare_rules(tenant, dataset)
    body = {
        "dataset_id": str(dataset.pk), "fields": ["age"], "anonymization": {"k": 4}, "interval_hours": 24,
    }  # fmt: skip
    made = send(caller(tenant, "analyst"), "POST", "/analytics/schedules", body)
    assert made.status_code == 201, made.content
    path = f"/admin/datasets/dataset/{dataset.pk}/guaranteed/"
    steward = browser_of(tenant, "data_steward")
    assert made.json()["id"] in steward.get(path).text
    assert made.json()["id"] not in browser_of(tenant, "analyst").get(path).text
    assert steward.post(path, {"schedule": "x"}).status_code == 400
    assert steward.post(path, {"schedule": made.json()["id"]}).status_code == 302
    assert made.json()["id"] not in steward.get(path).text
