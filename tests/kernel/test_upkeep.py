import logging

import pytest

from vaultsite.kernel.upkeep import add_up


def test_it_adds_up_what_each_row_gives():
    assert add_up(lambda first, second: first * second, [(1, 2), (3, 4)]) == 14
    assert add_up(lambda _: 1, []) == 0


def test_the_failure_of_one_is_told_after_the_others_are_done(caplog):
    done = []

    def work(number):
        if number % 2:
            raise ValueError(f"cannot do {number}")
        done.append(number)
        return 1

    with caplog.at_level(logging.ERROR, "vault.upkeep"), pytest.raises(ValueError, match="cannot do 1"):
        add_up(work, [(0,), (1,), (2,), (3,), (4,)])
    assert done == [0, 2, 4]
    assert [record.getMessage() for record in caplog.records] == ["upkeep of 1 failed", "upkeep of 3 failed"]
