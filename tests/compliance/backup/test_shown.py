"""Backups as people see them: the API, the page, and what they are told to do."""

from datetime import timedelta

import pytest
from django.utils import timezone

from compliance.backup.selectors import has_passed_drill, readiness
from compliance.models import BackupRun, BackupStatus, DrillStatus, RestoreDrill
from tests.factories.access import acting
from tests.factories.api import caller, send
from tests.factories.pages import browser_of, opened

PAGE = "/admin/compliance/backups/"
pytestmark = pytest.mark.usefixtures("plain_static", "quick_passwords")


def ago(**span):
    return timezone.now() - timedelta(**span)


def made(tenant, age=None, **facts):
    at = ago(hours=1) if age is None else timezone.now() - age
    with acting(tenant):
        facts = {"backup_id": "b", "status": BackupStatus.SUCCEEDED, "snapshot_at": at, "finished_at": at} | facts
        return BackupRun.objects.create(**facts)


def drilled(tenant, status=DrillStatus.PASSED, age=timedelta(days=2)):
    at = timezone.now() - age
    with acting(tenant):
        return RestoreDrill.objects.create(
            backup_id="b", status=status, started_at=at, finished_at=at, rto_seconds=61, rpo_seconds=4242
        )


def advice(tenant):
    with acting(tenant):
        return readiness().advice


@pytest.mark.parametrize("path", ["/backups", "/backups/drills"])
def test_lists_are_paged_and_hold_only_the_organizations_own(tenant, rival, path):
    rows = [made(tenant) if path == "/backups" else drilled(tenant) for _ in range(3)]
    made(rival)
    drilled(rival)
    auditor = caller(tenant, "auditor")
    first = send(auditor, "GET", f"{path}?limit=2").json()
    rest = send(auditor, "GET", f"{path}?limit=2&cursor={first['pagination']['next_cursor']}").json()
    assert [one["id"] for one in first["data"] + rest["data"]] == [str(row.pk) for row in reversed(rows)]
    assert rest["pagination"]["next_cursor"] is None
    assert send(auditor, "GET", f"{path}?cursor=WyJubyJd").status_code == 400


@pytest.mark.parametrize(
    ("role", "status"),
    [("tenant_admin", 200), ("security_officer", 200), ("auditor", 200), ("data_steward", 403), ("viewer", 403)],
)
def test_who_may_see_backups(tenant, role, status):
    assert send(caller(tenant, role), "GET", "/backups").status_code == status
    assert opened(browser_of(tenant, role), PAGE)[0].status_code == status


def test_the_page_says_what_to_do_and_what_was_done(tenant):
    reader = browser_of(tenant, "auditor")
    empty = opened(reader, PAGE)[0].content.decode()
    assert "There is no complete backup" in empty
    assert "No backup was ever tried" in empty
    made(tenant, object_count=12_345)
    drilled(tenant)
    full = opened(reader, PAGE)[0].content.decode()
    assert "Nothing to do" in full
    assert "12,345" in full
    assert "4,242 s" in full


def test_what_is_late_or_failed_is_said(tenant):
    made(tenant, age=timedelta(days=2))
    drilled(tenant, age=timedelta(days=40))
    late, old = advice(tenant)
    assert "more than a day old" in late
    assert "more than a month old" in old
    made(tenant)
    drilled(tenant, status=DrillStatus.FAILED, age=timedelta())
    (failed,) = advice(tenant)
    assert "The last drill failed" in failed


def test_an_incomplete_failed_or_expired_backup_is_none(tenant):
    made(tenant, status=BackupStatus.INCOMPLETE)
    made(tenant, status=BackupStatus.FAILED, snapshot_at=None)
    made(tenant, expired_at=timezone.now())
    drilled(tenant)
    (missing,) = advice(tenant)
    assert "There is no complete backup" in missing


def test_a_drill_counts_for_as_long_as_it_is_asked_for(tenant, rival):
    drilled(tenant, age=timedelta(days=5))
    drilled(tenant, status=DrillStatus.FAILED, age=timedelta(days=1))
    with acting(tenant):
        assert has_passed_drill(within=timedelta(days=6))
        assert not has_passed_drill(within=timedelta(days=4))
    with acting(rival):
        assert not has_passed_drill(within=timedelta(days=6))
