import re
from uuid import uuid4

import pytest

from datasets.models import VersionTag
from datasets.selectors import find_version
from datasets.services.branches import create_branch, get_branch
from datasets.services.graph import lanes_of
from datasets.services.tags import create_tag
from tests.datasets.services.test_history import plant
from tests.factories.access import acting
from tests.factories.datasets import jsonl, make_dataset, rows_of, someone, upload
from tests.factories.pages import browser_of, events_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")


@pytest.fixture
def dataset(tenant):
    dataset, steward = make_dataset(tenant), someone(tenant, "data_steward")
    upload(tenant, dataset, jsonl(rows_of(4)), message="first <b>batch</b>")
    with acting(tenant, steward):
        create_branch(steward, dataset_id=dataset.pk, name="side")
        create_tag(steward, dataset_id=dataset.pk, name="paper", version="v1.0.0")
    upload(tenant, dataset, jsonl(rows_of(6)))
    upload(tenant, dataset, jsonl(rows_of(1)), branch="side", mode="append")
    return dataset


def page_of(dataset):
    return f"/admin/datasets/dataset/{dataset.pk}/branches/"


def test_the_page_draws_every_version_once_and_says_it_again_as_a_table(tenant, dataset):
    answer, _ = opened(browser_of(tenant, "data_steward"), page_of(dataset))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert len(re.findall("<circle", text)) == 3
    assert len(re.findall("<path", text)) == 2
    assert len(re.findall('<tr id="version-', text)) == 3
    for label in ("v1.0.0", "v1.1.0", "v1.2.0"):
        assert re.search(rf'aria-label="{label}, upload by unknown, 20', text)
    assert "first &lt;b&gt;batch&lt;/b&gt;" in text
    assert "<b>batch" not in text
    assert "paper" in text


def test_an_empty_dataset_has_a_page_too(tenant):
    answer, _ = opened(browser_of(tenant, "data_steward"), page_of(make_dataset(tenant)))
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "No version yet" in text
    assert "<svg class" not in text
    assert "create-branch" not in text


def test_who_may_only_look_gets_no_form(tenant, dataset):
    viewer = browser_of(tenant, "viewer")
    answer, _ = opened(viewer, page_of(dataset))
    assert answer.status_code == 200
    assert 'name="do"' not in answer.content.decode()
    refused, request_id = opened(viewer, page_of(dataset), {"do": "delete-tag", "name": "paper"}, method="post")
    assert refused.status_code == 403
    assert {event.type for event in events_of(tenant, request_id)} == {"data.access.denied"}
    with acting(tenant):
        assert VersionTag.objects.filter(dataset=dataset).count() == 1


def test_the_forms_change_branches_and_tags(tenant, dataset):
    browser, path = browser_of(tenant, "data_steward"), page_of(dataset)
    for form in (
        {"do": "create-branch", "name": "other", "version": "paper"},
        {"do": "create-tag", "name": "eval", "version": "side", "message": "for the evaluation"},
        {"do": "delete-tag", "name": "paper"},
        {"do": "roll-back", "name": "main", "version": "v1.0.0", "expected": "v1.1.0", "message": ""},
        {"do": "protect-branch", "name": "main", "is_protected": "1"},
        {"do": "delete-branch", "name": "side"},
    ):
        answer, _ = opened(browser, path, form, method="post")
        assert (answer.status_code, answer.headers.get("Location")) == (302, path), form
    with acting(tenant):
        assert get_branch(dataset, "other").head.label == "v1.0.0"
        assert find_version(dataset, "eval").label == "v1.2.0"
        main = get_branch(dataset, "main")
        assert (main.head.kind, main.is_protected) == ("rollback", True)
    text = opened(browser, path)[0].content.decode()
    assert "Unprotect" in text


@pytest.mark.parametrize(
    ("form", "status", "says"),
    [
        ({"do": "create-branch", "name": "v9"}, 400, "reads like the label"),
        ({"do": "create-branch", "name": "side"}, 409, "VAULT_DATA_4303"),
        ({"do": "roll-back", "name": "main", "version": "v1.0.0", "expected": "v1.0.0"}, 409, "points at v1.1.0 now"),
        ({"do": "delete-branch", "name": "main"}, 409, "VAULT_DATA_4307"),
        ({"do": "delete-branch", "name": "gone"}, 404, "VAULT_DATA_4301"),
        ({"do": "anything"}, 400, "VAULT_VALID_3001"),
    ],
)
def test_a_refused_change_is_said_on_the_page_and_recorded(tenant, dataset, form, status, says):
    answer, request_id = opened(browser_of(tenant, "data_steward"), page_of(dataset), form, method="post")
    assert answer.status_code == status
    assert says in answer.content.decode()
    (event,) = events_of(tenant, request_id)
    assert event.status == "failure"


def test_the_page_of_another_tenants_dataset_is_not_there(rival, dataset):
    stranger = browser_of(rival, "data_steward")
    for identifier in (dataset.pk, uuid4()):
        answer, _ = opened(stranger, f"/admin/datasets/dataset/{identifier}/branches/")
        assert answer.status_code == 404
        assert "VAULT_DATA_4001" in answer.content.decode()


def test_a_branch_keeps_its_lane_and_what_nobody_points_at_has_its_own(tenant):
    dataset = make_dataset(tenant)
    with acting(tenant):
        rows = plant(dataset, {1: (), 2: (1,), 3: (1,), 4: (2, 3), 5: (3,), 6: (1,)})
    newest_first = [rows[number] for number in (6, 5, 4, 3, 2, 1)]
    lanes = lanes_of(newest_first, [rows[4].pk, rows[5].pk])
    assert {number: lanes[row.pk] for number, row in rows.items()} == {1: 0, 2: 0, 4: 0, 3: 1, 5: 1, 6: 2}
