import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vaultsite.kernel.identifiers import moment_of, uuid7, uuid7_from

milliseconds = st.integers(0, 2**48 - 1)
counters = st.integers(0, 2**74 - 1)


@given(milliseconds, counters)
def test_every_identifier_is_a_version_7_of_the_rfc(moment, counter):
    made = uuid7_from(moment, counter)
    assert made.version == 7
    assert made.variant == uuid.RFC_4122
    assert made == uuid7_from(moment, counter)


@given(st.lists(st.tuples(milliseconds, counters), min_size=2))
def test_identifiers_sort_by_time_then_counter(pairs):
    assert [uuid7_from(*pair) for pair in sorted(pairs)] == sorted(uuid7_from(*pair) for pair in pairs)


def test_the_example_of_the_rfc():
    """RFC 9562, appendix A.6: 2022-02-22 14:22:22 in UTC-5, rand_a 0xCC3, rand_b 0x18C4DC0C0C07398F."""
    made = uuid7_from(1645557742000, 0xCC3 << 62 | 0x18C4DC0C0C07398F)
    assert made == uuid.UUID("017f22e2-79b0-7cc3-98c4-dc0c0c07398f")
    moment = datetime(2022, 2, 22, 14, 22, 22, tzinfo=timezone(timedelta(hours=-5)))
    assert uuid7(moment).int >> 80 == made.int >> 80


def test_now_is_now():
    before = datetime.now(UTC) - timedelta(milliseconds=1)
    made = uuid7()
    moment = datetime.fromtimestamp((made.int >> 80) / 1000, UTC)
    assert before <= moment <= datetime.now(UTC)
    assert moment_of(made) == moment


def test_identifiers_of_now_order_as_they_were_made():
    made = [uuid7() for _ in range(20_000)]
    assert made == sorted(set(made))


def test_threads_never_get_the_same_place():
    with ThreadPoolExecutor(8) as pool:
        made = [one for part in pool.map(lambda _: [uuid7() for _ in range(500)], range(16)) for one in part]
    assert len({one.int >> 62 for one in made}) == len(made)


@pytest.mark.parametrize(("back", "is_followed"), [(1, False), (900, False), (2_000, True), (86_400_000, True)])
def test_a_clock_set_back_a_little_is_outlasted_and_one_set_back_far_is_followed(monkeypatch, back, is_followed):
    now = time.time_ns()
    monkeypatch.setattr(time, "time_ns", lambda: now)
    first = uuid7()
    monkeypatch.setattr(time, "time_ns", lambda: now - back * 1_000_000)
    second, third = uuid7(), uuid7()
    assert (second < first) is is_followed
    assert second < third
    assert moment_of(second) <= moment_of(first)


def test_identifiers_of_one_moment_differ():
    moment = datetime(2030, 1, 1, tzinfo=UTC)
    assert len({uuid7(moment) for _ in range(10_000)}) == 10_000


@pytest.mark.parametrize("moment", [datetime(2030, 1, 1), datetime(1969, 12, 31, tzinfo=UTC)])  # noqa: DTZ001 - refused
def test_a_moment_without_zone_or_before_1970_is_refused(moment):
    with pytest.raises(ValueError, match=r"time zone|48 bits"):
        uuid7(moment)


@pytest.mark.parametrize(("moment", "counter"), [(-1, 0), (2**48, 0), (0, -1), (0, 2**74)])
def test_what_does_not_fit_is_refused(moment, counter):
    with pytest.raises(ValueError, match="holds"):
        uuid7_from(moment, counter)
