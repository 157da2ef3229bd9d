"""A clock that jumps drops no month: neither this host's alone, nor that of the machine."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from audit.proofs.clock import database_time, why_doubted
from tests.audit.archive.moving import happened
from tests.audit.archive.test_months import online
from tests.factories.audit import make_event, record
from vaultsite.management.commands import maintain

AHEAD = timedelta(days=20)


class Ahead(datetime):
    """The clock of a host that is ahead."""

    @classmethod
    def now(cls, tz=None):
        return datetime.now(tz) + AHEAD


def refused(**asked) -> str:
    problems = StringIO()
    with pytest.raises(CommandError, match="no month of the audit is dropped or archived") as doubt:
        call_command("maintain", stdout=StringIO(), stderr=problems, **asked)
    assert doubt.value.returncode == 3
    assert str(doubt.value) in problems.getvalue()
    return str(doubt.value)


def test_months_stay_when_the_clock_of_this_host_is_not_that_of_the_database(tenant, month, monkeypatch) -> None:
    events = happened(tenant.pk, month)
    with monkeypatch.context() as patch:
        patch.setattr(maintain, "datetime", Ahead)
        assert "more than 10 minutes apart" in refused()
        assert "more than 10 minutes apart" in refused(confirm_clock=True)
    assert online(tenant, *events) == 3
    call_command("maintain", stdout=StringIO(), stderr=StringIO())
    assert online(tenant, *events) == 0


def test_months_stay_after_a_long_silence_until_somebody_confirms_the_time(tenant, month, monkeypatch) -> None:
    events = happened(tenant.pk, month)
    monkeypatch.setattr(maintain, "datetime", Ahead)
    monkeypatch.setattr(maintain, "database_time", lambda: database_time() + AHEAD)
    assert "no event was recorded for more than 26 hours" in refused()
    problems = StringIO()
    call_command("maintain", at_start=True, stdout=StringIO(), stderr=problems)
    assert "no event was recorded for more than 26 hours" in problems.getvalue()
    assert online(tenant, *events) == 3
    call_command("maintain", confirm_clock=True, stdout=StringIO(), stderr=StringIO())
    assert online(tenant, *events) == 0


@pytest.mark.parametrize(("minutes", "is_apart"), [(9, False), (-9, False), (11, True), (-11, True)])
def test_two_clocks_may_differ_by_ten_minutes(tenant, minutes, is_apart) -> None:
    record(tenant.pk, make_event())
    now = database_time()
    assert abs(now - datetime.now(UTC)) < timedelta(minutes=1)
    doubt = why_doubted(now, process_now=now + timedelta(minutes=minutes), is_confirmed=False)
    assert bool(doubt) == is_apart
