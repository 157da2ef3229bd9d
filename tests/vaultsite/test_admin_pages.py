"""Rules of the browser side: who gets in, what a page shows, and what it leaves behind."""

import re
from uuid import uuid4

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client

from access.models import ApiKey, User
from audit.models import AuditEvent
from datasets.models import Dataset
from tests.factories.access import PASSWORD, acting, hold_locks, make_api_key, make_user
from tests.factories.datasets import jsonl, make_dataset, upload
from tests.factories.pages import browser_of, events_of, opened

pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")

LOGIN = "/admin/login/"
DATASETS = "/admin/datasets/dataset/"
USERS = "/admin/access/user/"
EMAIL = "ada.lovelace@example.com"


def page_of(dataset: Dataset) -> str:
    return f"{DATASETS}{dataset.pk}/"


def filled(tenant, rows) -> Dataset:
    dataset = make_dataset(tenant)
    upload(tenant, dataset, jsonl(rows), id_field="id")
    return dataset


def with_mail() -> list[dict[str, str]]:
    return [{"id": "first", "prompt": f"Write to {EMAIL} please."}, {"id": "second", "prompt": "Nothing personal."}]


def test_who_is_not_signed_in_is_sent_to_the_login_page() -> None:
    answer = Client().get(DATASETS)
    assert answer.status_code == 302
    assert answer["Location"] == f"{LOGIN}?next={DATASETS}"


def test_the_login_page_knows_the_organization_of_its_link() -> None:
    page = Client().get(LOGIN, {"org": "demo"})
    assert page.status_code == 200
    assert re.search(r'name="organization"[^>]*value="demo"|value="demo"[^>]*name="organization"', page.text)


def test_signing_in_leads_to_where_one_wanted_to_go(tenant) -> None:
    user = make_user(tenant, "data_steward")
    form = {"organization": tenant.slug, "username": user.username, "password": PASSWORD, "next": DATASETS}
    answer = Client().post(LOGIN, form)
    assert (answer.status_code, answer["Location"]) == (302, DATASETS)


def test_signing_in_never_leads_to_another_site(tenant) -> None:
    user = make_user(tenant, "data_steward")
    form = {
        "organization": tenant.slug,
        "username": user.username,
        "password": PASSWORD,
        "next": "https://evil.example/",
    }
    assert Client().post(LOGIN, form)["Location"] == "/admin/"


def test_a_refused_login_does_not_say_what_was_wrong(tenant) -> None:
    user = make_user(tenant, "data_steward")
    attempts = [
        {"organization": f"no-such-{uuid4().hex[:8]}", "username": user.username, "password": PASSWORD},
        {"organization": tenant.slug, "username": f"nobody-{uuid4().hex[:8]}", "password": PASSWORD},
        {"organization": tenant.slug, "username": user.username, "password": "wrong"},
    ]
    answers = [Client(REMOTE_ADDR=f"198.51.100.{index}").post(LOGIN, form) for index, form in enumerate(attempts, 1)]
    assert {answer.status_code for answer in answers} == {401}
    said = {tuple(re.findall(r'role="alert">\s*(.+?)\s*<', answer.text)) for answer in answers}
    assert said == {("Organization, user name or password is wrong",)}


def test_too_many_attempts_are_told_to_wait(tenant) -> None:
    form = {"organization": tenant.slug, "username": f"nobody-{uuid4().hex[:8]}", "password": "wrong"}
    client = Client(REMOTE_ADDR="198.51.100.77")
    assert {client.post(LOGIN, form).status_code for _ in range(6)} == {401}
    hold_locks()
    answer = client.post(LOGIN, form)
    assert answer.status_code == 429
    assert "try again later" in answer.text


def test_signing_out_ends_the_session_itself(tenant) -> None:
    client = browser_of(tenant, "viewer")
    cookie = client.cookies["vault_session"].value
    assert client.post("/admin/logout/").status_code == 302
    again = Client()
    again.cookies["vault_session"] = cookie
    assert again.get("/admin/").status_code == 302


