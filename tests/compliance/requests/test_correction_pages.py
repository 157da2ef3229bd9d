"""Rectification in the browser: a record, what it is to say, a second look, the version."""

import pytest

from compliance.models import Correction
from compliance.requests.correction_form import Entry, compare, members_of, read_patch
from datasets.services.drafts.patch import merge_patch
from tests.compliance.requests.test_packages import dataset, reviewed  # noqa: F401 - fixtures
from tests.factories.access import acting
from tests.factories.datasets import read_all
from tests.factories.pages import browser_of, opened
from tests.vaultsite.conftest import plain_static, quick_passwords  # noqa: F401 - fixtures
from vaultsite.kernel.errors import InvalidInput

DATA = {"id": "r-1", "name": "Ada", "address": {"city": "Bonn", "tags": ["a"]}, "none": {}}


def entered(*rows):
    return {"path": [row[0] for row in rows], "kind": [row[1] for row in rows], "value": [row[2] for row in rows]}


def test_members_are_told_by_their_paths():
    assert members_of(DATA) == [
        ("id", '"r-1"'),
        ("name", '"Ada"'),
        ("address/city", '"Bonn"'),
        ("address/tags", '["a"]'),
        ("none", "{}"),
    ]


def test_what_is_entered_becomes_a_merge_patch():
    rows = [
        ("name", "text", "Eve"),
        ("address/city", "removed", ""),
        ("address/zip", "json", "53111"),
        ("", "text", ""),
    ]
    patch = read_patch([Entry(*row) for row in rows], DATA)
    assert patch == {"name": "Eve", "address": {"city": None, "zip": 53111}}


ODD = {
    "id": "r-1",
    "a/b": "wrong",
    "a": {"b": "right"},
    "c~1d": "wrong",
    "c/d": "right",
    " name": "wrong",
    "": {"e": "right"},
    "e": "wrong",
}


@pytest.mark.parametrize(
    ("path", "name"),
    [("a~1b", "a/b"), ("c~01d", "c~1d"), (" name", " name"), ("e", "e"), (" e ", "e"), ("new~1", "new/")],
)
def test_a_member_with_any_name_is_corrected_and_no_other(path, name):
    assert len(dict(members_of(ODD))) == len(members_of(ODD)) == 8
    patch = read_patch([Entry(path, "text", "good")], ODD)
    assert patch == {name: "good"}
    becomes = merge_patch(ODD, patch)
    assert becomes == {**ODD, name: "good"}
    (line,) = compare(ODD, becomes)
    assert (line.path, line.after) == (path if path != " e " else "e", '"good"')


KINDS_NOW = {
    "id": "r-1",
    "age": 41,
    "code": "41",
    "is_new": True,
    "tags": ["a"],
    "gone": None,
    "note": "a\nb",
    "dos": "a\r\nb",
}


@pytest.mark.parametrize(
    ("path", "value", "becomes"),
    [
        ("age", "42", 42),
        ("code", "42", "42"),
        ("is_new", "false", False),
        ("tags", '["b"]', ["b"]),
        ("gone", "42", "42"),
        ("other", "42", "42"),
        ("note", "a\r\nc", "a\nc"),
        ("dos", "a\r\nc", "a\r\nc"),
    ],
)
def test_a_value_stays_of_the_kind_it_is(path, value, becomes):
    assert read_patch([Entry(path, "same", value)], KINDS_NOW) == {path: becomes}


def test_a_text_is_told_from_a_number():
    (line,) = compare(KINDS_NOW, {**KINDS_NOW, "code": 41})
    assert (line.before, line.after) == ('"41"', "41")


@pytest.mark.parametrize("value", ["forty", '"42"', "true", "", "null", "[42]"])
def test_a_number_becomes_nothing_else_unless_somebody_says_so(value):
    with pytest.raises(InvalidInput) as refused:
        read_patch([Entry("age", "same", value)], KINDS_NOW)
    assert [(one.field, "a number" in one.detail) for one in refused.value.errors] == [("/value/0", True)]


@pytest.mark.parametrize(
    ("rows", "field"),
    [
        ([], "/path/0"),
        ([("id", "text", "x")], "/path/0"),
        ([("a//b", "text", "x")], "/path/0"),
        ([("a~b", "text", "x")], "/path/0"),
        ([("a~", "text", "x")], "/path/0"),
        ([(" name ", "text", "a"), ("name", "text", "b")], "/path/1"),
        ([("name/first", "text", "x")], "/path/0"),
        ([("address/tags/0", "text", "x")], "/path/0"),
        ([("gone", "removed", "")], "/path/0"),
        ([("name", "other", "x")], "/kind/0"),
        ([("name", "json", "{")], "/value/0"),
        ([("name", "json", "null")], "/value/0"),
        ([("", "text", ""), ("name", "text", "x" * 100_001)], "/value/1"),
        ([("address", "json", "{}"), ("address/city", "text", "Ulm")], "/path/1"),
        ([("name", "text", "a"), ("name", "text", "b")], "/path/1"),
    ],
)
def test_what_is_wrong_is_told_by_field(rows, field):
    with pytest.raises(InvalidInput) as refused:
        read_patch([Entry(*row) for row in rows], DATA)
    assert [problem.field for problem in refused.value.errors] == [field]


