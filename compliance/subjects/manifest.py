"""What was trained on data of an erased person: the list for those who train, to leave it out or to train anew."""

from collections.abc import Iterable
from typing import Any, Final
from uuid import UUID

from datasets.models import EdgeKind, LineageEdge, LineageNode, NodeType

#: Steps from a version to what was made of it, at most.
_MAX_DEPTH: Final = 64
_TRAINED: Final = frozenset({NodeType.MODEL, NodeType.RUN})


def make_manifest(erasure_id: UUID, records: dict[UUID, list[dict[str, Any]]]) -> dict[str, Any]:
    """In the open scope. ``records`` are, by dataset, what receipts say of erased records: id and leaf digests."""
    return {
        "format": "llm-data-vault/training-exclusion@v1",
        "erasure": str(erasure_id),
        "exclude": [
            {"dataset": str(dataset_id), "records": found} for dataset_id, found in sorted(records.items()) if found
        ],
        "models": _trained_on(records),
    }


def _trained_on(datasets: Iterable[UUID]) -> list[dict[str, Any]]:
    """Models and training runs that lineage says came from versions of these datasets, however indirectly."""
    roots = list(LineageNode.objects.filter(dataset_id__in=list(datasets)).values_list("pk", "dataset_id"))
    of: dict[UUID, set[UUID]] = {pk: {dataset_id} for pk, dataset_id in roots if dataset_id}
    edge: set[UUID] = set(of)
    for _ in range(_MAX_DEPTH):
        step = LineageEdge.objects.filter(source_id__in=edge).values_list("source_id", "target_id")
        edge = set()
        for source, target in step:
            if not of.get(target, set()) >= of[source]:
                of.setdefault(target, set()).update(of[source])
                edge.add(target)
        if not edge:
            break
    nodes = LineageNode.objects.filter(pk__in=of, type__in=_TRAINED).order_by("namespace", "name")
    return [_told(node, of[node.pk]) for node in nodes]


def _told(node: LineageNode, datasets: set[UUID]) -> dict[str, Any]:
    direct = LineageEdge.objects.filter(target=node, kind=EdgeKind.TRAINED, source__type=NodeType.VERSION)
    versions = direct.values_list("source__dataset_id", "source__name").order_by("source__name")
    return {
        "type": node.type,
        "namespace": node.namespace,
        "name": node.name,
        "datasets": sorted(map(str, datasets)),
        "versions": [{"dataset": str(dataset_id), "version": label} for dataset_id, label in versions],
    }
