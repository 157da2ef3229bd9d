"""Before a request is late people are told, each once; once it is, an alert says so until it is answered."""

from datetime import timedelta

import pytest

from audit.models import Alert, AuditEvent, Notification
from compliance.models import SubjectRequest
from compliance.requests.reminders import KIND, remind, remind_all
from compliance.requests.selectors import requests_to_answer, today
from tests.compliance.requests.conftest import as_vault
from tests.factories.access import acting, make_user, principal_with


def due_in(request, days: int) -> None:
    rows = SubjectRequest.objects.using("owner").filter(pk=request["id"])
    assert rows.update(due_on=today() + timedelta(days=days)) == 1


def reminded(tenant) -> int:
    with as_vault(tenant):
        return remind()


def alerts_of(tenant) -> list[tuple[str, str]]:
    with acting(tenant):
        return list(Alert.objects.filter(kind=KIND).order_by("id").values_list("state", "verdict"))


def test_as_the_days_pass_each_step_is_told_once(tenant, asked, monkeypatch) -> None:
    make_user(tenant, "privacy_officer")
    request = asked()
    due_in(request, 7)
    start, told = today(), []
    for passed in range(8):
        monkeypatch.setattr("compliance.requests.selectors.today", lambda passed=passed: start + timedelta(days=passed))
        told.append(reminded(tenant))
    assert told == [1, 0, 0, 0, 1, 0, 1, 0]
    with acting(tenant):
        assert AuditEvent.objects.filter(type="subject.request.due").count() == 3
        told = list(Notification.objects.order_by("id").values_list("subject", "is_critical"))
    assert told == [
        ("A data subject's request is due within 7 days", False),
        ("A data subject's request is due within 3 days", False),
        ("A data subject's request is due within 1 day", True),
    ]


def test_who_it_is_assigned_to_is_told_alone(tenant, asked, act) -> None:
    mine, other = make_user(tenant, "privacy_officer"), make_user(tenant, "privacy_officer")
    request = asked()
    act(request, "assign", {"assignee": str(mine.pk)})
    due_in(request, 2)
    reminded(tenant)
    with acting(tenant):
        assert Notification.objects.filter(user=mine).count() == 1
        assert Notification.objects.filter(user=other).count() == 0


def test_a_late_request_raises_one_alert_until_it_is_answered(tenant, asked, act) -> None:
    request = asked()
    due_in(request, -1)
    assert (reminded(tenant), reminded(tenant)) == (1, 0)
    assert alerts_of(tenant) == [("open", "")]
    act(request, "refuse", {"ground": "unfounded", "explanation": "no"})
    assert remind_all() >= 0
    assert alerts_of(tenant) == [("resolved", "ended")]


def test_an_extension_ends_the_alert(tenant, asked) -> None:
    request = asked()
    due_in(request, -1)
    reminded(tenant)
    due_in(request, 30)
    reminded(tenant)
    assert alerts_of(tenant) == [("resolved", "ended")]


@pytest.mark.parametrize("state", ["paused", "answered"])
def test_nobody_is_told_of_what_does_not_wait(tenant, asked, act, state) -> None:
    make_user(tenant, "privacy_officer")
    request = asked()
    what = ("identity-link", None) if state == "paused" else ("refuse", {"ground": "unfounded", "explanation": "no"})
    assert act(request, *what)[0] == 200
    due_in(request, -3)
    assert reminded(tenant) == 0
    assert alerts_of(tenant) == []


def test_the_home_page_counts_what_waits_for_an_officer(tenant, asked, act) -> None:
    officer, other = make_user(tenant, "privacy_officer"), make_user(tenant, "privacy_officer")
    first, second, third = asked(), asked(contact="b@example.org"), asked(contact="c@example.org")
    act(second, "assign", {"assignee": str(other.pk)})
    act(third, "identity-link")
    principal = principal_with(tenant, "privacy_officer", id=officer.pk)
    with acting(tenant, principal):
        waiting = requests_to_answer(principal)
    assert (waiting.count, waiting.due.date().isoformat()) == (1, first["due_on"])
    auditor = principal_with(tenant, "auditor")
    with acting(tenant, auditor):
        assert requests_to_answer(auditor).count == 0
