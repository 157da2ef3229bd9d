"""The clocks of the law: every figure of them, with days that have 23 hours and years that have 366 days."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from compliance.incidents.clocks import (
    Audience,
    Duty,
    Facts,
    Status,
    days_after,
    duties,
    next_due,
    year_log_due,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
BOTH = frozenset({"gdpr", "hipaa"})


def facts(**given) -> Facts:
    return Facts(**({"laws": BOTH, "discovered_at": NOON, "aware_at": NOON} | given))


def duty(code: str, given: Facts, now: datetime = NOON) -> Duty:
    return next(one for one in duties(given, now) if one.code == code)


def local(zone: str, *parts: int) -> datetime:
    return datetime(*parts, tzinfo=ZoneInfo(zone))


def test_the_authority_is_told_within_72_hours_whatever_day_it_is() -> None:
    friday = datetime(2026, 12, 25, 17, 30, tzinfo=UTC)
    found = duty("gdpr.authority", facts(aware_at=friday))
    assert found.due_at == datetime(2026, 12, 28, 17, 30, tzinfo=UTC), "holidays and the weekend count"


@pytest.mark.parametrize(
    ("aware", "due"),
    [
        # The clocks of Berlin go forward on 2026-03-29 and back on 2026-10-25: 72 hours are 72 hours.
        ((2026, 3, 27, 12), (2026, 3, 30, 13)),
        ((2026, 10, 23, 12), (2026, 10, 26, 11)),
        ((2028, 2, 27, 12), (2028, 3, 1, 12)),  # over a leap day
    ],
)
def test_72_hours_are_hours_that_pass(aware, due) -> None:
    found = duty("gdpr.authority", facts(aware_at=local("Europe/Berlin", *aware), zone="Europe/Berlin"))
    assert found.due_at == local("Europe/Berlin", *due)


def test_the_authoritys_clock_waits_for_awareness_and_ends_where_no_risk_is_likely() -> None:
    assert duty("gdpr.authority", facts(aware_at=None)).status is Status.UNDECIDED
    assert duty("gdpr.authority", facts(gdpr_risk="none")).status is Status.NOT_DUE
    for risk in ("", "risk", "high"):
        assert duty("gdpr.authority", facts(gdpr_risk=risk)).status is Status.RUNNING


def test_the_last_second_is_in_time_and_the_next_is_not() -> None:
    end = NOON + timedelta(hours=72)
    assert duty("gdpr.authority", facts(), end).status is Status.RUNNING
    assert duty("gdpr.authority", facts(), end + timedelta(seconds=1)).status is Status.OVERDUE
    told = facts(sent={Audience.AUTHORITY: end})
    assert duty("gdpr.authority", told, end + timedelta(days=9)).status is Status.MET
    late = facts(sent={Audience.AUTHORITY: end + timedelta(seconds=1)})
    assert duty("gdpr.authority", late, end + timedelta(days=9)).status is Status.LATE


@pytest.mark.parametrize(
    ("risk", "exception", "status"),
    [
        ("", "", Status.UNDECIDED),
        ("none", "", Status.NOT_DUE),
        ("risk", "", Status.NOT_DUE),
        ("high", "", Status.OPEN),
        ("high", "unintelligible", Status.NOT_DUE),
    ],
)
def test_persons_are_told_of_a_high_risk_without_undue_delay(risk, exception, status) -> None:
    found = duty("gdpr.persons", facts(gdpr_risk=risk, exception=exception))
    assert (found.status, found.due_at) == (status, None)


def test_a_processor_tells_its_controller_and_nobody_else() -> None:
    found = {one.code: one.status for one in duties(facts(is_processor=True), NOON)}
    assert found == {
        "gdpr.authority": Status.NOT_DUE,
        "gdpr.persons": Status.NOT_DUE,
        "gdpr.controller": Status.OPEN,
        "hipaa.persons": Status.NOT_DUE,
        "hipaa.hhs": Status.NOT_DUE,
        "hipaa.media": Status.NOT_DUE,
        "hipaa.entity": Status.RUNNING,
    }


@pytest.mark.parametrize(
    ("discovered", "due"),
    [
        # New York: the clocks go back on 2026-11-01 and forward on 2026-03-08; days are those of the calendar there.
        ((2026, 10, 1, 9), (2026, 11, 30, 23, 59, 59)),
        ((2026, 2, 1, 23, 30), (2026, 4, 2, 23, 59, 59)),
        ((2027, 12, 31, 0, 1), (2028, 2, 29, 23, 59, 59)),
    ],
)
def test_60_days_are_days_of_the_calendar_where_the_breach_was_discovered(discovered, due) -> None:
    zone = "America/New_York"
    found = duty("hipaa.persons", facts(discovered_at=local(zone, *discovered), zone=zone))
    assert found.due_at == local(zone, *due)


def test_the_day_of_discovery_is_that_of_the_zone() -> None:
    moment = datetime(2026, 6, 1, 2, tzinfo=UTC)  # still 31 May in New York
    assert days_after(moment, 60, "UTC") == local("UTC", 2026, 7, 31, 23, 59, 59)
    assert days_after(moment, 60, "America/New_York") == local("America/New_York", 2026, 7, 30, 23, 59, 59)


@pytest.mark.parametrize(("year", "due"), [(2026, (2027, 3, 1)), (2027, (2028, 2, 29)), (2028, (2029, 3, 1))])
def test_the_log_of_a_year_is_due_60_days_after_its_end(year, due) -> None:
    assert year_log_due(year, "UTC") == local("UTC", *due, 23, 59, 59)


@pytest.mark.parametrize(
    ("persons", "due", "is_yearly"),
    [
        (499, local("UTC", 2027, 3, 1, 23, 59, 59), True),
        (500, local("UTC", 2027, 1, 19, 23, 59, 59), False),
        (None, local("UTC", 2027, 1, 19, 23, 59, 59), False),
    ],
)
def test_hhs_is_told_with_the_persons_from_500_and_by_the_year_below(persons, due, is_yearly) -> None:
    found = duty("hipaa.hhs", facts(persons=persons))
    assert (found.due_at, found.is_yearly) == (due, is_yearly)


def test_the_year_of_the_log_is_that_of_the_zone() -> None:
    moment = datetime(2027, 1, 1, 3, tzinfo=UTC)
    assert duty("hipaa.hhs", facts(discovered_at=moment, persons=1)).due_at == year_log_due(2027, "UTC")
    found = duty("hipaa.hhs", facts(discovered_at=moment, persons=1, zone="America/New_York"))
    assert found.due_at == year_log_due(2026, "America/New_York")


@pytest.mark.parametrize(
    ("persons", "residents", "status"),
    [
        (1200, {"CA": 501, "NY": 400}, Status.RUNNING),
        (1200, {"CA": 500, "NY": 500}, Status.NOT_DUE),
        (1200, {}, Status.UNDECIDED),
        (None, {}, Status.UNDECIDED),
        (500, {}, Status.NOT_DUE),
    ],
)
def test_the_media_are_told_where_more_than_500_live_in_one_state(persons, residents, status) -> None:
    assert duty("hipaa.media", facts(persons=persons, residents=residents)).status is status


def test_a_breach_is_presumed_until_the_factors_show_a_low_probability() -> None:
    for code in ("hipaa.persons", "hipaa.hhs"):
        assert duty(code, facts()).status is Status.RUNNING
        assert duty(code, facts(hipaa="breach")).status is Status.RUNNING
        assert duty(code, facts(hipaa="low_probability")).status is Status.NOT_DUE


def test_only_the_laws_that_apply_have_clocks_and_none_has_what_was_no_breach() -> None:
    assert {one.law for one in duties(facts(laws=frozenset({"hipaa"})), NOON)} == {"hipaa"}
    assert {one.status for one in duties(facts(is_dismissed=True), NOON)} == {Status.NOT_DUE}


def test_the_next_end_is_that_of_the_first_clock_that_runs() -> None:
    assert next_due(duties(facts(), NOON)) == NOON + timedelta(hours=72)
    told = facts(sent={Audience.AUTHORITY: NOON})
    assert next_due(duties(told, NOON)) == local("UTC", 2027, 1, 19, 23, 59, 59)
    assert next_due(duties(facts(is_dismissed=True), NOON)) is None
