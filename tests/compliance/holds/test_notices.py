"""Who is told of a hold acknowledges it, is reminded until then, and learns when it is over."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils import timezone

from access.errors import AccessDenied
from access.leases.errors import PersonRequired
from access.models import User
from audit.models import AuditEvent, Notification
from audit.selectors import read_body
from compliance.errors.holds import HoldNoticeConflict, HoldNoticeNotFound, HoldStateConflict
from compliance.holds.notices import (
    acknowledge_notice,
    find_own_notice,
    list_own_notices,
    record_acknowledgement,
    send_notice,
)
from compliance.holds.reminders import remind_custodians_of_all, remind_silent
from compliance.holds.telling import MOST_REMINDERS, tell_of_end
from compliance.holds.texts import NoticeText, note_of, notice_text
from compliance.holds.work_selectors import notices_to_acknowledge
from compliance.models import HoldNotice
from tests.compliance.holds.cases import MATTER, counsel, disabled_user, place, release, whole
from tests.compliance.requests.conftest import as_vault
from tests.factories.access import acting, make_user, principal_with
from tests.factories.datasets import make_dataset
from vaultsite.kernel.errors import InvalidInput

TEXT = NoticeText("Every mail about orders from Zanzibar", "counsel, room 3")


@pytest.fixture
def user(tenant):
    return make_user(tenant, "data_scientist", email="mallory@example.com")


@pytest.fixture
def hold(tenant, user):
    return place(tenant, whole(make_dataset(tenant)), custodian=user.pk, notice=TEXT)


def notice_of(tenant, hold) -> HoldNotice:
    with acting(tenant):
        return HoldNotice.objects.select_related("hold").get(hold=hold)


def silent_for(notice, **ago) -> None:
    rows = HoldNotice.objects.using("owner").filter(pk=notice.pk)
    assert rows.update(told_at=timezone.now() - timedelta(**ago)) == 1


def set_active(tenant, person, *, active: bool) -> None:
    with acting(tenant):
        assert User.objects.filter(pk=person).update(is_active=active) == 1


def subjects(tenant, user_id) -> list[str]:
    with acting(tenant):
        return list(Notification.objects.filter(user=user_id).order_by("id").values_list("subject", flat=True))


def events(tenant, kind: str) -> list[dict]:
    with acting(tenant):
        rows = AuditEvent.objects.filter(type=kind).order_by("time", "id")
        return [read_body(event)["metadata"] for event in rows]


def test_a_hold_that_says_so_tells_its_custodian_sealed(tenant, user, hold) -> None:
    notice = notice_of(tenant, hold)
    assert (notice.person, notice.reached, notice.acknowledged_at) == (user.pk, True, None)
    assert b"Zanzibar" not in bytes(notice.text)
    with acting(tenant):
        assert notice_text(notice) == TEXT
        told = Notification.objects.get(user=user)
    assert (told.url, told.is_critical) == (f"/admin/compliance/hold-notices/{notice.pk}/", True)
    assert not [word for word in (MATTER, "Zanzibar") if word in told.subject]
    (event,) = events(tenant, "legal_hold.notice.sent")
    assert (event["matter"], event["person"], event["reached"]) == (MATTER, str(user.pk), True)
    assert "Zanzibar" not in str(event)


def test_of_a_hold_that_does_not_nobody_is_told(tenant, user) -> None:
    place(tenant, whole(make_dataset(tenant)), custodian=user.pk)
    with acting(tenant):
        assert not HoldNotice.objects.exists()
    assert subjects(tenant, user.pk) == []


def test_a_custodian_without_any_role_acknowledges_once(tenant) -> None:
    nobody = make_user(tenant)
    hold = place(tenant, whole(make_dataset(tenant)), custodian=nobody.pk, notice=TEXT)
    principal, notice = principal_with(tenant, id=nobody.pk), notice_of(tenant, hold)
    with acting(tenant, principal):
        assert notices_to_acknowledge(principal).count == 1
        first = acknowledge_notice(principal, notice_id=notice.pk)
    with acting(tenant, principal):
        assert acknowledge_notice(principal, notice_id=notice.pk).acknowledged_at == first.acknowledged_at
        assert notices_to_acknowledge(principal).count == 0
    (event,) = events(tenant, "legal_hold.notice.acknowledged")
    assert event["is_recorded"] is False


def test_nobody_else_reads_or_acknowledges_a_notice(tenant, hold) -> None:
    notice, other = notice_of(tenant, hold), counsel(tenant)
    for notice_id in (notice.pk, uuid4()):
        with pytest.raises(HoldNoticeNotFound), acting(tenant, other):
            acknowledge_notice(other, notice_id=notice_id)
    with acting(tenant, other):
        assert list_own_notices(other, limit=5) == []
    assert notice_of(tenant, hold).acknowledged_at is None


def test_a_program_acknowledges_nothing(tenant, hold) -> None:
    program = principal_with(tenant, "data_scientist", kind="service")
    with pytest.raises(PersonRequired), acting(tenant, program):
        acknowledge_notice(program, notice_id=notice_of(tenant, hold).pk)


def test_a_credential_narrowed_to_scopes_opens_no_notice_of_its_person(tenant, user, hold) -> None:
    notice = notice_of(tenant, hold)
    narrowed = principal_with(tenant, id=user.pk, scopes=frozenset({"dataset.list"}), credential="token:x")
    with acting(tenant, narrowed):
        assert notices_to_acknowledge(narrowed).count == 0
    for refused in (
        lambda: acknowledge_notice(narrowed, notice_id=notice.pk),
        lambda: find_own_notice(narrowed, notice.pk),
        lambda: list_own_notices(narrowed, limit=5),
    ):
        with pytest.raises(AccessDenied), acting(tenant, narrowed):
            refused()
    assert notice_of(tenant, hold).acknowledged_at is None
    with acting(tenant):
        denied = AuditEvent.objects.filter(resource_type="legal_hold_notice", status="denied")
        assert denied.count() == 3


def test_the_silent_are_reminded_each_week_until_they_answer(tenant, user, hold) -> None:
    notice, told = notice_of(tenant, hold), []
    for days in (6, 7, 0, 8):
        silent_for(notice, days=days)
        with as_vault(tenant):
            told.append(remind_silent())
    assert told == [0, 1, 0, 1]
    assert notice_of(tenant, hold).reminders == 2
    assert [event["reminders"] for event in events(tenant, "legal_hold.notice.reminded")] == [1, 2]
    assert subjects(tenant, user.pk)[1:] == ["A legal hold still waits for your acknowledgement"] * 2
    principal = principal_with(tenant, id=user.pk)
    with acting(tenant, principal):
        acknowledge_notice(principal, notice_id=notice.pk)
    silent_for(notice, days=8)
    with as_vault(tenant):
        assert remind_silent() == 0


def test_who_cannot_be_reached_is_neither_reminded_nor_told_of_the_end(tenant, user, hold) -> None:
    set_active(tenant, user.pk, active=False)
    notice = notice_of(tenant, hold)
    silent_for(notice, days=8)
    with as_vault(tenant):
        assert remind_silent() == 0
    now = notice_of(tenant, hold)
    assert (now.reached, now.reminders, events(tenant, "legal_hold.notice.reminded")) == (False, 0, [])
    set_active(tenant, user.pk, active=True)
    with as_vault(tenant):
        assert (remind_silent(), remind_silent()) == (1, 0)
    now = notice_of(tenant, hold)
    assert (now.reached, now.reminders) == (True, 1)
    manager = counsel(tenant)
    with acting(tenant, manager):
        send_notice(manager, hold_id=hold.pk, person=make_user(tenant).pk, text=TEXT)
    set_active(tenant, user.pk, active=False)
    release(tenant, hold)
    assert [event["told"] for event in events(tenant, "legal_hold.released")] == [1]
    with acting(tenant):
        ended = dict(HoldNotice.objects.filter(hold=hold).values_list("person", "ended_at"))
    assert [person for person, at in ended.items() if at is None] == [user.pk]


def test_the_beat_reminds_in_every_organization(tenant, rival) -> None:
    for each in (tenant, rival):
        silent_for(notice_of(each, place(each, whole(make_dataset(each)), notice=TEXT)), days=30)
    assert remind_custodians_of_all() >= 2
    assert [len(events(each, "legal_hold.notice.reminded")) for each in (tenant, rival)] == [1, 1]
    assert settings.CELERY_BEAT_SCHEDULE["remind-custodians"]["task"] == "compliance.remind_custodians"


def test_reminders_end(tenant, hold) -> None:
    notice = notice_of(tenant, hold)
    HoldNotice.objects.using("owner").filter(pk=notice.pk).update(reminders=MOST_REMINDERS)
    silent_for(notice, days=30)
    with as_vault(tenant):
        assert remind_silent() == 0


def test_who_was_told_learns_that_the_hold_is_over_and_is_reminded_no_more(tenant, user, hold) -> None:
    release(tenant, hold)
    assert subjects(tenant, user.pk)[-1] == "A legal hold that you were told of is over"
    notice = notice_of(tenant, hold)
    assert notice.ended_at is not None
    silent_for(notice, days=30)
    with as_vault(tenant):
        assert (remind_silent(), tell_of_end(hold.pk)) == (0, 0)
    assert events(tenant, "legal_hold.released")[0]["told"] == 1
    principal, manager = principal_with(tenant, id=user.pk), counsel(tenant)
    with pytest.raises(HoldStateConflict), acting(tenant, principal):
        acknowledge_notice(principal, notice_id=notice.pk)
    with pytest.raises(HoldStateConflict), acting(tenant, manager):
        send_notice(manager, hold_id=hold.pk, person=make_user(tenant).pk, text=TEXT)
    with pytest.raises(HoldStateConflict), acting(tenant, manager):
        record_acknowledgement(manager, hold_id=hold.pk, notice_id=notice.pk, note="by telephone")


def test_of_who_cannot_sign_in_the_answer_is_written_down_with_how_it_is_known(tenant) -> None:
    gone = disabled_user(tenant)
    hold = place(tenant, whole(make_dataset(tenant)), custodian=gone, notice=TEXT)
    notice, manager = notice_of(tenant, hold), counsel(tenant)
    assert (notice.reached, subjects(tenant, gone)) == (False, [])
    with acting(tenant, manager):
        noted = record_acknowledgement(manager, hold_id=hold.pk, notice_id=notice.pk, note="letter of 3 May")
        assert (noted.recorded_by, note_of(noted)) == (manager.id, "letter of 3 May")
    assert b"letter" not in bytes(notice_of(tenant, hold).note)
    with pytest.raises(HoldNoticeConflict), acting(tenant, manager):
        record_acknowledgement(manager, hold_id=hold.pk, notice_id=notice.pk, note="again")
    assert events(tenant, "legal_hold.notice.acknowledged")[0]["is_recorded"] is True


def test_a_person_is_told_of_a_hold_once_and_is_one_of_the_organization(tenant, rival, hold, user) -> None:
    manager, stranger = counsel(tenant), make_user(rival).pk
    for person, error in ((None, HoldNoticeConflict), (user.pk, HoldNoticeConflict), (stranger, InvalidInput)):
        with pytest.raises(error), acting(tenant, manager):
            send_notice(manager, hold_id=hold.pk, person=person, text=TEXT)
    with acting(tenant, manager):
        assert send_notice(manager, hold_id=hold.pk, person=make_user(tenant).pk, text=TEXT).reached
    with pytest.raises(HoldNoticeNotFound), acting(tenant, manager):
        record_acknowledgement(manager, hold_id=hold.pk, notice_id=uuid4(), note="who?")


def test_the_database_refuses_a_record_without_its_note(tenant, hold) -> None:
    notice = notice_of(tenant, hold)
    with pytest.raises(IntegrityError), acting(tenant), transaction.atomic():
        HoldNotice.objects.filter(pk=notice.pk).update(recorded_by=uuid4())
