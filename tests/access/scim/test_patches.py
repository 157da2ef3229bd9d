"""PATCH: every operation of a request is done, or none."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.access.scim.conftest import ENTERPRISE, PATCH, Directory
from tests.access.scim.test_users import BARBARA, code_of

#: Operations that hold on any person, and ones that hold on nobody.
GOOD = st.sampled_from(
    [
        {"op": "add", "path": "displayName", "value": "D"},
        {"op": "REPLACE", "path": "name.givenName", "value": "G"},
        {"op": "remove", "path": "name"},
        {"op": "remove", "path": "externalId"},
        {"op": "replace", "path": "active", "value": "false"},
        {"op": "replace", "path": "active", "value": True},
        {"op": "add", "path": "emails", "value": [{"value": "new@x.org", "type": "other"}]},
        {"op": "remove", "path": 'emails[type eq "home"]'},
        {"op": "replace", "path": 'emails[type eq "work"].value', "value": "w@x.org"},
        {"op": "replace", "path": f"{ENTERPRISE}:department", "value": "Q"},
        {"op": "replace", "value": {"userName": "renamed", "name": {"familyName": "F"}}},
    ]
)
BAD: list[tuple[dict[str, Any], str]] = [
    ({"op": "remove"}, "noTarget"),
    ({"op": "remove", "path": "userName"}, "mutability"),
    ({"op": "replace", "path": "id", "value": "x"}, "mutability"),
    ({"op": "replace", "path": "groups", "value": []}, "mutability"),
    ({"op": "replace", "path": "meta.created", "value": "x"}, "mutability"),
    ({"op": "add", "path": "emails[type eq", "value": "x"}, "invalidPath"),
    ({"op": "add", "path": "emails[street eq 1].value", "value": "x"}, "invalidFilter"),
    ({"op": "replace", "path": 'emails[value co "@nowhere"].type', "value": "x"}, "noTarget"),
    ({"op": "add", "path": "displayName"}, "invalidValue"),
    ({"op": "add", "path": "displayName", "value": ["a"]}, "invalidValue"),
    ({"op": "add", "path": "displayName", "value": "a\0"}, "invalidValue"),
    ({"op": "replace", "path": "active", "value": "perhaps"}, "invalidValue"),
    ({"op": "replace", "path": "userName", "value": "taken"}, "uniqueness"),
    ({"op": "replace", "path": "userName", "value": " x"}, "invalidValue"),
    ({"op": "add", "path": "emails", "value": [{"value": "nobody"}]}, "invalidValue"),
    ({"op": "add", "path": "emails", "value": 5}, "invalidValue"),
    ({"op": "copy", "path": "displayName", "value": "x"}, "invalidValue"),
    ({"path": "displayName", "value": "x"}, "invalidValue"),
]


@pytest.fixture(scope="module")
def company(shared: Directory) -> Directory:
    shared.make_user("taken")
    return shared


@pytest.fixture(scope="module")
def barbara(company: Directory) -> str:
    return str(company.make_user("bjensen", **BARBARA)["id"])


@pytest.mark.parametrize(("operation", "keyword"), BAD)
def test_an_operation_that_does_not_hold_has_its_keyword(
    company: Directory, barbara: str, operation: dict[str, Any], keyword: str
) -> None:
    answer = company.patch(f"/Users/{barbara}", operation)
    assert code_of(answer) == (409 if keyword == "uniqueness" else 400, keyword)


@pytest.mark.parametrize("body", [[], {}, {"Operations": []}, {"Operations": [5]}, {"Operations": "x"}, b"nothing"])
def test_a_body_that_is_no_patch_is_refused(company: Directory, barbara: str, body: Any) -> None:
    if isinstance(body, dict):
        body = {"schemas": [PATCH]} | body
    status, keyword = code_of(company.ask("PATCH", f"/Users/{barbara}", body))
    assert (status, keyword) in {(400, "invalidSyntax"), (400, "invalidValue")}


def test_a_patch_has_an_end(company: Directory, barbara: str) -> None:
    answer = company.patch(f"/Users/{barbara}", *[{"op": "add", "path": "displayName", "value": "x"}] * 1001)
    assert code_of(answer) == (400, "tooMany")


def test_an_address_that_is_added_again_is_there_once(company: Directory) -> None:
    """RFC 7643, section 2.4: of one type and value there is one."""
    made = company.make_user("has-two", emails=[{"value": "a@x.org", "type": "work"}])
    path, other = f"/Users/{made['id']}", {"value": "b@x.org", "type": "home"}
    add = {"op": "add", "path": "emails", "value": [other]}
    for operations in ([add, add], [add], [add | {"value": [other | {"primary": True}]}]):
        told = company.patch(path, *operations).json()["emails"]
        assert sorted(one["value"] for one in told) == ["a@x.org", "b@x.org"]
    assert [one["value"] for one in told if one["primary"]] == ["b@x.org"]


@given(good=st.lists(GOOD, max_size=4), bad=st.sampled_from(BAD), place=st.integers(0, 4))
@settings(max_examples=8, deadline=None)
def test_one_bad_operation_undoes_all(
    company: Directory, barbara: str, good: list[dict[str, Any]], bad: tuple[dict[str, Any], str], place: int
) -> None:
    path = f"/Users/{barbara}"
    before = company.ask("GET", path).json()
    # Of two user names that one request gives the later counts, and the first is not judged.
    after = [one for one in good[place:] if bad[0].get("path") != "userName" or "path" in one]
    answer = company.patch(path, *good[:place], bad[0], *after)
    assert answer.status_code in {400, 409}, answer.content
    assert company.ask("GET", path).json() == before


@given(good=st.lists(GOOD, min_size=1, max_size=4))
@settings(max_examples=3, deadline=None)
def test_operations_at_once_do_what_they_do_one_by_one(company: Directory, good: list[dict[str, Any]]) -> None:
    shown = []
    for steps in ([good], [[one] for one in good]):
        made = company.make_user("bjensen-2", **(BARBARA | {"externalId": "e-2"}))
        path = f"/Users/{made['id']}"
        statuses = {company.patch(path, *operations).status_code for operations in steps}
        resource = company.ask("GET", path).json()
        assert company.ask("DELETE", path).status_code == 204
        shown.append((statuses, {name: resource[name] for name in resource if name not in {"id", "meta"}}))
    assert shown[0] == shown[1]
    assert shown[0][0] == {200}
