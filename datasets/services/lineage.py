"""Record where data came from: by the vault itself as it works, and by what people and pipelines report."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Self
from uuid import UUID

from access.services.authorize import authorize
from datasets.errors.lineage import LineageCycle
from datasets.lineage_graph import lock_graph, reaches
from datasets.models import Dataset, EdgeKind, LineageEdge, LineageNode, NodeType, Version
from datasets.selectors import get_dataset, resource_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.families import join_by_edge
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_tenant_id

#: What somebody outside may report; versions and exports are the vault's own to record.
REPORTABLE: Final = (NodeType.SOURCE, NodeType.TRANSFORMATION, NodeType.MODEL, NodeType.RUN)


@dataclass(frozen=True)
class LineageEnd:
    """One end of an edge: an object of the vault by ``object_id``, or a thing outside by ``namespace`` and ``name``."""

    type: NodeType
    name: str
    object_id: UUID | None = None
    dataset_id: UUID | None = None
    namespace: str = ""

    @classmethod
    def of_version(cls, version: Version) -> Self:
        return cls(NodeType.VERSION, version.label, object_id=version.pk, dataset_id=version.dataset_id)

    @classmethod
    def of_export(cls, export_id: UUID, dataset_id: UUID, name: str) -> Self:
        return cls(NodeType.EXPORT, name[:200], object_id=export_id, dataset_id=dataset_id)


def record_edge(
    *,
    kind: EdgeKind,
    source: LineageEnd,
    target: LineageEnd,
    facts: Mapping[str, Any] | None = None,
    reported_by: UUID | None = None,
) -> LineageEdge:
    """Note in the open scope that ``target`` came from ``source``; noting it twice changes nothing.

    ``facts`` are counts, labels and ids. Raises LineageCycle.
    """
    above, _ = _node(source)
    below, is_new = _node(target)
    if below.pk == above.pk:
        raise LineageCycle
    if reported_by is not None and not is_new:  # what the vault itself records has a target made a moment ago
        lock_graph(current_tenant_id())
        if reaches(below.pk, above.pk):
            raise LineageCycle
    edge, is_new = LineageEdge.objects.get_or_create(
        kind=kind, source=above, target=below, defaults={"facts": dict(facts or {}), "reported_by": reported_by}
    )
    if is_new:
        join_by_edge(edge)
    return edge


def _node(end: LineageEnd) -> tuple[LineageNode, bool]:
    """The node of an end, and whether it was made now."""
    facts = {"dataset_id": end.dataset_id, "namespace": end.namespace, "name": end.name}
    if end.object_id is not None:
        return LineageNode.objects.get_or_create(type=end.type, object_id=end.object_id, defaults=facts)
    return LineageNode.objects.get_or_create(
        type=end.type, object_id=None, namespace=end.namespace, name=end.name, defaults={"dataset_id": None}
    )


def record_parents(version: Version) -> None:
    """The node of a new version, and the edges from its parents to it."""
    node_of(version)
    for parent, kind in ((version.parent, EdgeKind.DERIVED_FROM), (version.merge_parent, EdgeKind.MERGED_FROM)):
        if parent is not None:
            record_edge(kind=kind, source=LineageEnd.of_version(parent), target=LineageEnd.of_version(version))


def node_of(version: Version) -> LineageNode:
    """The node of a version, which it has from its commit on."""
    return _node(LineageEnd.of_version(version))[0]


@dataclass(frozen=True)
class Report:
    """What somebody says of a version: ``thing`` came from it (``is_source`` false), or it came from ``thing``."""

    kind: EdgeKind
    thing: LineageEnd
    is_source: bool = False
    facts: Mapping[str, Any] | None = None


def report_edge(principal: Principal, *, dataset_id: UUID, version: Version, report: Report) -> LineageEdge:
    """Add what a person or pipeline reports. Raises DatasetNotFound, AccessDenied, PersonalDataInText, LineageCycle."""
    dataset = get_dataset(principal, dataset_id, action="lineage.write")
    authorize(principal, "lineage.write", resource_of(dataset, version))
    thing = report.thing
    refuse_personal_data(namespace=thing.namespace, name=thing.name, **_texts(report.facts or {}))
    mine = LineageEnd.of_version(version)
    source, target = (thing, mine) if report.is_source else (mine, thing)
    edge = record_edge(kind=report.kind, source=source, target=target, facts=report.facts, reported_by=principal.id)
    emit(_reported(dataset, version, edge))
    return edge


def _texts(facts: Mapping[str, Any]) -> dict[str, str]:
    return {f"facts/{name}": f"{name} {value}" for name, value in facts.items()}


def _reported(dataset: Dataset, version: Version, edge: LineageEdge) -> Event:
    facts = {"edge": str(edge.pk), "kind": edge.kind, "source": edge.source.type, "target": edge.target.type}
    return Event(
        type=EventType.LINEAGE_REPORTED, operation="write", resource=resource_of(dataset, version), metadata=facts
    )


def visible_nodes(principal: Principal, nodes: Mapping[UUID, LineageNode]) -> dict[UUID, Dataset | None]:
    """The nodes this principal may know of, each with its dataset: None for things outside and for purged datasets."""
    wanted = {node.dataset_id for node in nodes.values() if node.dataset_id}
    shown = {dataset.pk: dataset for dataset in Dataset.objects.visible_to(principal).filter(pk__in=wanted)}
    hidden = set(Dataset.objects.filter(pk__in=wanted).values_list("pk", flat=True)) - shown.keys()
    return {
        pk: shown.get(node.dataset_id) if node.dataset_id else None
        for pk, node in nodes.items()
        if node.dataset_id not in hidden
    }
