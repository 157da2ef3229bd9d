"""Rules of the last check, of risk, of utility and of suggestions."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anonymization.guarantees.attained import attained
from anonymization.guarantees.errors import GuaranteeBroken, GuaranteeUnreachable
from anonymization.guarantees.guarantee import Diversity, DiversityKind, Guarantee
from anonymization.guarantees.methods import Method, recode
from anonymization.guarantees.risk import risk_of
from anonymization.guarantees.suggest import suggest
from anonymization.guarantees.table import Sensitive, Table, encode
from anonymization.guarantees.utility import utility_of
from anonymization.guarantees.verify import Attribute, check_rows
from tests.anonymization.guarantees.tables import PLACES, make_table, released, tables

TWO = [(("a",), None, ["x"]), (("a",), None, ["y"])]


@pytest.mark.parametrize(
    ("wanted", "rows", "part"),
    [
        (Guarantee(3), TWO, "k"),
        (Guarantee(2), [(("a",), "p", ["x"]), (("a",), "p", ["y"])], "k"),
        (Guarantee(2, Diversity(DiversityKind.DISTINCT, 3)), TWO, "l"),
        (Guarantee(2, Diversity(DiversityKind.ENTROPY, 2.1)), TWO, "l"),
        (Guarantee(2, Diversity(DiversityKind.RECURSIVE, 2, 1.0)), TWO, "l"),
        (Guarantee(1, t=0.4), [(("a",), None, ["x"]), (("b",), None, ["y"])], "t"),
    ],
)
def test_the_last_check_finds_what_breaks_a_promise(wanted, rows, part):
    with pytest.raises(GuaranteeBroken) as broken:
        check_rows(rows, wanted, [Attribute()])
    assert (broken.value.code, broken.value.extra["part"]) == ("VAULT_ANON_6054", part)


def test_the_last_check_lets_pass_what_holds():
    wanted = Guarantee(2, Diversity(DiversityKind.ENTROPY, 2), t=0.1)
    assert check_rows(TWO, wanted, [Attribute()]) == 2


@settings(max_examples=80, deadline=None)
@given(table=tables(), method=st.sampled_from(Method))
def test_the_last_check_agrees_with_the_search(table, method):
    wanted = Guarantee(2, Diversity(DiversityKind.DISTINCT, 2), t=0.6, suppression=0.2)
    try:
        recoding = recode(table, wanted, method)
    except GuaranteeUnreachable:
        return
    ordered = table.sensitive[0].is_ordered
    order = [str(code) for code in range(table.sensitive[0].size)] if ordered else []
    rows = ((shown, who, [str(value)]) for shown, who, value in released(table, recoding))
    check_rows(rows, wanted, [Attribute(order)])


def test_branches_that_meet_early_are_near():
    codes = np.array([PLACES.codes["Rome"], PLACES.codes["Milan"]], np.int32)
    near = Table(make_table(1, 2).quasi, [Sensitive("city", codes, PLACES.size, tree=PLACES)])
    far = np.array([PLACES.codes["Rome"], PLACES.codes["Tokyo"]], np.int32)
    other = Table(near.quasi, [Sensitive("city", far, PLACES.size, tree=PLACES)])
    apart = np.array([0, 1])
    # Half of the rows move: one of three steps up to Italy, all three to the top.
    assert attained(near, apart).attributes[0].t == pytest.approx(1 / 6)
    assert attained(other, apart).attributes[0].t == pytest.approx(1 / 2)
    paths = {city: [PLACES.texts[level[PLACES.codes[city]]] for level in PLACES.levels] for city in ("Rome", "Milan")}
    with pytest.raises(GuaranteeBroken):
        check_rows(
            [(("a",), None, ["Rome"]), (("b",), None, ["Milan"])], Guarantee(1, t=0.16), [Attribute(paths=paths)]
        )


def test_risk_of_three_attackers():
    risk = risk_of(np.array([1, 4]), np.array([1, 4]))
    assert (risk.prosecutor, risk.marketer, risk.unique) == (1.0, 0.4, 0.2)
    assert risk.records_at_risk == 1.0  # a fourth is above a fifth
    around = risk_of(np.array([1, 4]), np.array([1, 4]), population=np.array([10, 8]))
    assert (around.prosecutor, around.journalist) == (1.0, 0.125)


def test_a_dropped_row_costs_all_of_its_cells():
    table = make_table(2, 60)
    recoding = recode(table, Guarantee(5, suppression=0.3), Method.GLOBAL)
    utility = utility_of(recoding, 5)
    assert utility.information_loss >= utility.dropped / 60
    assert utility.average_class_size >= 1


def test_columns_that_tell_people_apart_are_suggested():
    random = np.random.default_rng(4)
    columns = {
        "id": encode([f"u{number}" for number in range(400)])[0],
        "age": random.integers(0, 60, 400).astype(np.int32),
        "zip": random.integers(0, 80, 400).astype(np.int32),
        "constant": np.zeros(400, np.int32),
    }
    found = suggest(columns)
    assert found.identifiers == ("id",)
    assert found.quasi_identifiers == ("age", "zip")
    assert found.combinations[0].columns == ("zip", "age")
    assert found.combinations[0].unique > 0.5
