"""The benchmarks run; what they measure is judged by people, not by this test."""

from dataclasses import asdict
from pathlib import Path

import orjson
import pytest

from tests.benchmarks.__main__ import NAMES, SMOKE, main, measure
from tests.benchmarks.figures import Cost, interleaved, table

MEMBERS = {"name", "value", "unit", "baseline", "n", "seed", "note"}


@pytest.mark.slow
def test_every_name_is_measured_and_written(tmp_path: Path) -> None:
    output = tmp_path / "bench.json"
    assert main(["--smoke", "--output", str(output)]) == 0
    figures = orjson.loads(output.read_bytes())
    assert {figure["name"].partition("/")[0] for figure in figures} == set(NAMES)
    for figure in figures:
        assert figure.keys() == MEMBERS
        assert figure["value"] >= 0
        assert figure["n"] > 0
        assert "load" in figure["note"]


def test_the_same_file_again_adds_no_chunk_and_one_edit_adds_one() -> None:
    growth, edit = measure(SMOKE, ["same_file_growth_ratio", "one_edit_chunks"])
    assert (growth.name, edit.name) == ("same_file_growth_ratio", "one_edit_chunks")
    assert growth.value == 0
    assert edit.value == 1
    assert asdict(edit).keys() == MEMBERS
    assert "one_edit_chunks" in table([growth, edit])


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--only", "no_such_thing"])
    assert "no_such_thing" in capsys.readouterr().err


def test_rounds_take_turns_in_both_orders_and_give_medians() -> None:
    told: list[str] = []

    def work(name: str, *costs: float):
        left = list(costs)

        def run() -> Cost:
            told.append(name)
            cost = left.pop(0)
            return Cost(cost, cost / 2)

        return run

    costs = interleaved(3, work("a", 1, 9, 2), work("b", 5, 5, 6))
    assert "".join(told) == "abbaab"
    assert costs == [Cost(2, 1), Cost(5, 2.5)]
