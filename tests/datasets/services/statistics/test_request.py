"""Everything that could be learnt from the data is declared, or the request is refused."""

from decimal import Decimal

import pytest

from anonymization.privacy.amounts import Loss
from anonymization.privacy.errors import InvalidStatistics
from datasets.services.statistics.request import key_of, parse_request


def parse(*queries, **facts):
    return parse_request(**({"subject": "person", "queries": list(queries)} | facts))


COUNT = {"type": "count", "epsilon": "0.1"}
SUM = {"type": "sum", "field": "age", "bounds": [0, 100], "epsilon": 1}


def test_losses_add_up_exactly():
    asked = parse(COUNT, COUNT | {"name": "again"}, COUNT | {"name": "more", "epsilon": 0.1})
    assert asked.loss == Loss(Decimal("0.3"))


@pytest.mark.parametrize(
    ("query", "at"),
    [
        ({"type": "count"}, "/queries/0/epsilon"),
        ({"type": "count", "epsilon": 0}, "/queries/0/epsilon"),
        ({"type": "count", "epsilon": "1e3"}, "/queries/0/epsilon"),
        ({"type": "count", "epsilon": True}, "/queries/0/epsilon"),
        ({"type": "count", "epsilon": "NaN"}, "/queries/0/epsilon"),
        ({"type": "count", "epsilon": "0.10000000000000000001"}, "/queries/0/epsilon"),
        ({"type": "count", "epsilon": 1, "delta": "0.1"}, "/queries/0/delta"),
        ({"type": "count", "epsilon": 1, "bounds": [0, 1]}, "/queries/0/bounds"),
        ({"type": "median", "epsilon": 1}, "/queries/0/type"),
        ({"type": "sum", "epsilon": 1, "bounds": [0, 1]}, "/queries/0/field"),
        ({"type": "sum", "field": "age", "epsilon": 1}, "/queries/0/bounds"),
        (SUM | {"bounds": [5, 5]}, "/queries/0/bounds"),
        (SUM | {"bounds": ["0", "x"]}, "/queries/0/bounds/1"),
        (SUM | {"resolution": 0}, "/queries/0/resolution"),
        (SUM | {"resolution": "1e-25"}, "/queries/0/resolution"),
        (SUM | {"type": "quantile", "resolution": "0.001"}, "/queries/0/resolution"),
        (SUM | {"type": "quantile", "quantile": 2}, "/queries/0/quantile"),
        (SUM | {"contributions": 0}, "/queries/0/contributions"),
        (SUM | {"field": "a..b"}, "/queries/0/field"),
        (SUM | {"whatever": 1}, "/queries/0"),
        ({"type": "histogram", "field": "city", "epsilon": 1}, "/queries/0/delta"),
        ({"type": "histogram", "field": "city", "epsilon": 1, "keys": []}, "/queries/0/keys"),
        ({"type": "histogram", "field": "city", "epsilon": 1, "keys": ["a", "a"]}, "/queries/0/keys"),
        ({"type": "histogram", "field": "city", "epsilon": 1, "keys": [None]}, "/queries/0/keys"),
        ({"type": "histogram", "field": "city", "epsilon": 1, "keys": ["a"], "edges": [1, 2]}, "/queries/0/keys"),
        ({"type": "histogram", "field": "city", "epsilon": 1, "keys": ["a"], "delta": "1e-7"}, "/queries/0/delta"),
        ({"type": "histogram", "field": "age", "epsilon": 1, "edges": [2, 1]}, "/queries/0/edges"),
        (COUNT | {"name": ""}, "/queries/0/name"),
        ("count", "/queries/0"),
    ],
)
def test_what_is_missing_or_wrong_is_named(query, at):
    with pytest.raises(InvalidStatistics) as refused:
        parse(query)
    assert refused.value.errors[0].field == at


@pytest.mark.parametrize(
    ("facts", "at"),
    [({"queries": []}, "/queries"), ({"queries": [COUNT] * 2}, "/queries"), ({"subject": 5}, "/subject")],
)
def test_a_request_that_is_none_is_refused(facts, at):
    with pytest.raises(InvalidStatistics) as refused:
        parse(COUNT, **facts)
    assert refused.value.errors[0].field == at


def test_a_grid_is_a_power_of_ten_unless_declared():
    (query,) = parse(SUM).queries
    assert query.grid is not None
    assert (query.grid.low, query.grid.high, query.grid.resolution) == (0, 1000, Decimal("0.1"))
    (query,) = parse(SUM | {"resolution": 5}).queries
    assert query.grid is not None
    assert (query.grid.low, query.grid.high) == (0, 20)


def test_spellings_of_one_request_are_one_request():
    one = parse(SUM | {"bounds": ["0", "1e2"], "field": "/data/age", "epsilon": 1.0})
    assert one.as_json() == parse(SUM).as_json()
    assert one.as_json() != parse(SUM | {"bounds": [0, 99]}).as_json()


def test_keys_are_equal_where_values_are():
    assert key_of(1) == key_of(1.0) != key_of("1")
    assert key_of(True) != key_of(1)
    assert key_of(None) is None
    assert key_of("x" * 300) is None


def test_the_audit_is_told_kinds_only():
    assert parse(COUNT, SUM, filter_={"city": "Springfield"}).shape == "count,sum"
