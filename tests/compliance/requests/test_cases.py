"""A request from its receipt to its answer, over the API: states, clocks, events, and who may."""

from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from uuid import uuid4

import pytest
from django.db import connection

from access.models import User
from audit.models import AuditEvent
from audit.selectors import read_body
from compliance.models import Correspondence, SubjectRequest
from compliance.requests.clocks import CLOCKS, due_on
from compliance.requests.sealed import SubjectFacts, is_mail_address
from compliance.requests.states import MOVES, State
from tests.compliance.requests.conftest import JANE
from tests.factories.access import acting, age, make_user
from tests.factories.api import caller, send


def today() -> date:
    return datetime.now(UTC).date()


def due(received: datetime) -> date:
    return due_on(CLOCKS["gdpr"], received.date())


def types_of(tenant) -> list[str]:
    with acting(tenant):
        rows = AuditEvent.objects.filter(type__startswith="subject.").order_by("id")
        return [row.type for row in rows]


def moves_of(tenant) -> list[tuple[str, str]]:
    with acting(tenant):
        rows = AuditEvent.objects.filter(type="subject.request.moved").order_by("id")
        return [(body["metadata"]["from"], body["metadata"]["to"]) for body in map(read_body, rows)]


def test_a_request_goes_its_way_and_every_step_is_an_event(tenant, asked, act) -> None:
    request = asked()
    assert (request["state"], request["days_left"]) == ("received", (due_on(CLOCKS["gdpr"], today()) - today()).days)
    assert act(request, "verify", {"method": "document"})[1]["state"] == "verified"
    for to in ("searching", "review", "executing"):
        assert act(request, "move", {"to": to})[1]["state"] == to
    answered = act(request, "answer", {"message": "Your data are in the package."})[1]
    assert (answered["state"], answered["days_left"]) == ("answered", None)
    assert act(request, "move", {"to": "closed"})[1]["closed_at"]
    way = ["received", "verified", "searching", "review", "executing", "answered", "closed"]
    assert moves_of(tenant) == list(pairwise(way))
    assert types_of(tenant)[0] == "subject.request.received"


def test_no_state_is_jumped_over_and_a_closed_request_stays_closed(asked, act) -> None:
    request = asked()
    for what, body in (("move", {"to": "executing"}), ("answer", {"message": "done"}), ("move", {"to": "review"})):
        status, refusal = act(request, what, body)
        assert (status, refusal["code"]) == (409, "VAULT_COMP_8051")
        assert refusal["state"] == "received"
    assert act(request, "move", {"to": "closed"})[0] == 200
    for what, body in (
        ("move", {"to": "searching"}),
        ("verify", {"method": "known"}),
        ("extend", {"reason": "much"}),
        ("refuse", {"ground": "unfounded", "explanation": "no"}),
        ("assign", {"assignee": None}),
    ):
        assert act(request, what, body)[1]["code"] == "VAULT_COMP_8051", what


def test_every_state_is_reached_and_leads_somewhere() -> None:
    reached = {State.RECEIVED}.union(*MOVES.values())
    assert reached == set(State) == set(MOVES)
    assert [state for state, to in MOVES.items() if not to] == [State.CLOSED]


def test_the_clock_runs_from_receipt_and_not_from_the_day_it_was_entered(asked) -> None:
    received = datetime.now(UTC) - timedelta(days=12)
    request = asked(received_at=received.isoformat())
    assert request["due_on"] == due_on(CLOCKS["gdpr"], received.date()).isoformat()


@pytest.mark.parametrize("ago", [timedelta(days=-2), timedelta(days=400)])
def test_a_receipt_in_the_future_or_long_ago_is_refused(officer, ago) -> None:
    answer = send(officer, "POST", "/subject-requests", JANE | {"received_at": (datetime.now(UTC) - ago).isoformat()})
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "/received_at")


def test_a_request_is_verified_by_whom_and_how(tenant, asked, act) -> None:
    request = asked(identity="account")
    assert (request["state"], request["identity_method"]) == ("verified", "account")
    assert request["verified_by"]
    status, refusal = act(asked(contact="other@example.org"), "verify", {"method": "email_link"})
    assert (status, refusal["code"]) == (400, "VAULT_VALID_3001"), "only the subject follows a link"


