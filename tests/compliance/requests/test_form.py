"""The public form and its links: no oracle, no replay, no flood."""

import re
from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import pytest
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone

from access.limits.rules import FORM_QUOTA
from audit.models import AuditEvent
from compliance.models import Correspondence, SubjectLink, SubjectRequest
from compliance.requests import mail
from compliance.requests.form import MOST_OF_ONE
from tests.factories.access import acting, age
from tests.factories.api import caller, send
from tests.vaultsite.conftest import plain_static  # noqa: F401 - a fixture

pytestmark = pytest.mark.usefixtures("plain_static")
GIVEN = {"type": "access", "name": "Jane Smithson", "contact": "jane@example.org", "identifiers": "C-1\nC-2"}


@pytest.fixture
def form(tenant, officer):
    """The address of the open form."""
    answer = send(officer, "PUT", "/subject-requests/form", {"is_open": True, "law": "gdpr"})
    assert answer.status_code == 200
    return urlsplit(answer.json()["address"]).path


@pytest.fixture
def sent(form, mailed, request):
    """Send the form as somebody; the mails that went out for it."""

    def go(**changed):
        address = f"198.51.100.{abs(hash(request.node.name)) % 250}"
        answer = Client(REMOTE_ADDR=address).post(form, GIVEN | changed)
        return answer, mailed()

    return go


def link_of(mails):
    (one,) = mails
    (address,) = re.findall(r"\S*/request/\S+", one.body)
    parts = urlsplit(address)
    return parts.path, parse_qs(parts.query)["token"][0]


def rows_of(tenant):
    with acting(tenant):
        return list(SubjectRequest.objects.order_by("id"))


def same(answer):
    """What an answer says, without what differs between any two."""
    return answer.status_code, re.sub(rb'name="csrfmiddlewaretoken" value="\w+"', b"", answer.content)


def test_a_request_by_the_form_counts_once_its_link_was_followed(tenant, sent) -> None:
    answer, mails = sent()
    assert (answer.status_code, "Look into your mail" in answer.text) == (200, True)
    (row,) = rows_of(tenant)
    assert (row.state, row.channel, row.law) == ("identity_pending", "form", "gdpr")
    path, token = link_of(mails)
    page = Client().get(path, {"token": token})
    assert (page.status_code, "It was me" in page.text) == (200, True)
    assert rows_of(tenant)[0].state == "identity_pending", "a scanner that follows links confirms nothing"
    done = Client().post(path, {"token": token})
    assert (done.status_code, row.reference in done.text) == (200, True)
    (row,) = rows_of(tenant)
    assert (row.state, row.identity_method, row.verified_by) == ("verified", "email_link", None)
    assert row.verified_at


def test_a_link_is_followed_once(sent) -> None:
    path, token = link_of(sent()[1])
    assert Client().post(path, {"token": token}).status_code == 200
    again = [Client().post(path, {"token": token}), Client().get(path, {"token": token})]
    assert [answer.status_code for answer in again] == [404, 404]


def test_a_link_holds_for_two_days(tenant, sent) -> None:
    path, token = link_of(sent()[1])
    with acting(tenant):
        link = SubjectLink.objects.get()
    assert abs(link.expires_at - link.mailed_at - timedelta(hours=48)) < timedelta(minutes=1)
    age(link, expires_at=timedelta(seconds=1))
    late = Client().post(path, {"token": token})
    assert same(late) == same(Client().post(path, {"token": "x" * 43})), "why a link fails, nobody is told"
    assert late.status_code == 404
    assert rows_of(tenant)[0].state == "identity_pending"


def test_no_link_of_one_organization_opens_anothers(rival, sent) -> None:
    path, token = link_of(sent()[1])
    theirs = path.replace(path.split("/")[2], rival.slug)
    assert Client().post(theirs, {"token": token}).status_code == 404
    assert Client().post(path, {"token": token}).status_code == 200


def test_only_the_hash_of_a_token_is_kept_and_none_before_its_mail(tenant, form, mailed) -> None:
    Client(REMOTE_ADDR="198.51.100.251").post(form, GIVEN)
    with acting(tenant):
        assert SubjectLink.objects.get().token_hash is None
    _, token = link_of(mailed())
    row = SubjectLink.objects.using("owner").filter(tenant_id=tenant.pk).values().get()
    assert token not in str(row)
    assert len(bytes(row["token_hash"])) == 32


def test_another_link_ends_the_one_before(tenant, officer, sent, mailed) -> None:
    path, first = link_of(sent()[1])
    (row,) = rows_of(tenant)
    assert send(officer, "POST", f"/subject-requests/{row.pk}/identity-link").status_code == 200
    _, second = link_of(mailed())
    assert Client().post(path, {"token": first}).status_code == 404
    assert Client().post(path, {"token": second}).status_code == 200


def test_the_answer_is_the_same_whoever_asks_for_whatever(tenant, sent) -> None:
    """No oracle: known or not, twice or once, too often or not, a person or a program."""
    first, _ = sent()
    answers = [sent(contact=contact)[0] for contact in ("jane@example.org", "nobody@example.net")]
    answers.append(sent(website="https://spam.example")[0])
    answers += [sent()[0] for _ in range(MOST_OF_ONE)]
    assert {same(answer) for answer in answers} == {same(first)}
    assert sum(row.subject_key == rows_of(tenant)[0].subject_key for row in rows_of(tenant)) == MOST_OF_ONE


