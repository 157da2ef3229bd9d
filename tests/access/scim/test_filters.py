"""Filters: the whole grammar against rows, what is not served, and whatever else somebody writes."""

import json
from contextlib import suppress
from typing import Any

import pytest
from django.db.models import Q
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from access.models import DirectoryUser, Tenant
from access.scim.attributes import GROUPS, USERS
from access.scim.errors import InvalidFilter
from access.scim.filters import MOST_TERMS, compile_filter, parse_filter
from tests.access.scim.conftest import ENTERPRISE, USER, Directory
from tests.access.scim.test_users import code_of
from tests.conftest import new_tenant
from tests.factories.access import acting


@pytest.fixture(scope="module")
def people(shared: Directory) -> Directory:
    """Ada, Bob and Cleo, of whom Bob is inactive; all three and Bob alone in groups."""
    directory = shared
    ada = directory.make_user(
        "Ada@corp.org",
        externalId="X1",
        displayName="Ada Lovelace",
        name={"givenName": "Ada", "familyName": "Lovelace"},
        emails=[{"value": "ada@work.org", "type": "work", "primary": True}, {"value": "ada@home.org", "type": "home"}],
        **{ENTERPRISE: {"department": "Engines"}},
    )
    bob = directory.make_user("bob", active=False, emails=[{"value": "bob@home.org", "type": "home"}])
    cleo = directory.make_user("cléo", displayName='The "100%" _one\\', externalId="x1")
    directory.make_group("Everybody", ada["id"], bob["id"], cleo["id"])
    directory.make_group("Inactive", bob["id"])
    return directory


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('userName eq "ADA@CORP.ORG"', "a"),
        ('USERNAME Eq "bob"', "b"),
        ('userName eq "CLE\\u0301O"', "c"),
        ('userName ne "bob"', "ac"),
        ('userName co "o"', "abc"),
        ('userName sw "B"', "b"),
        ('userName ew "ORG"', "a"),
        ('userName gt "b"', "bc"),
        ('userName le "bob"', "ab"),
        ('externalId eq "x1"', "c"),
        ('externalId sw "X"', "a"),
        ("externalId pr", "ac"),
        ("externalId eq null", "b"),
        ("externalId ne null", "ac"),
        ('displayName co "100%"', "c"),
        ('displayName co "0_"', ""),
        ('displayName ew "\\\\"', "c"),
        ('displayName co "\\"100"', "c"),
        ('name.familyName eq "lovelace"', "a"),
        (f'{USER}:userName eq "bob"', "b"),
        (f'{ENTERPRISE}:department eq "engines"', "a"),
        (f"not ({ENTERPRISE}:department pr)", "bc"),
        ("active eq true", "ac"),
        ('active eq "False"', "b"),
        ("active ne true", "b"),
        ("active pr", "abc"),
        ('emails[type eq "work"]', "a"),
        ('emails[type eq "home" and value co "ada"]', "a"),
        ('emails[type eq "work" and value co "home"]', ""),
        ('emails.type eq "work" and emails.value co "home"', "a"),
        ('emails[not (type eq "home")]', "a"),
        ('emails[type eq "work"].value eq "ada@work.org"', "a"),
        ("emails[primary eq true]", "a"),
        ('emails co "home.org"', "ab"),
        ('emails.type ne "work"', "bc"),
        ("emails pr", "ab"),
        ('groups.display eq "inactive"', "b"),
        ('meta.resourceType eq "User"', "abc"),
        ('meta.resourceType eq "Group"', ""),
        ('meta.lastModified gt "2020-01-01T00:00:00Z"', "abc"),
        ('meta.created lt "2020-01-01T00:00:00+02:00"', ""),
        ('userName eq "bob" or userName sw "a" and active eq false', "b"),
        ('(userName eq "bob" or userName sw "a") and active eq true', "a"),
        ('not (userName eq "bob") and not (emails pr)', "c"),
        ('id eq "no-id"', ""),
        ('id ne "no-id"', "abc"),
    ],
)
def test_a_filter_finds_who_it_says(people: Directory, text: str, found: str) -> None:
    assert "".join(sorted(row["userName"][0].lower() for row in people.find("/Users", text))) == found


@pytest.mark.parametrize(
    "text",
    [
        "userName",
        'userName eq "a',
        'userName like "a"',
        'userName eq "a" and',
        'title eq "x"',
        "password pr",
        'user__password sw "a"',
        'name eq "Ada"',
        'name[givenName eq "Ada"]',
        'emails[user eq "x"]',
        'emails.street eq "x"',
        'urn:x:y:userName eq "a"',
        'active gt "a"',
        "active eq 5",
        'id co "a"',
        "userName eq 5",
        "userName gt null",
        'userName eq "a\\u0000b"',
        'userName eq "\\ud800"',
        'meta.created eq "yesterday"',
        'meta.created gt "2026-01-01T00:00:00"',
        'meta.created gt "0001-01-01T00:00:00+14:00"',
        'meta.created co "2026"',
        "x" * 5000,
        "not (" * 3000 + "active pr" + ")" * 3000,
        "(" * 2000 + "active pr" + ")" * 2000,
        " or ".join(["active pr"] * (MOST_TERMS + 1)),
        'meta.created eq "' + "9" * 4000 + '"',
        "active eq " + "9" * 4000,
    ],
)
def test_what_cannot_be_asked_is_an_invalid_filter(people: Directory, text: str) -> None:
    asked = {"schemas": ["urn:ietf:params:scim:api:messages:2.0:SearchRequest"], "filter": text}
    answer = people.ask("POST", "/Users/.search", asked)
    if text.startswith("((") and answer.status_code == 200:  # parentheses alone nest nothing
        return
    assert code_of(answer) == (400, "invalidFilter")
    assert "Ada" not in answer.json()["detail"]


