"""The report on requests of data subjects says what became of each, and names nobody."""

from datetime import UTC, datetime, timedelta

import pytest

from compliance.tasks import continue_subject_search
from tests.compliance.reports.asking import body, figures, report_of, written
from tests.compliance.requests.conftest import JANE, act, asked, officer  # noqa: F401 - fixtures
from tests.factories.access import make_user
from tests.factories.api import caller, send
from tests.factories.datasets import jsonl, make_dataset, upload


def ago(days: int) -> str:
    return (datetime.now(UTC) - timedelta(days=days)).isoformat()


@pytest.fixture
def cases(asked, act):  # noqa: F811 - fixtures
    """One answered in time, one late, one overdue, one extended and refused, one that waits for its subject."""
    made = {
        "met": asked(received_at=ago(2)),
        "missed": asked(received_at=ago(40), law="uk_gdpr", contact="b@example.org"),
        "overdue": asked(received_at=ago(50), law="ccpa", type="erasure", contact="c@example.org"),
        "refused": asked(received_at=ago(10), type="portability", contact="d@example.org"),
        "waits": asked(received_at=ago(1), contact="e@example.org"),
    }
    for name in ("met", "missed"):
        act(made[name], "verify", {"method": "document"})
        for to in ("searching", "review"):
            act(made[name], "move", {"to": to})
        assert act(made[name], "answer", {"message": "Your data are in the package."})[0] == 200
    assert act(made["refused"], "extend", {"reason": "It is much."})[0] == 200
    assert act(made["refused"], "refuse", {"ground": "excessive", "explanation": "The seventh."})[0] == 200
    assert act(made["waits"], "identity-link")[0] == 200
    return made


def test_its_figures_are_those_of_the_cases(tenant, cases) -> None:
    shown = report_of(tenant, "gdpr_dsar", days=60)
    by_reference = {row["reference"]: row for row in shown["rows"]}
    assert by_reference.keys() == {one["reference"] for one in cases.values()}
    clocks = {name: by_reference[one["reference"]]["clock"] for name, one in cases.items()}
    assert clocks == {
        "met": "met",
        "missed": "missed",
        "overdue": "overdue",
        "refused": "met",
        "waits": "standing still",
    }
    told = figures(shown)
    assert (told["Answered in time"], told["Answered late"], told["Overdue now"]) == (2, 1, 1)
    assert (told["Time still running"], told["Extended"], told["Refused"]) == (1, 1, 1)
    assert (told["Days to an answer, median"], told["Days to an answer, most"]) == (10, 40)
    law = next(table for table in shown["tables"] if table["rows"] == "law")
    assert next(line["total"] for line in law["lines"] if line["value"] == "gdpr") == 3


def test_it_holds_nothing_of_the_subjects(tenant, cases) -> None:
    for form in ("json", "csv"):
        _, content = written(tenant, caller(tenant, "auditor"), body("gdpr_dsar", form, days=60))
        for word in (JANE["name"], "example.org", *JANE["identifiers"], "The seventh", "It is much", "package"):
            assert word.encode() not in content, word


def test_it_is_of_the_period_and_of_the_people_and_datasets_asked_for(tenant, rival, cases, act) -> None:  # noqa: F811
    send(caller(rival, "privacy_officer"), "POST", "/subject-requests", JANE)
    recent = {row["reference"] for row in report_of(tenant, "gdpr_dsar", days=20)["rows"]}
    assert recent == {cases[name]["reference"] for name in ("met", "refused", "waits")}
    assert report_of(tenant, "gdpr_dsar", days=60, until=30)["integrity"]["rows"] == 2
    worker, dataset = make_user(tenant, "privacy_officer"), make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r1", "text": "of the subject"}]))
    act(cases["overdue"], "assign", {"assignee": str(worker.pk)})
    (row,) = report_of(tenant, "gdpr_dsar", days=60, users=[str(worker.pk)])["rows"]
    assert (row["request_id"], row["assignee"]) == (cases["overdue"]["id"], worker.username)
    act(cases["overdue"], "verify", {"method": "document"})
    act(cases["overdue"], "move", {"to": "searching"})
    found = {"matches": [{"dataset_id": str(dataset.pk), "record_ids": ["r1"]}]}
    assert act(cases["overdue"], "matches", found, "PUT")[0] == 200
    (row,) = report_of(tenant, "gdpr_dsar", days=60, datasets=[str(dataset.pk)])["rows"]
    assert (row["request_id"], row["records_searched"], row["records_entered"]) == (cases["overdue"]["id"], 0, 1)


def test_it_counts_what_a_search_found_and_somebody_accepted(tenant, asked, act) -> None:  # noqa: F811
    dataset, other = make_dataset(tenant), make_dataset(tenant)
    upload(tenant, dataset, jsonl([{"id": "r1", "text": f"Write to {JANE['contact']} about it."}]))
    request = asked(identity="known")
    status, begun = act(request, "search", {})
    assert status == 202, begun
    continue_subject_search(str(tenant.pk), begun["search"]["id"])
    (row,) = report_of(tenant, "gdpr_dsar", datasets=[str(dataset.pk)])["rows"]
    assert (row["request_id"], row["state"], row["records_searched"]) == (request["id"], "review", 1)
    assert report_of(tenant, "gdpr_dsar", datasets=[str(other.pk)])["rows"] == []