def test_an_api_key_opens_no_page(tenant) -> None:
    _, token = make_api_key(tenant, "tenant_admin")
    answer = Client(headers={"Authorization": f"Bearer {token}"}).get(USERS)
    assert answer.status_code == 302


def test_a_password_known_to_others_is_changed_before_anything_else(tenant) -> None:
    client = browser_of(tenant, "data_steward", must_change_password=True)
    assert client.get(DATASETS)["Location"] == "/admin/password_change/"
    new = "quite another secret 9"
    wrong = client.post("/admin/password_change/", {"current": "guess", "password": new, "again": new})
    assert "This is not your password." in wrong.text
    done = client.post("/admin/password_change/", {"current": PASSWORD, "password": new, "again": new})
    assert (done.status_code, done["Location"]) == (302, "/admin/")
    assert client.get(DATASETS).status_code == 200


@pytest.mark.parametrize(
    ("role", "path", "kind"),
    [
        ("data_steward", "/admin/", "admin.access.read"),
        ("data_steward", "/admin/tour/", "data.access.read"),
        ("data_steward", DATASETS, "data.access.read"),
        ("tenant_admin", USERS, "admin.access.read"),
        ("tenant_admin", "/admin/access/role/", "admin.access.read"),
        ("tenant_admin", "/admin/access/rolebinding/", "admin.access.read"),
        ("tenant_admin", "/admin/access/apikey/", "admin.access.read"),
        ("auditor", "/admin/access/encryptionkey/", "admin.access.read"),
        ("auditor", "/admin/access/purpose/", "admin.access.read"),
        ("auditor", "/admin/audit/auditevent/", "audit.access.read"),
        ("auditor", "/admin/audit/auditevent/latest/", "audit.access.read"),
        ("data_steward", f"{DATASETS}add/", "data.access.write"),
        ("tenant_admin", f"{USERS}add/", "admin.access.write"),
        ("tenant_admin", "/admin/access/apikey/add/", "admin.access.write"),
        ("tenant_admin", "/admin/access/rolebinding/add/", "admin.access.write"),
    ],
)
def test_each_page_is_one_recorded_decision(tenant, role, path, kind) -> None:
    answer, request_id = opened(browser_of(tenant, role), path)
    assert answer.status_code == 200
    (event,) = events_of(tenant, request_id)
    assert (event.type, event.status) == (kind, "success")


@pytest.mark.parametrize("tail", ["", "records/", "records/first/", "change/", "delete/"])
def test_each_page_of_a_dataset_is_one_recorded_decision(tenant, tail) -> None:
    dataset = filled(tenant, with_mail())
    client = browser_of(tenant, "data_steward", purpose="debugging")
    answer, request_id = opened(client, page_of(dataset) + tail)
    assert answer.status_code == 200
    (event,) = events_of(tenant, request_id)
    assert (event.status, event.dataset_id or event.resource_id) in [
        ("success", dataset.pk),
        ("success", str(dataset.pk)),
    ]


@pytest.mark.parametrize(
    ("role", "path"),
    [
        ("data_scientist", USERS),
        ("data_scientist", "/admin/access/apikey/add/"),
        ("ml_engineer", "/admin/audit/auditevent/"),
        ("security_officer", DATASETS),
        ("viewer", "/admin/access/encryptionkey/"),
        ("viewer", f"{DATASETS}add/"),
    ],
)
def test_what_the_roles_do_not_permit_is_a_page_that_says_so(tenant, role, path) -> None:
    answer, request_id = opened(browser_of(tenant, role), path)
    assert answer.status_code == 403
    assert "VAULT_" in answer.text
    (event,) = events_of(tenant, request_id)
    assert event.status == "denied"


@pytest.mark.parametrize("tail", ["", "records/", "records/x/", "change/", "delete/"])
def test_a_foreign_dataset_is_like_one_that_never_was(tenant, rival, tail) -> None:
    foreign = filled(rival, with_mail())
    client = browser_of(tenant, "data_steward", purpose="debugging")
    theirs, first = opened(client, page_of(foreign) + tail)
    random_id = uuid4()
    none, second = opened(client, f"{DATASETS}{random_id}/{tail}")
    assert theirs.status_code == none.status_code == 404
    assert plain(theirs.text, foreign.pk, first) == plain(none.text, random_id, second)
    assert [event.status for event in events_of(tenant, first)] == ["denied"]


