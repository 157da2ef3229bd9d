"""Rules of the search: it finds what somebody may know of, and what was looked for stays out of logs."""

from uuid import uuid4

import pytest
from django.db import connection, connections
from django.db.models import F

from access.services.groups import create_group
from datasets.models import Dataset
from datasets.services.tags import create_tag
from tests.factories.access import acting, make_user
from tests.factories.datasets import jsonl, make_dataset, someone, upload
from tests.factories.pages import browser_of, events_of, opened
from vaultsite.kernel.prefix import BeginsWith

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

FIND = "/admin/find/"


def found(client, text) -> dict[str, list[str]]:
    page = client.post(FIND, {"text": text})
    assert page.status_code == 200
    return {kind.title: [result.title for result in kind.results] for kind in page.context["kinds"]}


def test_datasets_versions_and_tags_are_found_by_how_their_names_begin(tenant) -> None:
    dataset = make_dataset(tenant, name="quarterly-chats")
    make_dataset(tenant, name="other")
    upload(tenant, dataset, jsonl([{"id": "a", "text": "Nothing personal."}]), id_field="id")
    steward = someone(tenant, "data_steward")
    with acting(tenant, steward):
        create_tag(steward, dataset_id=dataset.pk, name="quality-gate", version="main")
    client = browser_of(tenant, "viewer")
    assert found(client, "qua") == {"Datasets": ["quarterly-chats"], "Tags": ["quality-gate"]}
    assert found(client, "quarterly-chats@v1") == {"Versions": ["quarterly-chats@v1.0.0"]}
    assert found(client, str(dataset.pk)) == {"Datasets": ["quarterly-chats"]}
    assert found(client, "chats") == {}


def test_nothing_of_another_tenant_is_found(tenant, rival) -> None:
    theirs = make_dataset(rival, name="secret-plans")
    person = make_user(rival, "viewer")
    client = browser_of(tenant, "tenant_admin", "data_steward")
    for text in ("secret", str(theirs.pk), str(person.pk), person.username, str(uuid4())):
        assert found(client, text) == {}


def test_people_are_found_by_who_may_list_them_alone(tenant) -> None:
    person = make_user(tenant, "viewer", username="zebedee", full_name="Zebedee of Galilee")
    admin = someone(tenant, "tenant_admin")
    with acting(tenant, admin):
        create_group(admin, display_name="Zealots", description="")
    officer = browser_of(tenant, "tenant_admin")
    assert found(officer, "ze") == {"People": ["Zebedee of Galilee"], "Groups": ["Zealots"]}
    assert found(officer, str(person.pk)) == {"People": ["Zebedee of Galilee"]}
    scientist = browser_of(tenant, "data_scientist")
    assert found(scientist, "ze") == {}
    assert found(scientist, str(person.pk)) == {}


def test_screens_are_those_of_the_readers_sidebar(tenant) -> None:
    assert found(browser_of(tenant, "tenant_admin"), "enc") == {"Screens": ["Encryption keys"]}
    assert found(browser_of(tenant, "viewer"), "enc") == {}


def test_an_event_is_found_by_its_id_by_who_may_read_the_audit(tenant) -> None:
    client = browser_of(tenant, "auditor")
    _, request_id = opened(client, "/admin/")
    event = events_of(tenant, request_id)[0]
    assert found(client, str(event.pk)) == {"Events": [event.type]}
    assert found(browser_of(tenant, "viewer"), str(event.pk)) == {}


def test_a_search_is_one_decision_that_does_not_say_what_was_looked_for(tenant) -> None:
    client = browser_of(tenant, "tenant_admin")
    page, request_id = opened(client, FIND, {"text": "ada.lovelace"}, method="post")
    assert page.status_code == 200
    (event,) = events_of(tenant, request_id)
    assert (event.resource_type, event.status) == ("search", "success")
    assert b"lovelace" not in bytes(event.body)


def test_an_address_searches_nothing(tenant) -> None:
    make_dataset(tenant, name="quarterly")
    page = browser_of(tenant, "viewer").get(FIND, {"text": "quarterly"})
    assert page.context["kinds"] == []


def test_no_more_than_a_few_of_a_kind_are_shown_and_the_page_says_so(tenant) -> None:
    for number in range(8):
        make_dataset(tenant, name=f"many-{number}")
    page = browser_of(tenant, "viewer").post(FIND, {"text": "many"})
    (kind,) = page.context["kinds"]
    assert (len(kind.results), kind.is_more) == (6, True)
    assert "There are more" in page.text


def test_one_character_is_too_few(tenant) -> None:
    assert "Two characters at least." in browser_of(tenant, "viewer").post(FIND, {"text": "q"}).text


def test_who_may_not_search_has_no_box(tenant) -> None:
    client = browser_of(tenant, "directory")
    assert "data-find" not in client.get("/admin/").text
    assert client.post(FIND, {"text": "any"}).status_code == 403


def test_the_beginning_of_a_name_is_asked_of_the_index(tenant) -> None:
    """Row-level security lets ``^@`` through to it; a LIKE would read every dataset of the tenant."""
    with acting(tenant), connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO datasets_dataset (id, tenant_id, name, description, classification, region, legal_hold,
                                             erasure_epoch, created_by, created_at, updated_at)
               SELECT gen_random_uuid(), %s, md5(n::text), '', 'pii', '', false, 0, gen_random_uuid(), now(), now()
                 FROM generate_series(1, 3000) n""",
            [str(tenant.pk)],
        )
    with connections["owner"].cursor() as owner:  # what the planner knows depends on the tests before
        owner.execute("ANALYZE datasets_dataset")
    try:
        with acting(tenant):
            plan = Dataset.objects.filter(BeginsWith(F("name"), "sup")).order_by().explain()
    finally:
        with connections["owner"].cursor() as owner:
            owner.execute("DELETE FROM datasets_dataset WHERE tenant_id = %s", [tenant.pk])
    assert ">= 'sup'" in plan.partition("Filter:")[0]