def test_an_extension_gives_the_whole_term_once_and_tells_the_subject_why(tenant, asked, act, mailed) -> None:
    request = asked()
    status, extended = act(request, "extend", {"reason": "There are very many records."})
    assert status == 200
    assert extended["due_on"] == due_on(CLOCKS["gdpr"], today(), is_extended=True).isoformat()
    (mail,) = mailed()
    assert mail.to == [JANE["contact"]]
    assert "very many records" in mail.body
    assert f"{date.fromisoformat(extended['due_on']):%d %B %Y}" in mail.body
    assert act(request, "extend", {"reason": "And more."})[1]["reason"] == "extended"
    assert "subject.request.extended" in types_of(tenant)


def test_an_extension_comes_inside_the_first_term_or_not_at_all(asked, act) -> None:
    """Article 12(3): "within one month of receipt"."""
    month_ago = datetime.now(UTC) - timedelta(days=32)
    late = asked(received_at=month_ago.isoformat())
    assert late["days_left"] < 0
    status, refusal = act(late, "extend", {"reason": "We forgot."})
    assert (status, refusal["code"], refusal["reason"]) == (409, "VAULT_COMP_8052", "late")
    # After a short month no day's term ends today: then the one whose term ends next.
    now = datetime.now(UTC)
    last = min(now - timedelta(days=day) for day in range(27, 33) if due(now - timedelta(days=day)) >= now.date())
    in_time = asked(received_at=last.isoformat())
    assert in_time["days_left"] == (due(last) - now.date()).days <= 3
    assert act(in_time, "extend", {"reason": "Many records."})[0] == 200


def test_a_law_without_more_time_gives_none(asked, act) -> None:
    assert act(asked(law="lgpd"), "extend", {"reason": "much"})[1]["reason"] == "law"
    assert act(asked(law="ccpa", type="objection"), "extend", {"reason": "much"})[1]["reason"] == "law"


def test_the_clock_stands_while_the_subject_proves_who_they_are(asked, act, row_of) -> None:
    request = asked()
    waiting = act(request, "identity-link")[1]
    assert (waiting["state"], waiting["is_paused"], waiting["days_left"]) == ("identity_pending", True, None)
    age(row_of(request), paused_at=timedelta(days=4, hours=3))
    went_on = act(request, "verify", {"method": "document"})[1]
    assert (went_on["is_paused"], went_on["paused_days"]) == (False, 4)
    assert went_on["due_on"] == (due_on(CLOCKS["gdpr"], today()) + timedelta(days=4)).isoformat()


def test_under_the_ccpa_the_clock_runs_on_while_identity_is_waited_for(asked, act) -> None:
    request = asked(law="ccpa")
    waiting = act(request, "identity-link")[1]
    assert (waiting["state"], waiting["is_paused"], waiting["days_left"]) == ("identity_pending", False, 45)


def test_a_refusal_names_its_ground_and_where_to_complain(asked, act, mailed) -> None:
    request = asked()
    status, refused = act(request, "refuse", {"ground": "excessive", "explanation": "The seventh time this month."})
    assert (status, refused["state"], refused["refusal_ground"]) == (200, "refused", "excessive")
    assert refused["subject"]["explanation"] == "The seventh time this month."
    (mail,) = mailed()
    assert "article 12(5)" in mail.body
    assert "supervisory authority" in mail.body
    assert act(asked(), "refuse", {"ground": "", "explanation": "no"})[0] == 400


def test_a_request_is_given_to_somebody_who_may_work_on_it(tenant, asked, act) -> None:
    request = asked()
    worker, other = make_user(tenant, "privacy_officer"), make_user(tenant, "analyst")
    assert act(request, "assign", {"assignee": str(worker.pk)})[1]["assignee"] == str(worker.pk)
    assert act(request, "assign", {"assignee": str(other.pk)})[1]["errors"][0]["field"] == "/assignee"
    assert act(request, "assign", {"assignee": str(uuid4())})[0] == 400
    with acting(tenant):
        User.objects.filter(pk=worker.pk).update(is_active=False)
    assert act(request, "assign", {"assignee": str(worker.pk)})[0] == 400


def test_the_same_subject_is_recognized_by_a_keyed_hash(tenant, rival, asked) -> None:
    first = asked()
    again = asked(contact=" JANE.Smithson@example.org")
    assert again["duplicate_of"] == first["id"]
    assert asked(type="erasure")["duplicate_of"] is None
    assert asked(contact="john@example.org")["duplicate_of"] is None
    theirs = send(caller(rival, "privacy_officer"), "POST", "/subject-requests", JANE).json()
    assert theirs["duplicate_of"] is None
    rows = SubjectRequest.objects.using("owner").filter(pk__in=[first["id"], again["id"], theirs["id"]])
    keys = {str(row.pk): bytes(row.subject_key) for row in rows}
    assert keys[first["id"]] == keys[again["id"]] != keys[theirs["id"]]


