"""Families: datasets whose records are about the same people, because one came from the other or both from one source.

A privacy budget and a release ledger belong to a family, not to a dataset.
"""

from collections.abc import Iterable
from uuid import UUID

from anonymization.services.budget_terms import merge_budgets
from anonymization.services.releases import merge_releases
from datasets.family_graph import Crossing, joined_datasets
from datasets.lineage_graph import lock_graph
from datasets.models import FamilyMember, LineageEdge, LineageNode
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.scope import current_tenant_id


def family_of(dataset_id: UUID) -> UUID:
    """The family of a dataset of the scope's tenant, in the open scope."""
    known = FamilyMember.objects.filter(dataset_id=dataset_id).values_list("family_id", flat=True).first()
    return known or dataset_id


def members_of(family_id: UUID) -> list[UUID]:
    """Every dataset that is or was in a family, in the open scope; oldest first."""
    known = set(FamilyMember.objects.filter(family_id=family_id).values_list("dataset_id", flat=True))
    # A family bears the id of one of its datasets, which has no row as long as it is alone.
    return sorted(known | {family_id})


def join_by_edge(edge: LineageEdge) -> None:
    """Join what a new edge of the lineage joins, in the open scope; most edges stay within a dataset."""
    source, target = edge.source.dataset_id, edge.target.dataset_id
    if source is not None and source == target:
        return
    for datasets in joined_datasets(_crossings_around(edge)):
        join_datasets(datasets)


def join_datasets(datasets: Iterable[UUID]) -> UUID:
    """Make one family of these datasets' families, in the open scope; its id. There is no way back."""
    lock_graph(current_tenant_id())
    ids = sorted(set(datasets))
    families = sorted({family_of(dataset_id) for dataset_id in ids})
    kept, gone = families[0], families[1:]
    for family_id in gone:
        _absorb(kept, family_id)
    return kept


def _absorb(kept: UUID, gone: UUID) -> None:
    rows = [FamilyMember(dataset_id=family_id, family_id=kept) for family_id in (kept, gone)]
    FamilyMember.objects.bulk_create(rows, ignore_conflicts=True)
    FamilyMember.objects.filter(family_id=gone).update(family_id=kept)
    merge_budgets(kept, gone)
    merge_releases(kept, gone)
    facts = {"family": str(kept), "absorbed": str(gone)}
    resource = ResourceRef(type="dataset", id=str(gone), dataset_id=gone)
    emit(Event(type=EventType.FAMILY_JOINED, operation="update", resource=resource, metadata=facts))


def _crossings_around(edge: LineageEdge) -> list[Crossing]:
    """The edge, and every edge at the things outside that it hangs together with."""
    found = {edge.pk: edge}
    seen: set[UUID] = set()
    frontier = _outside([edge.source, edge.target])
    while frontier:
        seen |= frontier
        edges = LineageEdge.objects.select_related("source", "target")
        near = [*edges.filter(source_id__in=frontier), *edges.filter(target_id__in=frontier)]
        found |= {one.pk: one for one in near}
        frontier = _outside(end for one in near for end in (one.source, one.target)) - seen
    return [
        Crossing(one.source_id, one.source.dataset_id, one.target_id, one.target.dataset_id) for one in found.values()
    ]


def _outside(nodes: Iterable[LineageNode]) -> set[UUID]:
    return {node.pk for node in nodes if node.dataset_id is None}
