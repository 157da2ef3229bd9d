"""Pruning: what the statistics of a chunk leave out holds no match, whatever is in it."""

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.query import Filter, parse_expression
from datasets.tree.statistics import ChunkStatistics, describe
from tests.datasets.query.cases import DATA, FILTERS


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(FILTERS, st.lists(DATA, min_size=1, max_size=5))
def test_a_chunk_with_a_match_is_never_left_out(node, rows):
    one = Filter(node)
    statistics = ChunkStatistics.decode(describe(rows).encode())
    if any(one.matches({"id": "r1", "data": row, "metadata": {}}) for row in rows):
        assert one.keeps(statistics)


def test_chunks_that_cannot_match_are_left_out():
    statistics = describe([{"n": number, "kind": "chat", "flag": True} for number in range(10, 20)])
    for text in (
        "n > 19",
        "n < 10",
        "n = 5",
        "n IN (1, 2, 30)",
        "n = '12'",
        "kind = 'note'",
        "kind != 'chat'",
        "kind PREFIX 'x'",
        "flag = false",
        "flag != true",
        "other EXISTS",
        "n NOT EXISTS",
        "n.deeper = 1",
        "NOT n EXISTS",
        "n > 19 AND kind = 'chat'",
        "n > 19 OR kind = 'note'",
        "kind = null",
        "kind > 'd'",
    ):
        assert not parse_expression(text).keeps(statistics), text
    for text in ("n >= 19", "n = 12", "kind = 'chat'", "id = 'x'", "metadata.a = 1", "NOT n = 12", "", "n != 12"):
        assert parse_expression(text).keeps(statistics), text