def test_an_answered_request_makes_the_next_no_duplicate(asked, act) -> None:
    first = asked()
    act(first, "move", {"to": "closed"})
    assert asked()["duplicate_of"] is None


def test_nothing_of_the_subject_is_at_rest_in_the_clear(tenant, asked, act) -> None:
    request = asked()
    act(request, "correspondence", {"direction": "note", "channel": "phone", "text": "Smithson called about C-1029"})
    act(request, "refuse", {"ground": "unfounded", "explanation": "Dear Mrs Smithson, no."})
    tables = ["compliance_subjectrequest", "compliance_correspondence", "audit_event", "audit_outbox"]
    with acting(tenant), connection.cursor() as cursor:
        for table in tables:
            cursor.execute(f"SELECT t::text, encode(t::text::bytea, 'escape') FROM {table} t")
            text = str(cursor.fetchall()).lower()
            assert request["id"] in text or table.startswith("audit")
            for word in ("smithson", "c-1029", b"smithson".hex(), b"C-1029".hex()):
                assert word not in text, (table, word)


def test_who_only_reads_sees_that_it_exists_and_not_whose(tenant, asked, act) -> None:
    request = asked()
    for role in ("auditor", "legal_counsel"):
        reader = caller(tenant, role)
        seen = send(reader, "GET", f"/subject-requests/{request['id']}").json()
        assert (seen["state"], seen["subject"]) == ("received", None)
        assert send(reader, "GET", f"/subject-requests/{request['id']}/correspondence").status_code == 403
        assert send(reader, "GET", f"/subject-requests/{request['id']}/matches").status_code == 403
    for role in ("tenant_admin", "data_steward", "security_officer", "viewer"):
        assert send(caller(tenant, role), "GET", "/subject-requests").status_code == 403
    assert act(request, "")[0] == 405
    assert send(caller(tenant, "privacy_officer"), "GET", f"/subject-requests/{request['id']}").json()["subject"] == {
        "name": JANE["name"],
        "contact": JANE["contact"],
        "identifiers": JANE["identifiers"],
        "details": JANE["details"],
        "explanation": "",
    }


def test_another_tenants_request_is_answered_as_one_that_never_was(rival, asked) -> None:
    request, spy = asked(), caller(rival, "privacy_officer")
    theirs, never = (
        send(spy, "GET", f"/subject-requests/{one}").json() | {"trace_id": "", "instance": ""}
        for one in (request["id"], uuid4())
    )
    assert theirs == never
    assert theirs["code"] == "VAULT_COMP_8050"
    assert send(spy, "GET", "/subject-requests").json()["data"] == []


def test_the_list_is_in_order_of_what_is_due_and_goes_on(officer, asked, act) -> None:
    days = [1, 20, 40, 10]
    made = [asked(received_at=(datetime.now(UTC) - timedelta(days=ago)).isoformat()) for ago in days]
    act(made[0], "move", {"to": "closed"})
    seen, cursor = [], ""
    while cursor is not None:
        page = send(officer, "GET", f"/subject-requests?limit=2{f'&cursor={cursor}' if cursor else ''}").json()
        seen += page["data"]
        cursor = page["pagination"]["next_cursor"]
    assert [one["id"] for one in seen] == [made[i]["id"] for i in (2, 1, 3, 0)]

    def found(query: str) -> list[str]:
        return [one["id"] for one in send(officer, "GET", f"/subject-requests?{query}").json()["data"]]

    assert found("overdue=true") == [made[2]["id"]]
    assert found(f"due_before={made[3]['due_on']}") == [made[i]["id"] for i in (2, 1)]
    assert found("state=closed") == [made[0]["id"]]
    assert found("state=open&type=access&law=gdpr") == [made[i]["id"] for i in (2, 1, 3)]
    assert found(f"assignee={uuid4()}") == []
    for query in ("state=lost", "due_before=soon", "assignee=me", "who=jane", "cursor=x"):
        assert send(officer, "GET", f"/subject-requests?{query}").status_code == 400, query


