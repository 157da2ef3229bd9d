"""Who is told of what, once, as they want it, and without a word of what is behind it."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core import mail
from django.db.models.functions import Now
from django.urls import reverse
from django.utils import timezone

from access.models import Group, GroupMembership, Lease, Role, RoleBinding, Tenant, User
from audit.alerts.open import About, raise_alert
from audit.models import Notification, NotificationSetting, PendingNotice
from audit.notifications import mail as mailing
from audit.notifications.dispatch import KEPT, announce_endings, forget_old, tell_pending
from audit.notifications.kinds import KINDS
from audit.notifications.mail import LINES, MOST_ATTEMPTS, send_due
from audit.notifications.notify import notify
from audit.notifications.own import COUNTED, unread_count
from audit.notifications.told import TOLD
from audit.relay.loop import relay_waiting
from tests.factories.access import acting, make_user, principal_with
from tests.factories.audit import dataset_ref, make_event
from tests.factories.datasets import make_dataset
from tests.factories.leases import lease_for, person
from tests.factories.pages import browser_of
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.tenancy.principal import Principal

HERE = "/admin/oversight/notifications/"


def happens(tenant: Tenant, kind: EventType, **facts: Any) -> None:
    """An event of the tenant, handed on by the relay, and told."""
    with acting(tenant):
        emit(make_event(type=kind, **facts))
    relay_waiting()
    tell_pending()


def told(tenant: Tenant, user: User | None = None) -> list[Notification]:
    with acting(tenant):
        rows = Notification.objects.order_by("id")
        return list(rows.filter(user=user) if user else rows)


def tell(tenant: Tenant, user: User, **changed: Any) -> int:
    facts = {"kind": "job", "cause": uuid4().hex, "subject": "An ingest of yours failed", "url": "/admin/"}
    with acting(tenant):
        return notify({user.pk}, **(facts | changed))


def due(tenant: Tenant) -> None:
    """Let the time pass that mails wait."""
    with acting(tenant):
        Notification.objects.filter(mail_at__isnull=False).update(mail_at=timezone.now() - timedelta(seconds=1))


def test_those_who_decide_are_told_and_nobody_else(tenant, rival) -> None:
    approver, officer = make_user(tenant, "data_steward"), make_user(tenant, "privacy_officer")
    make_user(tenant, "analyst")
    gone = make_user(tenant, "data_steward")
    with acting(tenant):
        User.objects.filter(pk=gone.pk).update(is_active=False)
    make_user(rival, "data_steward")
    happens(tenant, EventType.ACCESS_REQUESTED, resource=dataset_ref(uuid4()))
    assert {row.user_id for row in told(tenant)} == {approver.pk, officer.pk}
    assert {(row.kind, row.url) for row in told(tenant)} == {("decision", reverse("admin:access_requests"))}
    assert told(rival) == []
    with acting(tenant):
        assert not PendingNotice.objects.exists()


def test_whom_an_alert_is_about_is_not_told_of_it(tenant) -> None:
    suspect, other = (make_user(tenant, "security_officer") for _ in range(2))
    with acting(tenant, principal_with(tenant, "security_officer", id=suspect.pk)):
        raise_alert(
            kind="canary.released", cause="a", severity="critical", facts={}, about=About(principal_id=suspect.pk)
        )
    relay_waiting()
    tell_pending()
    assert (len(told(tenant, suspect)), len(told(tenant, other))) == (0, 1)


def test_who_holds_a_permission_by_a_group_is_told(tenant) -> None:
    member = make_user(tenant, "viewer")
    with acting(tenant):
        group = Group.objects.create(display_name="Approvers")
        GroupMembership.objects.create(group=group, user=member, added_by=member.pk)
        role = Role.objects.get(code="data_steward")
        RoleBinding.objects.create(group=group, role=role, granted_by=member.pk)
    happens(tenant, EventType.MERGE_REQUESTED, metadata={"merge_request": str(uuid4())})
    assert {row.user_id for row in told(tenant)} == {member.pk}


def test_nobody_is_told_of_what_they_did(tenant) -> None:
    asker, other = person(tenant, "data_steward"), make_user(tenant, "data_steward")
    with acting(tenant, asker):
        emit(make_event(type=EventType.ACCESS_REQUESTED, resource=dataset_ref(uuid4())))
    relay_waiting()
    tell_pending()
    assert {row.user_id for row in told(tenant)} == {other.pk}


@pytest.mark.parametrize("kind", sorted(TOLD))
def test_every_line_of_the_table_tells_somebody_and_leads_to_a_page(tenant, kind: str) -> None:
    line, reader = TOLD[kind], make_user(tenant, "privacy_officer")
    identifier = str(uuid4())
    named = {name: identifier for name in (line.place,) if name and not name.startswith("resource.")}
    facts = named | ({line.person: str(reader.pk)} if line.person else {})
    resource = dataset_ref(uuid4())
    with acting(tenant):
        emit(make_event(type=EventType(kind), resource=resource, metadata=facts))
    relay_waiting()
    tell_pending()
    (row,) = told(tenant, reader)
    assert row.kind in KINDS
    assert row.url != reverse("admin:index")
    assert (identifier in row.url or str(resource.id) in row.url) == bool(line.place)
    assert str(reader.username) not in row.subject


def test_what_is_told_twice_is_told_once(tenant) -> None:
    user = make_user(tenant, "viewer")
    assert [tell(tenant, user, cause="one") for _ in range(2)] == [1, 0]
    assert tell(tenant, user, cause="one", kind="alert") == 1


def test_a_person_chooses_how_they_are_told(tenant) -> None:
    user = make_user(tenant, "viewer", email="reader@example.org")
    with acting(tenant):
        NotificationSetting.objects.create(user=user, kind="job", in_app=False, by_mail=False)
        NotificationSetting.objects.create(user=user, kind="alert", in_app=False, by_mail=True)
        NotificationSetting.objects.create(user=user, kind="answer", in_app=True, by_mail=False)
    assert [tell(tenant, user, kind=kind) for kind in ("job", "alert", "answer")] == [0, 1, 1]
    assert [(row.kind, row.is_shown, row.mail_at is not None) for row in told(tenant)] == [
        ("alert", False, True),
        ("answer", True, False),
    ]


def test_a_mail_is_a_digest_of_links_and_comes_once(tenant, settings) -> None:
    settings.PUBLIC_URL = "https://vault.example.org"
    user = make_user(tenant, "viewer", email="reader@example.org")
    for number in range(LINES + 2):
        tell(tenant, user, kind="decision", cause=str(number), url=f"/admin/{number}/")
    assert send_due() == 0, "it waits for what else there is to tell"
    due(tenant)
    assert (send_due(), send_due()) == (1, 0)
    (sent,) = mail.outbox
    assert (sent.to, sent.subject) == (["reader@example.org"], f"{LINES + 2} notifications of your data vault")
    assert "https://vault.example.org/admin/21/" in sent.body
    assert "and 2 more" in sent.body
    assert user.username not in sent.body
    assert tenant.name not in sent.body


def test_what_is_critical_is_mailed_at_once_and_takes_the_rest_along(tenant) -> None:
    user = make_user(tenant, "viewer", email="reader@example.org")
    tell(tenant, user, kind="decision")
    tell(tenant, user, kind="alert", is_critical=True, subject="An alert was raised")
    assert send_due() == 1
    assert mail.outbox[0].body.count("http") == mail.outbox[0].body.count("https")
    assert {row.mail_at for row in told(tenant)} == {None}


def test_a_mail_that_fails_is_tried_again_and_given_up(tenant, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT, settings.EMAIL_TIMEOUT = "127.0.0.1", 1, 1
    user = make_user(tenant, "viewer", email="reader@example.org")
    tell(tenant, user, kind="alert", is_critical=True)
    assert send_due() == 0
    (row,) = told(tenant)
    assert (row.mail_attempts, row.mailed_at) == (1, None)
    assert row.mail_at is not None
    assert row.mail_at > timezone.now() + mailing.RETRY / 2
    for _ in range(MOST_ATTEMPTS):
        due(tenant)
        send_due()
    (row,) = told(tenant)
    assert (row.mail_attempts, row.mail_at) == (MOST_ATTEMPTS, None)


def test_a_vault_without_a_mail_server_promises_no_mail(tenant, settings) -> None:
    settings.EMAIL_BACKEND = "django.core.mail.backends.dummy.EmailBackend"
    tell(tenant, make_user(tenant, "viewer", email="reader@example.org"), kind="alert", is_critical=True)
    assert [row.mail_at for row in told(tenant)] == [None]


def test_somebody_disabled_meanwhile_gets_no_mail(tenant) -> None:
    user = make_user(tenant, "viewer", email="reader@example.org")
    tell(tenant, user, kind="alert", is_critical=True)
    with acting(tenant):
        User.objects.filter(pk=user.pk).update(is_active=False)
    assert send_due() == 0
    assert mail.outbox == []


def test_access_that_ends_soon_is_announced_once(tenant) -> None:
    dataset, holder = make_dataset(tenant), person(tenant, "analyst")
    lease = lease_for(tenant, dataset, holder)
    announce_endings()
    assert told(tenant) == [], "it began a moment ago"
    with acting(tenant):
        Lease.objects.filter(pk=lease.pk).update(
            starts_at=Now() - timedelta(days=20), expires_at=Now() + timedelta(days=2)
        )
    announce_endings()
    announce_endings()
    assert [(row.kind, row.user_id) for row in told(tenant)] == [("ending", holder.id)]


def test_old_notifications_are_forgotten(tenant) -> None:
    user = make_user(tenant, "viewer")
    tell(tenant, user)
    tell(tenant, user)
    first, second = told(tenant)
    with acting(tenant):
        Notification.objects.filter(pk=first.pk).update(created_at=timezone.now() - KEPT - timedelta(hours=1))
    forget_old()
    assert [row.pk for row in told(tenant)] == [second.pk]


def test_the_bell_counts_so_far_and_for_people_alone(tenant) -> None:
    user = make_user(tenant, "viewer")
    principal = Principal(id=user.pk, kind="user", tenant_id=tenant.pk, name="")
    with acting(tenant):
        Notification.objects.bulk_create(
            Notification(user=user, kind="job", cause=str(number), subject="a", url="/admin/")
            for number in range(COUNTED + 5)
        )
        assert unread_count(principal) == COUNTED
        assert unread_count(principal_with(tenant, "viewer", kind="service")) == 0
    assert unread_count(principal) == 0, "no scope is open"


@pytest.mark.usefixtures("plain_static")
def test_a_person_reads_and_chooses_in_the_browser(tenant, rival) -> None:
    browser = browser_of(tenant, "viewer", username="reader", email="reader@example.org")
    with acting(tenant):
        user = User.objects.get(username="reader")
    assert "Nobody told you anything yet" in browser.get(HERE).text
    tell(tenant, user, url="/admin/access-control/mine/", subject="You were given access to a dataset")
    tell(tenant, user, kind="alert", is_critical=True, subject="An alert was raised")
    others = make_user(rival, "viewer")
    tell(rival, others, subject="Of a rival")
    page = browser.get("/admin/access-control/mine/").text
    assert "Notifications, 2 unread" in page
    page = browser.get(HERE).text
    assert page.index("An alert was raised") < page.index("You were given access")
    assert "Of a rival" not in page
    given = told(tenant, user)[0]
    assert browser.post(HERE, {"act": "open", "id": str(given.pk)})["Location"] == "/admin/access-control/mine/"
    assert "You were given access" not in browser.get(HERE, {"show": "unread"}).text
    foreign = told(rival, others)[0]
    assert browser.post(HERE, {"act": "open", "id": str(foreign.pk)}).status_code == 404
    assert browser.post(HERE, {"act": "open", "id": "1"}).status_code == 404
    assert browser.post(HERE, {"act": "other"}).status_code == 404
    assert browser.post(HERE, {"act": "read"}).status_code == 302
    assert "You have read everything" in browser.get(HERE, {"show": "unread"}).text
    browser.post(HERE, {"act": "settings", "app_alert": "on"})
    with acting(tenant):
        chosen = {row.kind: (row.in_app, row.by_mail) for row in NotificationSetting.objects.filter(user=user)}
    assert chosen == {name: (name == "alert", False) for name in KINDS}
    assert browser.get(HERE, {"after": "x"}).status_code == 400