def plain(text: str, resource_id, request_id: str) -> str:
    """A page without what differs from request to request."""
    text = text.replace(str(resource_id), "ID").replace(request_id, "REQUEST")
    return re.sub(r'name="csrfmiddlewaretoken" value="\w+"', "TOKEN", text)


@pytest.mark.parametrize("kind", ["user", "apikey", "rolebinding", "role", "purpose", "encryptionkey"])
def test_a_foreign_row_opens_under_no_path_of_the_admin(tenant, rival, kind) -> None:
    make_api_key(rival, "viewer")
    make_user(rival, "viewer")
    model = {"user": User, "apikey": ApiKey}.get(kind)
    with acting(rival):
        row = model.objects.first() if model else None
    foreign = row.pk if row else uuid4()
    client = browser_of(tenant, "tenant_admin")
    for tail in ("change/", "history/", "delete/"):
        answer = client.get(f"/admin/access/{kind}/{foreign}/{tail}")
        assert answer.status_code in {302, 403, 404}
        assert row is None or str(row) not in answer.text


@pytest.mark.parametrize(
    "path",
    [
        "/admin/autocomplete/?app_label=access&model_name=rolebinding&field_name=user&term=a",
        "/admin/r/1/1/",
        "/admin/search/?s=user",
        "/admin/jsi18n/x",
    ],
)
def test_side_doors_of_djangos_admin_are_not_served(tenant, path) -> None:
    assert browser_of(tenant, "tenant_admin").get(path).status_code == 404


@pytest.mark.parametrize("query", ["password__startswith=a", "tenant__slug=demo", "bindings__role__tenant__slug=demo"])
def test_lists_filter_by_nothing_they_do_not_offer(tenant, query) -> None:
    answer = browser_of(tenant, "tenant_admin").get(f"{USERS}?{query}")
    assert answer.status_code == 400


def test_reading_records_asks_for_a_purpose_first_and_remembers_it(tenant) -> None:
    dataset = filled(tenant, with_mail())
    client = browser_of(tenant, "data_steward")
    asked = client.get(f"{page_of(dataset)}records/")
    assert "For what purpose?" in asked.text
    assert EMAIL not in asked.text
    answer, request_id = opened(client, f"{page_of(dataset)}records/?purpose=evaluation")
    assert EMAIL in answer.text
    (event,) = events_of(tenant, request_id)
    assert event.purpose == "evaluation"
    again, request_id = opened(client, f"{page_of(dataset)}records/")
    assert EMAIL in again.text
    assert events_of(tenant, request_id)[0].purpose == "evaluation"


def test_a_purpose_outside_the_registry_is_refused_and_not_remembered(tenant) -> None:
    dataset = filled(tenant, with_mail())
    client = browser_of(tenant, "data_steward")
    answer = client.get(f"{page_of(dataset)}records/?purpose=curiosity")
    assert answer.status_code == 403
    assert "VAULT_AUTHZ_2003" in answer.text
    assert "For what purpose?" in client.get(f"{page_of(dataset)}records/").text


def test_a_purpose_outside_the_registry_locks_no_page(tenant) -> None:
    client = browser_of(tenant, "data_steward")
    for path in ("/admin/access/", f"{DATASETS}add/", "/admin/"):
        client.get(path, {"purpose": "curiosity"})
    assert client.get(DATASETS).status_code == 200


FOREIGN = [
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "cross-site", "Referer": "http://localhost/admin/"},
    {"Referer": "https://evil.example/"},
    {"Referer": "http://localhost.evil.example/"},
    {"Referer": "http://[broken"},
]
OWN = [
    {},
    {"Sec-Fetch-Site": "same-origin"},
    {"Sec-Fetch-Site": "none"},
    {"Referer": "http://localhost/admin/"},
]


