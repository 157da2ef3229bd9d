"""Our k, l and t against pycanon's, on random tables and on what our own recoding makes of some of them."""

import json
import math
import subprocess
from pathlib import Path

import numpy as np
import pytest

from anonymization.guarantees.attained import attained
from anonymization.guarantees.grouping import group_rows
from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.methods import Method, recode
from tests.anonymization.guarantees.tables import make_table

ROOT = Path(__file__).resolve().parents[2]
ORACLE = ROOT / ".venv-oracle" / "bin" / "python"
TABLES = 50


def random_table(seed):
    random = np.random.default_rng(seed)
    rows = int(random.integers(10, 150))
    # Every value occurs and there are two at least: pycanon knows no others, and divides by their number less one.
    table = make_table(seed, rows, values=int(random.integers(2, 6)), ordered=bool(seed % 2))
    codes = table.sensitive[0].codes
    codes[: table.sensitive[0].size] = np.arange(table.sensitive[0].size)
    return table


def coarse(table, seed):
    """Classes of several rows: the columns at random levels, or recoded."""
    if seed % 5 == 0:
        return recode(table, Guarantee(3), list(Method)[seed // 5 % 2]).classes
    random = np.random.default_rng(seed)
    columns = [
        column.hierarchy.levels[random.integers(1, column.hierarchy.height + 1)][column.codes] for column in table.quasi
    ]
    return group_rows(columns, [len(column.hierarchy.texts) for column in table.quasi])[0]


def as_given(table, classes):
    # Ordered values go as numbers: that is how pycanon tells them.
    attribute = table.sensitive[0]
    values = attribute.codes.tolist() if attribute.is_ordered else [f"v{code}" for code in attribute.codes]
    return {"quasi": ["class"], "rows": [[int(one), value] for one, value in zip(classes, values, strict=True)]}


@pytest.mark.skipif(not ORACLE.exists(), reason="there is no .venv-oracle: `make .venv-oracle/.installed` makes it")
def test_k_l_and_t_are_those_that_pycanon_measures():
    tables = [random_table(seed) for seed in range(TABLES)]
    classes = [coarse(table, seed) for seed, table in enumerate(tables)]
    given = json.dumps([as_given(table, one) for table, one in zip(tables, classes, strict=True)])
    ran = subprocess.run(
        [str(ORACLE), str(ROOT / "tests/oracle/measure.py")], input=given, capture_output=True, text=True, check=True
    )
    measured = json.loads(ran.stdout)
    assert len(measured) == TABLES
    for table, one, theirs in zip(tables, classes, measured, strict=True):
        ours = attained(table, one)
        assert ours.k == theirs["k"]
        assert ours.attributes[0].distinct == theirs["distinct"]
        # pycanon cuts to a whole number, without room for rounding.
        entropy = ours.attributes[0].entropy
        assert theirs["entropy"] in {math.floor(entropy - 1e-9), math.floor(entropy + 1e-9)}
        assert ours.attributes[0].t == pytest.approx(theirs["t"], abs=1e-9)
    assert len({one["k"] for one in measured}) > 5