def test_only_members_that_differ_are_compared():
    lines = compare(DATA, {**DATA, "name": "Eve", "address": {"tags": ["a"]}, "new": 1})
    assert [(line.path, line.before, line.after) for line in lines] == [
        ("name", '"Ada"', '"Eve"'),
        ("address/city", '"Bonn"', None),
        ("new", None, "1"),
    ]


@pytest.fixture
def browsing(tenant, dataset, reviewed):  # noqa: F811 - fixtures
    request = reviewed(type="rectification", ids=("r-1", "r-3"))
    return f"/admin/compliance/requests/{request['id']}/"


pages = pytest.mark.usefixtures("plain_static", "quick_passwords")


@pages
def test_a_record_is_corrected_in_the_browser(tenant, dataset, browsing):  # noqa: F811 - a fixture
    officer = browser_of(tenant, "privacy_officer", purpose="evaluation", full_name="Grace Hopper")
    steward = browser_of(tenant, "data_steward", purpose="evaluation", full_name="Joan Clarke")
    form = f"{browsing}corrections/new/"
    assert f"{form}" in opened(officer, browsing)[0].text
    assert f"?dataset={dataset.pk}&amp;record=r-3" in opened(officer, form)[0].text
    page = f"{form}?dataset={dataset.pk}&record=r-3"
    assert "Jane Smithson came back" in opened(officer, page)[0].text
    more, _ = opened(officer, page, entered(*[("text", "same", "Jane left")] * 4) | {"do": "more"}, method="post")
    assert (more.status_code, more.text.count('name="path"')) == (200, 8)
    assert 'value="same"\n                        selected' in more.text
    rows = entered(("text", "text", "Jane left"), ("score", "removed", ""))
    wrong, _ = opened(officer, page, entered(("text/a", "text", "x")) | {"do": "look"}, method="post")
    assert wrong.status_code == 400
    assert "goes through a value that has no members" in wrong.text
    assert 'aria-describedby="wrong-1"' in wrong.text
    same, _ = opened(officer, page, entered(("score", "json", "3")) | {"do": "look"}, method="post")
    assert (same.status_code, "the record says that already" in same.text) == (400, True)
    looked, _ = opened(officer, page, rows | {"do": "look"}, method="post")
    assert "A second look" in looked.text
    assert "taken out" in looked.text
    with acting(tenant):
        assert not Correction.objects.exists()
    proposed, _ = opened(officer, page, rows | {"do": "propose"}, method="post")
    with acting(tenant):
        correction = Correction.objects.get()
    place = f"{browsing}corrections/{correction.pk}/"
    assert (proposed.status_code, proposed["Location"]) == (302, place)
    shown = opened(officer, place)[0].text
    assert "It waits for somebody who may write" in shown
    assert "Make it a new version" not in shown
    assert opened(officer, f"{place}apply/", {}, method="post")[0].status_code == 403
    assert "Corrections of people" in opened(steward, "/admin/")[0].text
    assert place in opened(steward, "/admin/compliance/requests/corrections/")[0].text
    before = opened(steward, place)[0].text
    assert "Make it a new version" in before
    assert "Jane Smithson came back" in before
    assert opened(steward, f"{place}apply/", {}, method="post")[0]["Location"] == place
    found = {record.id: record.data for record in read_all(tenant, dataset)}
    assert found["r-3"] == {"id": "r-3", "text": "Jane left"}
    after = opened(steward, place)[0].text
    assert "version v1.0.1 on main" in after or "version v1.1.0 on main" in after
    again, _ = opened(steward, f"{place}apply/", {}, method="post")
    assert (again.status_code, "VAULT_COMP_8063" in again.text) == (409, True)
    told = opened(officer, browsing)[0].text
    assert "Correction proposed: 1 record of" in told
    assert "Correction applied: 1 record of" in told
    assert "No correction waits." in opened(steward, "/admin/compliance/requests/corrections/")[0].text


@pages
def test_who_is_not_shown_records_raw_sees_no_value(tenant, dataset, browsing):  # noqa: F811 - a fixture
    counsel = browser_of(tenant, "legal_counsel", purpose="evaluation")
    page = f"{browsing}corrections/new/?dataset={dataset.pk}&record=r-3"
    answer, _ = opened(counsel, page)
    assert (answer.status_code, "Jane" in answer.text) == (403, False)


@pages
@pytest.mark.parametrize("record", ["r-2", "r-9"])
def test_a_record_that_is_not_the_subjects_is_not_shown(tenant, dataset, browsing, record):  # noqa: F811 - a fixture
    officer = browser_of(tenant, "privacy_officer", purpose="evaluation")
    answer, _ = opened(officer, f"{browsing}corrections/new/?dataset={dataset.pk}&record={record}")
    assert (answer.status_code, "John wrote" in answer.text) == (404, False)


@pages
def test_a_request_for_something_else_corrects_nothing(tenant, dataset, reviewed):  # noqa: F811 - fixtures
    request = reviewed(ids=("r-1",))
    officer = browser_of(tenant, "privacy_officer", purpose="evaluation")
    form = f"/admin/compliance/requests/{request['id']}/corrections/new/"
    assert "There is no record to correct for this request." in opened(officer, form)[0].text
    answer, _ = opened(officer, f"{form}?dataset={dataset.pk}&record=r-1")
    assert (answer.status_code, "VAULT_COMP_8064" in answer.text) == (409, True)