@pytest.mark.parametrize(("headers", "is_own"), [(h, False) for h in FOREIGN] + [(h, True) for h in OWN])
def test_a_purpose_is_stated_by_the_reader_and_not_by_a_foreign_link(tenant, headers, is_own) -> None:
    dataset = filled(tenant, with_mail())
    client = browser_of(tenant, "data_steward")
    path = f"{page_of(dataset)}records/"
    answers = [client.get(path, {"purpose": "evaluation"}, headers=headers), client.get(path)]
    assert [EMAIL in answer.text for answer in answers] == [is_own, is_own]
    assert ["For what purpose?" in answer.text for answer in answers] == [not is_own, not is_own]


def test_signing_in_by_a_link_states_no_purpose(tenant) -> None:
    user = make_user(tenant, "data_steward")
    form = {"organization": tenant.slug, "username": user.username, "password": PASSWORD}
    answer = Client().post(LOGIN, form | {"next": f"{DATASETS}?purpose=evaluation&name=a&%70urpose=debugging"})
    assert answer["Location"] == f"{DATASETS}?name=a"


def test_a_password_known_to_others_opens_no_api(tenant) -> None:
    client = browser_of(tenant, "data_steward", must_change_password=True)
    answer, request_id = opened(client, "/api/v1/datasets")
    assert (answer.status_code, answer.json()["code"]) == (403, "VAULT_AUTH_1008")
    refusals = [(event.type, event.status, event.failure_reason) for event in events_of(tenant, request_id)]
    assert refusals == [("auth.credential.refused", "denied", "VAULT_AUTH_1008")]
    new = "quite another secret 9"
    client.post("/admin/password_change/", {"current": PASSWORD, "password": new, "again": new})
    assert client.get("/api/v1/datasets").status_code == 200


def test_a_form_sent_back_unfilled_is_one_recorded_decision(tenant) -> None:
    answer, request_id = opened(browser_of(tenant, "data_steward"), f"{DATASETS}add/", {}, method="post")
    assert answer.status_code == 200
    (event,) = events_of(tenant, request_id)
    assert (event.type, event.status) == ("data.access.write", "success")


def test_who_reads_raw_sees_findings_marked(tenant) -> None:
    dataset = filled(tenant, with_mail())
    text = browser_of(tenant, "data_steward", purpose="debugging").get(f"{page_of(dataset)}records/").text
    assert f'<span class="finding-text">{EMAIL}</span>' in text
    assert "EMAIL_ADDRESS" in text


@pytest.mark.parametrize("tail", ["records/", "records/first/"])
@pytest.mark.parametrize("role", ["data_scientist", "analyst"])
def test_who_may_not_see_personal_data_does_not_get_it_in_any_page(tenant, role, tail) -> None:
    dataset = filled(tenant, with_mail())
    answer = browser_of(tenant, role, purpose="analytics").get(page_of(dataset) + tail)
    assert answer.status_code == 200
    assert "Write to" in answer.text
    assert EMAIL not in answer.text
    assert "finding-text" not in answer.text


def test_who_may_see_no_records_sees_the_dataset_without_them(tenant) -> None:
    dataset = filled(tenant, with_mail())
    client = browser_of(tenant, "viewer")
    assert client.get(page_of(dataset)).status_code == 200
    assert client.get(f"{page_of(dataset)}records/?purpose=analytics").status_code == 403


def test_pages_of_records_join_without_gap_or_repetition(tenant) -> None:
    dataset = filled(tenant, [{"id": f"row-{number:03}", "n": number} for number in range(25)])
    client = browser_of(tenant, "data_steward", purpose="debugging")
    seen, path = [], f"{page_of(dataset)}records/"
    while path:
        text = client.get(path).text
        seen += re.findall(r"records/(row-\d+)/\?version", text)
        following = re.search(r'href="(\?version=[^"]*&amp;after=[^"]*)"', text)
        path = f"{page_of(dataset)}records/{following[1].replace('&amp;', '&')}" if following else ""
    assert list(dict.fromkeys(seen)) == [f"row-{number:03}" for number in range(25)]


HOSTILE = (
    "<script>document.title='stolen'</script>{{7*7}}{% now 'Y' %}<img src=x onerror=alert(1)> **bold** "
    "[x](javascript:1)"
)