def test_the_log_keeps_what_was_written_and_mails_what_goes_out(tenant, asked, act, mailed) -> None:
    request = asked()
    letter = {"direction": "out", "channel": "email", "subject": "A question", "text": "Which shop was it?"}
    assert act(request, "correspondence", letter)[0] == 201
    assert act(request, "correspondence", {"direction": "in", "channel": "phone", "text": "The one in Ulm."})[0] == 201
    (mail,) = mailed()
    assert (mail.subject, mail.body, mail.to) == ("A question", "Which shop was it?", [JANE["contact"]])
    assert mailed() == [], "no mail goes out twice"
    first, second = act(request, "correspondence", method="GET")[1]["data"]
    assert (first["text"], second["text"]) == ("Which shop was it?", "The one in Ulm.")
    assert first["mailed_at"]
    assert second["mailed_at"] is None
    assert types_of(tenant).count("subject.request.corresponded") == 2


@pytest.mark.parametrize("subject", ["Hello\r\nBcc: everybody@example.net", "a\nb", "a\x00b", "a\u2028b"])
def test_no_header_is_smuggled_into_a_mail(asked, act, mailed, subject) -> None:
    letter = {"direction": "out", "channel": "email", "subject": subject, "text": "Hello"}
    assert act(asked(), "correspondence", letter)[0] == 400
    assert mailed() == []


@pytest.mark.parametrize(
    "contact", ["jane@example.org\nBcc: x@example.net", "jane@example.org,x@example.net", "a@b@c.org", "Rose Lane 7"]
)
def test_what_is_no_address_gets_no_mail(contact, officer, act, mailed) -> None:
    answer = send(officer, "POST", "/subject-requests", JANE | {"contact": contact})
    if answer.status_code == 400:
        return
    letter = {"direction": "out", "channel": "email", "text": "Hello"}
    assert act(answer.json(), "correspondence", letter)[1]["code"] == "VAULT_COMP_8055"
    assert act(answer.json(), "identity-link")[1]["code"] == "VAULT_COMP_8055"
    assert act(answer.json(), "refuse", {"ground": "unfounded", "explanation": "no"})[0] == 200
    assert mailed() == []
    assert not is_mail_address(contact)


def test_a_subject_without_an_address_is_written_a_letter(tenant, asked, act) -> None:
    request = asked(contact="Rose Lane 7, Ulm")
    act(request, "refuse", {"ground": "unfounded", "explanation": "no"})
    (entry,) = act(request, "correspondence", method="GET")[1]["data"]
    assert (entry["channel"], entry["direction"], entry["mailed_at"]) == ("letter", "out", None)


def test_what_belongs_to_one_row_opens_for_no_other(tenant, asked) -> None:
    """Sealed facts are bound to their request: swapped between rows they do not open."""
    one, other = asked(), asked(contact="john@example.org", name="John")
    rows = SubjectRequest.objects.using("owner")
    facts = {str(row.pk): row.facts for row in rows.filter(pk__in=[one["id"], other["id"]])}
    rows.filter(pk=one["id"]).update(facts=facts[other["id"]])
    with acting(tenant), pytest.raises(Exception, match=r"\S") as raised:
        SubjectFacts.of(SubjectRequest.objects.get(pk=one["id"]))
    assert raised.value.code.startswith("VAULT_CRYPTO")


def test_the_legal_basis_is_entered_and_told(tenant, asked, act) -> None:
    request = asked()
    assert act(request, "", {"legal_basis": "contract"}, "PATCH")[1]["legal_basis"] == "contract"
    assert "subject.request.changed" in types_of(tenant)
    assert act(request, "", {"legal_basis": "whim"}, "PATCH")[0] == 400


def test_matches_are_sealed_and_of_datasets_that_are_there(tenant, asked, act, officer) -> None:
    request = asked(identity="known")
    dataset = send(caller(tenant, "data_steward"), "POST", "/datasets", {"name": "chats"}).json()["id"]
    body = {"matches": [{"dataset_id": dataset, "record_ids": ["smithson-2", "smithson-1", "smithson-2"]}]}
    assert act(request, "matches", body, "PUT")[1]["code"] == "VAULT_COMP_8051"
    act(request, "move", {"to": "searching"})
    assert act(request, "matches", body, "PUT")[1]["data"] == [
        {"dataset_id": dataset, "record_ids": ["smithson-1", "smithson-2"]}
    ]
    unknown = {"matches": [{"dataset_id": str(uuid4()), "record_ids": ["a"]}]}
    assert act(request, "matches", unknown, "PUT")[0] == 404
    assert len(act(request, "matches", method="GET")[1]["data"]) == 1, "what was refused changed nothing"
    with acting(tenant), connection.cursor() as cursor:
        cursor.execute("SELECT t::text FROM compliance_requestmatch t")
        assert b"smithson".hex() not in str(cursor.fetchall())
        assert Correspondence.objects.count() == 0