def test_nobody_is_flooded_with_mail_by_the_form(sent) -> None:
    assert sum(len(sent()[1]) for _ in range(MOST_OF_ONE + 3)) == MOST_OF_ONE


def test_a_program_that_fills_in_every_field_asks_for_nothing(tenant, sent) -> None:
    answer, mails = sent(website="https://spam.example")
    assert (answer.status_code, mails, rows_of(tenant)) == (200, [], [])


def test_a_closed_form_is_one_of_an_organization_that_is_not(tenant, rival, officer, form) -> None:
    closed = Client().get(form.replace(tenant.slug, rival.slug))
    never = Client().get("/request/no-such-organization/")
    assert same(closed) == same(never)
    assert closed.status_code == 404
    send(officer, "PUT", "/subject-requests/form", {"is_open": False, "law": "gdpr"})
    assert same(Client().get(form)) == same(never)
    assert same(Client(REMOTE_ADDR="198.51.100.252").post(form, GIVEN)) == same(never)
    assert rows_of(tenant) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"contact": "jane@example.org\nBcc: all@example.net"},
        {"contact": "jane@example.org, all@example.net"},
        {"contact": "Rose Lane 7"},
        {"name": ""},
        {"name": "a" * 201},
        {"name": "Jane\r\nBcc: all@example.net"},
        {"type": "everything"},
        {"details": "a" * 4001},
        {"identifiers": "\n".join(map(str, range(21)))},
        {"identifiers": "a" * 50_000},
    ],
)
def test_what_does_not_fit_is_said_beside_its_field_and_kept_nowhere(tenant, sent, changed) -> None:
    answer, mails = sent(**changed)
    assert answer.status_code == 400
    assert 'class="problem"' in answer.text
    assert (mails, rows_of(tenant)) == ([], [])


def test_what_people_type_is_shown_as_text(sent) -> None:
    answer, _ = sent(name="", details="<script>alert(1)</script>")
    assert "<script>alert" not in answer.text
    assert "&lt;script&gt;" in answer.text


def test_the_form_needs_its_token_and_tells_nobody_elsewhere_where_it_was(form) -> None:
    client = Client(enforce_csrf_checks=True)
    assert client.post(form, GIVEN).status_code == 403
    page = client.get(form)
    assert page["Referrer-Policy"] == "same-origin"
    assert "default-src 'none'" in page["Content-Security-Policy"]
    assert page["X-Frame-Options"] == "DENY"
    assert "no-store" in page["Cache-Control"]
    assert "<script" not in page.text


def test_one_address_sends_so_many_forms_a_minute(form) -> None:
    client = Client(REMOTE_ADDR="198.51.100.253")
    answers = []
    while 429 not in answers and len(answers) < 3 * FORM_QUOTA:  # some more where that takes long
        answers.append(client.post(form, GIVEN | {"name": ""}).status_code)
    assert len(answers) > FORM_QUOTA
    assert (set(answers[:-1]), answers[-1]) == ({400}, 429)


def test_a_mail_that_fails_is_tried_again_with_another_token(tenant, form, mailed, monkeypatch) -> None:
    mailed()
    Client(REMOTE_ADDR="198.51.100.254").post(form, GIVEN)

    def away(_):
        raise ConnectionRefusedError

    with monkeypatch.context() as patched:
        patched.setattr("django.core.mail.backends.locmem.EmailBackend.send_messages", lambda *_: away(_))
        assert mail.send_due() == 0
    with acting(tenant):
        link = SubjectLink.objects.get()
    assert (link.mail_attempts, link.mailed_at) == (1, None)
    first = bytes(link.token_hash)
    age(link, mail_at=timedelta(seconds=1))
    path, token = link_of(mailed())
    with acting(tenant):
        assert bytes(SubjectLink.objects.get().token_hash) != first
    assert Client().post(path, {"token": token}).status_code == 200
    assert outbox.outbox


def test_a_row_that_cannot_be_opened_stops_nobody_elses_mail(tenant, asked, act, sent) -> None:
    broken = asked(identity="known")
    act(broken, "correspondence", {"direction": "out", "channel": "email", "text": "Hello."})
    with acting(tenant):
        letter = Correspondence.objects.get()
    Correspondence.objects.using("owner").filter(pk=letter.pk).update(body=b"not sealed at all")
    age(letter, mail_at=timedelta(hours=1))
    _, mails = sent()
    assert len(mails) == 1
    with acting(tenant):
        letter = Correspondence.objects.get()
    assert (letter.mail_attempts, letter.mailed_at) == (1, None)
    assert letter.mail_at > timezone.now()


def test_the_audit_tells_of_the_form_without_a_word_of_the_subject(tenant, sent) -> None:
    path, token = link_of(sent()[1])
    Client().post(path, {"token": token})
    with acting(tenant):
        events = list(AuditEvent.objects.filter(type__startswith="subject.").order_by("id"))
    assert [one.type for one in events] == ["subject.request.received", *["subject.request.moved"] * 2]
    said = b"".join(bytes(one.body) for one in events)
    for word in (b"jane", b"Smithson", token.encode()):
        assert word not in said


def test_who_may_not_manage_requests_opens_no_form(tenant) -> None:
    body = {"is_open": True, "law": "gdpr"}
    assert send(caller(tenant, "auditor"), "PUT", "/subject-requests/form", body).status_code == 403
    assert send(caller(tenant, "auditor"), "GET", "/subject-requests/form").json()["is_open"] is False
