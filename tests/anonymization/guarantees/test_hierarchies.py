"""Rules of hierarchies: what they refuse, what they cost, and how they are made from values."""

import numpy as np
import pytest

from anonymization.guarantees.errors import InvalidGuarantee, InvalidHierarchy, LatticeTooLarge, ValueOutsideHierarchy
from anonymization.guarantees.fulldomain import recode_globally
from anonymization.guarantees.guarantee import Diversity, DiversityKind, Guarantee
from anonymization.guarantees.hierarchy import Hierarchy, parse_hierarchy
from anonymization.guarantees.made import dates, flat, intervals, prefixes
from anonymization.guarantees.table import Quasi, Table


def labels(hierarchy, value):
    code = hierarchy.codes[value]
    return [hierarchy.texts[level[code]] for level in hierarchy.levels]


def test_a_table_as_arx_ships_it_is_read():
    hierarchy = parse_hierarchy("a;x;*\nb;x;*\nc;y;*\n")
    assert labels(hierarchy, "b") == ["b", "x", "*"]
    assert hierarchy.loss[hierarchy.texts.index("x")] == pytest.approx(2 / 3)
    assert hierarchy.loss[hierarchy.texts.index("y")] == 0
    assert hierarchy.loss[hierarchy.top] == 1


def test_a_top_is_added_where_the_last_labels_differ():
    assert labels(parse_hierarchy("a,x\nb,y\n"), "a") == ["a", "x", "*"]


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [("a", "x"), ("b",)],
        [("a", "*"), ("a", "*")],
        [("a", "x", "p", "*"), ("b", "x", "q", "*")],
        [tuple("abcdefghijklmnopq")],
    ],
)
def test_contradicting_tables_are_refused(rows):
    with pytest.raises(InvalidHierarchy) as refused:
        Hierarchy.of(rows)
    assert refused.value.code == "VAULT_ANON_6050"


def test_a_value_without_a_line_is_refused_and_not_named():
    with pytest.raises(ValueOutsideHierarchy) as refused:
        flat(["a"]).encode(["secret"], column="kind")
    assert (refused.value.code, "secret" in str(refused.value)) == ("VAULT_ANON_6051", False)


def test_intervals_prefixes_and_dates_widen():
    assert labels(intervals(["7", "12", ""], [5, 10]), "7") == ["7", "[5, 10)", "[0, 10)", "*"]
    assert labels(intervals(["7", ""], [5]), "") == ["", "", "*"]
    assert labels(prefixes(["10115", "80331"], [3, 1]), "10115") == ["10115", "101**", "1****", "*"]
    assert labels(dates(["2026-03-05T10:17:03+00:00"], ["hour", "month", "year"]), "2026-03-05T10:17:03+00:00") == [
        "2026-03-05T10:17:03+00:00", "2026-03-05T10:00", "2026-03", "2026", "*",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "make",
    [
        lambda: intervals(["x"], [5]),
        lambda: intervals(["nan"], [5]),
        lambda: intervals(["1"], []),
        lambda: intervals(["1"], [5, 7]),
        lambda: prefixes(["1"], [2, 3]),
        lambda: prefixes(["1"], [0]),
        lambda: dates(["yesterday"], ["day"]),
        lambda: dates(["2026-01-01"], ["year", "day"]),
        lambda: parse_hierarchy("a;*\n", is_ordered=True),
    ],
)
def test_hierarchies_that_cannot_be_made_are_refused(make):
    with pytest.raises(InvalidHierarchy):
        make()


@pytest.mark.parametrize(
    "make",
    [
        lambda: Guarantee(0),
        lambda: Guarantee(2, t=0.0),
        lambda: Guarantee(2, suppression=1.5),
        lambda: Diversity(DiversityKind.DISTINCT, 2.5),
        lambda: Diversity(DiversityKind.ENTROPY, 0.5),
    ],
)
def test_impossible_promises_are_refused(make):
    with pytest.raises(InvalidGuarantee) as refused:
        make()
    assert refused.value.code == "VAULT_ANON_6053"


def test_a_lattice_has_a_limit():
    tall = Hierarchy.of([("a", *"bcdefgh", "*")])
    columns = [Quasi(f"c{place}", np.zeros(3, np.int32), tall) for place in range(7)]
    with pytest.raises(LatticeTooLarge) as refused:
        recode_globally(Table(columns), Guarantee(2))
    assert refused.value.code == "VAULT_ANON_6055"