def test_a_list_comes_in_pages_in_the_order_asked_for(people: Directory) -> None:
    def names(**query: Any) -> list[str]:
        answer = people.ask("GET", "/Users", query=query).json()
        assert (answer["totalResults"], answer["itemsPerPage"]) == (3, len(answer["Resources"]))
        return [row["userName"][0].lower() for row in answer["Resources"]]

    assert names(sortBy="userName", sortOrder="descending") == ["c", "b", "a"]
    assert names(sortBy="userName", startIndex=2, count=1) == ["b"]
    assert names(sortBy="emails")[:2] == ["b", "a"] or names(sortBy="emails")[-1] == "b"
    assert names(count=0) == names(count=-5) == names(startIndex=9) == []
    assert len(names(startIndex=-1, count=1000)) == 3
    for query in ({"count": "many"}, {"startIndex": "1e9"}, {"sortOrder": "up"}, {"count": "9" * 30}):
        assert code_of(people.ask("GET", "/Users", query=query)) == (400, "invalidValue")
    for query in ({"sortBy": "password"}, {"sortBy": "name"}, {"sortBy": "a b"}, {"attributes": "a b"}):
        assert code_of(people.ask("GET", "/Users", query=query)) == (400, "invalidPath")


def test_attributes_are_shown_as_asked_for(people: Directory) -> None:
    (shown,) = people.find("/Users", 'userName sw "ada"', attributes="userName,emails.value")
    assert set(shown) == {"schemas", "id", "userName", "emails"}
    assert shown["emails"] == [{"value": "ada@work.org"}, {"value": "ada@home.org"}]
    (shown,) = people.find("/Users", 'userName sw "ada"', excludedAttributes="emails,meta,id")
    assert {"emails", "meta"}.isdisjoint(shown)
    assert "id" in shown


def test_one_search_covers_people_and_groups(people: Directory) -> None:
    def found(text: str, **more: Any) -> list[str]:
        answer = people.ask("POST", "/.search", {"filter": text} | more)
        assert answer.status_code == 200, answer.content
        return [row["meta"]["resourceType"] for row in answer.json()["Resources"]]

    assert found("displayName pr") == ["User", "User", "Group", "Group"]
    assert found("displayName pr", startIndex=2, count=2) == ["User", "Group"]
    assert found('userName sw "a"') == ["User"]
    assert found('members.display eq "bob"') == ["Group", "Group"]
    assert found('displayName sw "in" or userName sw "b"') == ["User", "Group"]
    assert code_of(people.ask("POST", "/.search", {"filter": "title pr"})) == (400, "invalidFilter")
    assert code_of(people.ask("POST", "/.search", [1])) == (400, "invalidSyntax")


NAMES = st.sampled_from(["userName", "displayName", "active", "meta.created", "emails", "emails.type", "id", "title"])
VALUES = st.one_of(st.text(max_size=8), st.integers(), st.booleans(), st.none(), st.floats(allow_nan=False))
TEXTS = st.recursive(
    st.one_of(
        st.tuples(NAMES, st.sampled_from(["eq", "ne", "co", "sw", "ew", "gt", "ge", "lt", "le"]), VALUES).map(
            lambda parts: f"{parts[0]} {parts[1]} {json.dumps(parts[2])}"
        ),
        NAMES.map(lambda name: f"{name} pr"),
        st.text(alphabet='()[]"\\ .:andortpeqvlu0u', max_size=20),
    ),
    lambda inner: st.one_of(
        inner.map(lambda text: f"not ({text})"),
        inner.map(lambda text: f"emails[{text}]"),
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(lambda part: f"({part[0]}) {part[1]} {part[2]}"),
    ),
    max_leaves=6,
)


@given(TEXTS)
@settings(max_examples=100, deadline=None)
def test_a_filter_is_read_as_it_is_written_or_refused(text: str) -> None:
    try:
        tree = parse_filter(text)
    except InvalidFilter:
        return
    assert str(parse_filter(str(tree))) == str(tree)
    for attributes in (USERS, GROUPS):
        with suppress(InvalidFilter):
            assert isinstance(compile_filter(tree, attributes), Q)


@given(text=TEXTS)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_filter_breaks_the_database(filtered: Tenant, text: str) -> None:
    with acting(filtered):
        try:
            list(DirectoryUser.objects.filter(compile_filter(parse_filter(text), USERS))[:1])
        except InvalidFilter:
            return


@pytest.fixture(scope="module")
def filtered(vault_database: None) -> object:
    return new_tenant("filters")
