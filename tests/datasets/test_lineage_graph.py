"""The graph of what came from what, against the plainest model of it."""

from uuid import uuid4

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.errors.lineage import LineageCycle
from datasets.lineage_graph import reaches, shortest_path, walk
from datasets.models import EdgeKind, LineageEdge, LineageNode, NodeType
from datasets.services.lineage import LineageEnd, record_edge
from tests.factories.access import acting

SOMEBODY = uuid4()


def thing(name: str) -> LineageEnd:
    return LineageEnd(NodeType.SOURCE, name, namespace="tests")


def report(above: str, below: str) -> LineageEdge:
    return record_edge(kind=EdgeKind.DERIVED_FROM, source=thing(above), target=thing(below), reported_by=SOMEBODY)


def below_of(edges: set[tuple[int, int]], start: int) -> set[int]:
    found, waiting = {start}, [start]
    while waiting:
        here = waiting.pop()
        for above, below in edges:
            if above == here and below not in found:
                found.add(below)
                waiting.append(below)
    return found


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=25))
def test_an_edge_is_refused_exactly_when_it_closes_a_cycle(tenant, wanted):
    run, kept = uuid4().hex, set()
    with acting(tenant):
        for above, below in wanted:
            closes = above in below_of(kept, below)
            try:
                report(f"{run}-{above}", f"{run}-{below}")
            except LineageCycle:
                assert closes
            else:
                assert not closes
                kept.add((above, below))
        nodes = {node.name: node.pk for node in LineageNode.objects.filter(name__startswith=run)}
        for start in range(8):
            if f"{run}-{start}" not in nodes:
                continue
            wanted_names = {f"{run}-{number}" for number in below_of(kept, start)}
            graph = walk(nodes[f"{run}-{start}"], direction="downstream", depth=50)
            assert {node.name for node in graph.nodes.values()} == wanted_names
            for name, pk in nodes.items():
                path = shortest_path(nodes[f"{run}-{start}"], pk)
                assert (path is not None) == (name in wanted_names) == reaches(nodes[f"{run}-{start}"], pk)


def test_the_same_edge_twice_is_one(tenant):
    with acting(tenant):
        assert report("a", "b").pk == report("a", "b").pk


def test_a_walk_ends_at_its_depth_and_says_so(tenant):
    with acting(tenant):
        for number in range(5):
            report(f"n{number}", f"n{number + 1}")
        start = LineageNode.objects.get(name="n0").pk
        cut, whole = (walk(start, direction="downstream", depth=depth) for depth in (2, 5))
        assert (len(cut.nodes), cut.is_cut) == (3, True)
        assert (len(whole.nodes), len(whole.edges), whole.is_cut) == (6, 5, False)
        up = walk(LineageNode.objects.get(name="n3").pk, direction="both", depth=1)
        assert {node.name for node in up.nodes.values()} == {"n2", "n3", "n4"}


def test_two_edges_at_once_cannot_close_a_cycle(tenant):
    with acting(tenant):
        report("x", "y")
        with pytest.raises(LineageCycle):
            report("y", "x")
        with pytest.raises(LineageCycle):
            report("x", "x")


def test_a_walk_stops_at_its_largest_number_of_nodes(tenant):
    with acting(tenant):
        for number in range(12):
            report("hub", f"leaf-{number}")
        graph = walk(LineageNode.objects.get(name="hub").pk, direction="downstream", depth=3, limit=10)
        assert graph.is_cut
        assert len(graph.nodes) == 1
