"""Clocks: the last day for an answer, by law, at the ends of months and in leap years."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from compliance.models.request import Law, RequestType
from compliance.requests.clocks import CLOCKS, PARTICULAR, Term, add_months, clock_of, due_on, last_notice_on

GDPR, CCPA, HIPAA, LGPD = (CLOCKS[law] for law in (Law.GDPR, Law.CCPA, Law.HIPAA, Law.LGPD))


@pytest.mark.parametrize(
    ("received", "due", "extended"),
    [
        (date(2026, 1, 31), date(2026, 2, 28), date(2026, 4, 30)),
        (date(2028, 1, 31), date(2028, 2, 29), date(2028, 4, 30)),
        (date(2100, 1, 31), date(2100, 2, 28), date(2100, 4, 30)),  # a century is no leap year
        (date(2028, 1, 29), date(2028, 2, 29), date(2028, 4, 29)),
        (date(2027, 1, 29), date(2027, 2, 28), date(2027, 4, 29)),
        (date(2026, 2, 28), date(2026, 3, 28), date(2026, 5, 28)),  # not the last of March: the same date
        (date(2028, 2, 29), date(2028, 3, 29), date(2028, 5, 29)),
        (date(2026, 3, 31), date(2026, 4, 30), date(2026, 6, 30)),
        (date(2026, 8, 31), date(2026, 9, 30), date(2026, 11, 30)),
        (date(2026, 11, 30), date(2026, 12, 30), date(2027, 2, 28)),
        (date(2026, 12, 31), date(2027, 1, 31), date(2027, 3, 31)),
        (date(2026, 12, 1), date(2027, 1, 1), date(2027, 3, 1)),
    ],
)
def test_the_gdpr_gives_a_calendar_month_and_two_more(received, due, extended) -> None:
    assert due_on(GDPR, received) == due
    assert due_on(GDPR, received, is_extended=True) == extended
    assert last_notice_on(GDPR, received) == due


def test_the_whole_term_is_counted_from_receipt_and_not_from_the_first_one() -> None:
    """Three months from 30 November is the end of February, whatever December is like."""
    assert due_on(GDPR, date(2026, 11, 30), is_extended=True) == date(2027, 2, 28)
    assert add_months(add_months(date(2026, 1, 31), 1), 2) == date(2026, 4, 28) != add_months(date(2026, 1, 31), 3)


@pytest.mark.parametrize(
    ("law", "kind", "due", "extended"),
    [
        (Law.UK_GDPR, RequestType.ACCESS, date(2026, 2, 28), date(2026, 4, 30)),
        (Law.CCPA, RequestType.ACCESS, date(2026, 3, 17), date(2026, 5, 1)),
        (Law.CCPA, RequestType.OBJECTION, date(2026, 2, 20), date(2026, 2, 20)),
        (Law.CCPA, RequestType.RESTRICTION, date(2026, 2, 20), date(2026, 2, 20)),
        (Law.HIPAA, RequestType.ACCESS, date(2026, 3, 2), date(2026, 4, 1)),
        (Law.HIPAA, RequestType.RECTIFICATION, date(2026, 4, 1), date(2026, 5, 1)),
        (Law.LGPD, RequestType.ACCESS, date(2026, 2, 15), date(2026, 2, 15)),
    ],
)
def test_every_law_has_its_own_clock(law, kind, due, extended) -> None:
    received = date(2026, 1, 31)
    assert due_on(clock_of(law, kind), received) == due
    assert due_on(clock_of(law, kind), received, is_extended=True) == extended


def test_ccpa_counts_days_over_a_leap_day() -> None:
    assert due_on(CCPA, date(2028, 1, 31)) == date(2028, 3, 16)
    assert due_on(CCPA, date(2027, 1, 31)) == date(2027, 3, 17)


@pytest.mark.parametrize(
    ("received", "due"),
    [
        (date(2026, 11, 20), date(2026, 12, 11)),  # a Friday: three weeks of working days
        (date(2026, 11, 21), date(2026, 12, 11)),  # a Saturday begins as the Friday before
        (date(2026, 11, 22), date(2026, 12, 11)),
        (date(2026, 11, 23), date(2026, 12, 14)),
    ],
)
def test_working_days_pass_over_weekends(received, due) -> None:
    assert due_on(clock_of(Law.CCPA, RequestType.OBJECTION), received) == due


def test_a_clock_stands_only_where_the_law_has_it() -> None:
    received = date(2026, 1, 31)
    assert due_on(GDPR, received, paused_days=5) == date(2026, 3, 5)
    assert last_notice_on(GDPR, received, paused_days=5) == date(2026, 3, 5)
    for clock in (CCPA, HIPAA, LGPD):
        assert due_on(clock, received, paused_days=5) == due_on(clock, received)


def test_where_no_law_gives_more_time_no_notice_helps() -> None:
    assert last_notice_on(LGPD, date(2026, 1, 31)) is None
    assert last_notice_on(clock_of(Law.CCPA, RequestType.OBJECTION), date(2026, 1, 31)) is None
    assert last_notice_on(CCPA, date(2026, 1, 31)) == date(2026, 3, 17)


def test_every_law_and_type_has_a_clock_with_its_source() -> None:
    assert set(CLOCKS) == set(Law)
    for law in Law:
        for kind in RequestType:
            clock = clock_of(law, kind)
            assert clock.source
            assert str(clock.term)
    assert {law for law, _ in PARTICULAR} == {Law.CCPA, Law.HIPAA}


def test_a_term_says_what_it_is() -> None:
    assert [str(Term(months=1)), str(Term(days=45)), str(Term(working_days=15))] == [
        "1 month",
        "45 days",
        "15 working days",
    ]


@given(st.dates(date(2000, 1, 1), date(2200, 1, 1)), st.sampled_from(list(Law)), st.sampled_from(list(RequestType)))
def test_more_time_is_never_less(received, law, kind) -> None:
    clock = clock_of(law, kind)
    first, longer = due_on(clock, received), due_on(clock, received, is_extended=True)
    assert received < first <= longer
    assert first <= due_on(clock, received, paused_days=1)


@given(st.dates(date(2000, 1, 1), date(2200, 1, 1)), st.integers(1, 24))
def test_months_end_where_the_calendar_has_the_day_or_its_month_ends(start, months) -> None:
    end = add_months(start, months)
    assert (end.year * 12 + end.month) - (start.year * 12 + start.month) == months
    is_last = (end + timedelta(days=1)).month != end.month
    assert end.day == start.day or (end.day < start.day and is_last)
