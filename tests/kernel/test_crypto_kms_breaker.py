"""T54: a KMS that fails is left alone for a while, and asked again by one."""

from contextlib import nullcontext

import pytest

from vaultsite.kernel.crypto.kms.breaker import FAILURES, PAUSE, Breaker
from vaultsite.kernel.errors import IntegrityFailure, KeyUnavailable


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


class Asked:
    """What a KMS is asked for; ``fault`` is how it answers."""

    def __init__(self) -> None:
        self.times, self.fault = 0, KeyUnavailable

    def __call__(self) -> str:
        self.times += 1
        if self.fault:
            raise self.fault
        return "key"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def failed(clock: Clock) -> tuple[Breaker, Asked]:
    """A breaker that has just opened for "a"."""
    breaker, asked = Breaker(clock), Asked()
    for _ in range(FAILURES):
        with pytest.raises(KeyUnavailable):
            breaker.call("a", asked)
    return breaker, asked


def test_after_some_failures_in_a_row_it_is_not_asked_until_the_pause_is_over(clock, failed):
    breaker, asked = failed
    for _ in range(3):
        with pytest.raises(KeyUnavailable):
            breaker.call("a", asked)
    assert asked.times == FAILURES
    clock.now += PAUSE
    asked.fault = None
    assert breaker.call("a", asked) == "key"
    assert breaker.call("a", asked) == "key"
    assert asked.times == FAILURES + 2


def test_one_failure_after_the_pause_begins_it_again(clock, failed):
    breaker, asked = failed
    clock.now += PAUSE
    for _ in range(3):
        with pytest.raises(KeyUnavailable):
            breaker.call("a", asked)
    assert asked.times == FAILURES + 1


def test_while_one_asks_after_the_pause_the_others_are_refused(clock, failed):
    breaker, asked = failed
    clock.now += PAUSE
    asked.fault = None

    def ask() -> str:
        with pytest.raises(KeyUnavailable):
            breaker.call("a", asked)
        return asked()

    assert breaker.call("a", ask) == "key"
    assert asked.times == FAILURES + 1


def test_the_failures_of_one_are_nothing_to_the_others(failed):
    breaker, asked = failed
    asked.fault = None
    assert breaker.call("b", asked) == "key"
    with pytest.raises(KeyUnavailable):
        breaker.call("a", asked)


def test_an_answer_in_between_begins_the_count_again(clock):
    breaker, asked = Breaker(clock), Asked()
    for fault in [KeyUnavailable] * (FAILURES - 1) + [None] + [KeyUnavailable] * (FAILURES - 1):
        asked.fault = fault
        with pytest.raises(KeyUnavailable) if fault else nullcontext():
            breaker.call("a", asked)
    asked.fault = None
    assert breaker.call("a", asked) == "key"


def test_an_answer_that_is_not_the_key_is_no_failure_to_answer(clock):
    breaker, asked = Breaker(clock), Asked()
    asked.fault = IntegrityFailure
    for _ in range(2 * FAILURES):
        with pytest.raises(IntegrityFailure):
            breaker.call("a", asked)
    assert asked.times == 2 * FAILURES