@pytest.mark.parametrize("tail", ["records/", "records/hostile/"])
@pytest.mark.parametrize("role", ["data_steward", "data_scientist"])
def test_hostile_content_of_a_record_is_inert(tenant, role, tail) -> None:
    rows = [
        {"id": "hostile", HOSTILE: HOSTILE, "messages": [{"role": "user", "content": HOSTILE, "name": HOSTILE}]},
    ]
    dataset = filled(tenant, rows)
    answer = browser_of(tenant, role, purpose="debugging").get(page_of(dataset) + tail)
    assert answer.status_code == 200
    assert "&lt;script&gt;document.title=" in answer.text
    assert "<script>document" not in answer.text
    assert "<img src=x" not in answer.text
    assert "{{7*7}}" in answer.text
    assert "49{" not in answer.text
    policy = answer["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "'unsafe-inline'" not in next(part for part in policy.split(";") if "script-src" in part)


def test_hostile_text_of_a_rejected_line_is_inert(tenant) -> None:
    dataset = make_dataset(tenant)
    body = b'{"id": "good"}\n{"broken": ' + HOSTILE.encode() + b"\n"
    ingest = upload(tenant, dataset, body, id_field="id", on_error="reject")
    client = browser_of(tenant, "data_steward", purpose="debugging")
    answer, request_id = opened(client, f"{DATASETS}rejects/{ingest.pk}/")
    assert "&lt;script&gt;document.title=" in answer.text
    assert "<script>document" not in answer.text
    assert len(events_of(tenant, request_id)) == 1


def test_a_dataset_is_made_by_its_service(tenant) -> None:
    client = browser_of(tenant, "data_steward")
    form = {
        "name": "made-here",
        "description": "d",
        "classification": "pii",
        "tags": "b, a,,",
        "retention_days": "30",
        "region": "eu",
    }
    answer, request_id = opened(client, f"{DATASETS}add/", form, method="post")
    assert answer.status_code == 302
    with acting(tenant):
        dataset = Dataset.objects.prefetch_related("tags").get(name="made-here")
    assert answer["Location"] == page_of(dataset)
    assert (dataset.classification, dataset.retention_days, dataset.tag_names) == ("pii", 30, ["a", "b"])
    assert [event.type for event in events_of(tenant, request_id)] == ["data.access.write", "data.created"]


def test_what_a_service_refuses_is_said_beside_the_form_and_leaves_no_row(tenant) -> None:
    make_dataset(tenant, name="taken")
    client = browser_of(tenant, "data_steward")
    form = {"name": "taken", "classification": "pii"}
    answer, request_id = opened(client, f"{DATASETS}add/", form, method="post")
    assert answer.status_code == 409
    assert 'name="name"' in answer.text
    assert [(event.type, event.status) for event in events_of(tenant, request_id)] == [("data.access.write", "failure")]


def test_personal_data_in_a_dataset_name_is_refused_without_repeating_it_in_the_audit(tenant) -> None:
    client = browser_of(tenant, "data_steward")
    form = {"name": f"mails of {EMAIL}", "classification": "pii"}
    answer, request_id = opened(client, f"{DATASETS}add/", form, method="post")
    assert 400 <= answer.status_code < 500
    (event,) = events_of(tenant, request_id)
    assert EMAIL.encode() not in bytes(event.body)
    with acting(tenant):
        assert not Dataset.objects.exists()


def test_editing_a_dataset_is_one_write(tenant) -> None:
    dataset = make_dataset(tenant)
    client = browser_of(tenant, "data_steward")
    form = {"name": dataset.name, "description": "new", "classification": "internal", "tags": "", "region": ""}
    answer, request_id = opened(client, f"{page_of(dataset)}change/", form, method="post")
    assert answer.status_code == 302
    assert [event.type for event in events_of(tenant, request_id)] == ["data.access.write", "data.updated"]


def test_a_dataset_under_legal_hold_is_not_deleted(tenant) -> None:
    dataset = make_dataset(tenant)
    with acting(tenant):
        Dataset.objects.filter(pk=dataset.pk).update(legal_hold=True)
    client = browser_of(tenant, "data_steward")
    assert "under legal hold" in client.get(f"{page_of(dataset)}delete/").text
    answer, request_id = opened(client, f"{page_of(dataset)}delete/", {"post": "yes"}, method="post")
    assert answer.status_code == 409
    assert [event.status for event in events_of(tenant, request_id)] == ["failure"]
    with acting(tenant):
        assert Dataset.objects.filter(pk=dataset.pk).exists()


def test_deleting_a_dataset_goes_through_the_service(tenant) -> None:
    dataset = filled(tenant, with_mail())
    client = browser_of(tenant, "data_steward")
    answer, request_id = opened(client, f"{page_of(dataset)}delete/", {"post": "yes"}, method="post")
    assert answer.status_code == 302
    assert [event.type for event in events_of(tenant, request_id)] == ["data.access.delete", "data.deleted"]
    with acting(tenant):
        assert Dataset.objects.get(pk=dataset.pk).deleted_at is not None


def test_nobody_grants_more_than_they_have_and_the_refusal_is_all_there_is(tenant) -> None:
    client = browser_of(tenant, "security_officer")
    form = {"username": "too-mighty", "password": PASSWORD, "roles": ["data_steward"]}
    answer, request_id = opened(client, f"{USERS}add/", form, method="post")
    assert answer.status_code == 403
    assert "You may not grant this" in answer.text
    (event,) = events_of(tenant, request_id)
    assert (event.type, event.status) == ("admin.access.write", "denied")
    with acting(tenant):
        assert not User.objects.filter(username="too-mighty").exists()


def test_a_user_is_made_disabled_and_enabled(tenant) -> None:
    client = browser_of(tenant, "tenant_admin")
    form = {"username": "grace", "password": PASSWORD, "roles": ["viewer"]}
    assert client.post(f"{USERS}add/", form).status_code == 302
    with acting(tenant):
        user = User.objects.get(username="grace")
    assert user.must_change_password
    for act, is_active in (("disable", False), ("enable", True)):
        assert client.get(f"{USERS}{user.pk}/{act}/").status_code == 405
        assert client.post(f"{USERS}{user.pk}/{act}/").status_code == 302
        with acting(tenant):
            assert User.objects.get(pk=user.pk).is_active is is_active


def test_a_new_password_that_does_not_fit_is_said_on_its_page(tenant) -> None:
    user = make_user(tenant, "viewer")
    client = browser_of(tenant, "tenant_admin")
    answer = client.post(f"{USERS}{user.pk}/password/", {"password": "short"})
    assert answer.status_code == 400
    assert "too short" in answer.text
    assert client.post(f"{USERS}{user.pk}/password/", {"password": "long enough to serve 5"}).status_code == 302


def test_a_role_is_given_and_taken(tenant) -> None:
    user = make_user(tenant, "viewer")
    client = browser_of(tenant, "tenant_admin")
    form = {"username": user.username, "role_code": "auditor", "expires_at_0": "", "expires_at_1": ""}
    answer, request_id = opened(client, "/admin/access/rolebinding/add/", form, method="post")
    assert answer.status_code == 302
    types = [event.type for event in events_of(tenant, request_id)]
    assert sorted(types) == ["access.role.granted", "admin.access.write"]
    with acting(tenant):
        binding = user.bindings.get(role__code="auditor")
    gone = client.post(f"/admin/access/rolebinding/{binding.pk}/delete/", {"post": "yes"})
    assert gone.status_code == 302
    with acting(tenant):
        assert not user.bindings.filter(role__code="auditor").exists()


def test_an_api_key_is_shown_once_and_can_be_revoked(tenant) -> None:
    client = browser_of(tenant, "tenant_admin")
    form = {"name": "nightly", "roles": ["data_scientist"], "days": "30", "default_purpose": ""}
    answer = client.post("/admin/access/apikey/add/", form | {"requests_per_minute": "1000"})
    assert answer.status_code == 200
    (token,) = re.findall(r"ldv_[\w-]+", answer.text.replace("ldv_...", ""))
    assert "no-store" in answer["Cache-Control"]
    call = Client(headers={"Authorization": f"Bearer {token}"})
    assert call.get("/api/v1/datasets").status_code == 200
    with acting(tenant):
        key = ApiKey.objects.get(name="nightly")
    page = client.get(f"/admin/access/apikey/{key.pk}/change/")
    assert token not in page.text
    assert client.post(f"/admin/access/apikey/{key.pk}/revoke/").status_code == 302
    assert call.get("/api/v1/datasets").status_code == 401


def test_the_audit_is_searched_and_each_event_has_a_page(tenant) -> None:
    dataset = make_dataset(tenant)
    client = browser_of(tenant, "auditor")
    listed = client.get("/admin/audit/auditevent/", {"dataset": str(dataset.pk), "type": "data.created"})
    (event_id,) = re.findall(r'data-event="([0-9a-f-]+)"', listed.text)
    page = client.get(f"/admin/oversight/events/{event_id}/")
    assert "data.created" in page.text
    assert client.get("/admin/audit/auditevent/", {"dataset": "not-an-id"}).status_code == 400
    assert client.get(f"/admin/oversight/events/{uuid4()}/").status_code == 404


def test_a_foreign_event_has_no_page(tenant, rival) -> None:
    make_dataset(rival)
    with acting(rival):
        event = AuditEvent.objects.first()
    assert browser_of(tenant, "auditor").get(f"/admin/oversight/events/{event.pk}/").status_code == 404


@pytest.mark.parametrize("tail", ["add/", "change/", "delete/", "history/"])
def test_the_audit_has_no_form(tenant, tail) -> None:
    client = browser_of(tenant, "tenant_admin")
    with acting(tenant):
        event = AuditEvent.objects.first()
    path = f"/admin/audit/auditevent/{tail if tail == 'add/' else f'{event.pk}/{tail}'}"
    assert client.get(path).status_code in {403, 404}
    assert client.post(path, {"post": "yes"}).status_code in {403, 404}


def test_djangos_own_log_stays_empty(tenant) -> None:
    client = browser_of(tenant, "tenant_admin")
    client.post(f"{USERS}add/", {"username": "logged", "password": PASSWORD, "roles": ["viewer"]})
    with acting(tenant):
        assert LogEntry.objects.count() == 0  # row-level security shows those of this tenant's users alone


def test_a_form_without_its_token_is_refused_with_a_page(tenant) -> None:
    client = Client(enforce_csrf_checks=True)
    answer = client.post(LOGIN, {"organization": tenant.slug, "username": "a", "password": "b"})
    assert answer.status_code == 403
    assert "VAULT_VALID_3009" in answer.text


def test_home_counts_what_there_is(tenant) -> None:
    filled(tenant, with_mail())
    text = re.sub(r"\s+", " ", browser_of(tenant, "data_steward").get("/admin/home/data/").text)
    assert re.search(r"<dt>dataset</dt> <dd> <a [^>]+>1</a>", text)
    assert re.search(r"<dt>records</dt> <dd>\s*2\s*</dd>", text)
    assert "email address" in text


def test_the_tour_shows_raw_only_to_who_reads_raw(tenant) -> None:
    dataset = make_dataset(tenant, name="support-chats")
    rows = [{"id": "chat-0001", "messages": [{"role": "user", "content": f"I am at {EMAIL}"}]}]
    upload(tenant, dataset, jsonl(rows), id_field="id")
    raw = browser_of(tenant, "data_steward", purpose="debugging").get("/admin/tour/").text
    masked = browser_of(tenant, "data_scientist", purpose="debugging").get("/admin/tour/").text
    assert EMAIL in raw
    assert EMAIL not in masked
    assert "VAULT_DATA_4001" in raw
    assert "VAULT_DATA_4001" in masked


def test_without_the_demo_data_the_tour_gives_the_first_steps(tenant) -> None:
    assert "Create a dataset" in browser_of(tenant, "data_steward").get("/admin/tour/").text


def test_a_page_costs_the_same_whatever_is_in_the_tables(tenant, django_assert_max_num_queries) -> None:
    client = browser_of(tenant, "tenant_admin")
    for _ in range(5):
        make_user(tenant, "viewer")
    with django_assert_max_num_queries(25):
        assert client.get(USERS).status_code == 200
