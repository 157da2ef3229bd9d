"""REST: lineage of versions, OpenLineage events in and out."""

from collections.abc import Iterable
from typing import Any
from uuid import UUID

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from access.services.authorize import authorize
from datasets import lineage_graph
from datasets.errors.lineage import NoLineagePath
from datasets.lineage_graph import Graph
from datasets.models import EdgeKind, LineageEdge, LineageNode, NodeType, Version
from datasets.selectors import find_version, get_dataset, resource_of
from datasets.services.lineage import REPORTABLE, LineageEnd, Report, node_of, report_edge, visible_nodes
from datasets.services.openlineage import accept_event, version_event
from vaultsite.kernel.api.inputs import StrictInput
from vaultsite.kernel.api.views import VaultAPIView

VERSION = OpenApiParameter("version", OpenApiTypes.STR, description="label, branch, tag, number or id; default main")


class ThingInput(serializers.Serializer[Any]):
    """Something outside the vault, named as OpenLineage names it."""

    type = serializers.ChoiceField(choices=[(kind.value, kind.label) for kind in REPORTABLE])
    namespace = serializers.CharField(max_length=200)
    name = serializers.CharField(max_length=200)


class EdgeInput(StrictInput):
    """``thing`` came from the version, or with ``is_source`` the version from it."""

    kind = serializers.ChoiceField(choices=EdgeKind.choices)
    version = serializers.CharField(max_length=100, required=False, default="main")
    thing = ThingInput()
    is_source = serializers.BooleanField(required=False, default=False)
    facts = serializers.DictField(
        child=serializers.CharField(max_length=200, allow_blank=True), required=False, default=dict
    )

    def validate_facts(self, value: dict[str, str]) -> dict[str, str]:
        if len(value) > 20 or any(len(name) > 64 for name in value):  # noqa: PLR2004 - said in the message
            raise serializers.ValidationError("at most 20 facts with names of at most 64 characters")
        return value

    def report(self) -> Report:
        given = self.validated_data
        thing = LineageEnd(
            NodeType(given["thing"]["type"]), given["thing"]["name"], namespace=given["thing"]["namespace"]
        )
        return Report(EdgeKind(given["kind"]), thing, given["is_source"], given["facts"])


class WalkInput(serializers.Serializer[Any]):
    """Query parameters of a walk."""

    version = serializers.CharField(max_length=100, required=False, default="main")
    direction = serializers.ChoiceField(choices=["upstream", "downstream", "both"], required=False, default="both")
    depth = serializers.IntegerField(min_value=1, max_value=50, required=False, default=5)


class NodeOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    type = serializers.ChoiceField(choices=NodeType.choices)
    name = serializers.CharField()
    namespace = serializers.CharField()
    object_id = serializers.UUIDField(allow_null=True)
    dataset_id = serializers.UUIDField(allow_null=True)
    dataset = serializers.CharField(allow_null=True)
    depth = serializers.IntegerField()


class EdgeOutput(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    kind = serializers.ChoiceField(choices=EdgeKind.choices)
    source = serializers.UUIDField()  # type: ignore[assignment]
    target = serializers.UUIDField()
    facts = serializers.DictField()
    reported_by = serializers.UUIDField(allow_null=True)
    created_at = serializers.DateTimeField()


class GraphOutput(serializers.Serializer[Any]):
    """``is_cut``: there is more than was asked for. ``hidden``: nodes that the reader may not know of."""

    start = serializers.UUIDField()
    nodes = NodeOutput(many=True)
    edges = EdgeOutput(many=True)
    is_cut = serializers.BooleanField()
    hidden = serializers.IntegerField()


class DatasetLineageView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(parameters=[WalkInput], responses=GraphOutput)
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """What a version came from and what was made of it."""
        query = WalkInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        given = query.validated_data
        version = self._version(dataset_id, given["version"])
        graph = lineage_graph.walk(node_of(version).pk, direction=given["direction"], depth=given["depth"])
        return Response(self._shown(graph))

    @extend_schema(request=EdgeInput, responses={201: EdgeOutput})
    def post(self, request: Request, dataset_id: UUID) -> Response:
        """Report a training run, a model, a transformation or a source outside the vault."""
        body = EdgeInput(data=request.data)
        body.is_valid(raise_exception=True)
        dataset = get_dataset(self.principal, dataset_id, action="lineage.write")
        version = find_version(dataset, body.validated_data["version"])
        edge = report_edge(self.principal, dataset_id=dataset_id, version=version, report=body.report())
        return Response(edge_json(edge), status=201)

    def _version(self, dataset_id: UUID, name: str) -> Version:
        dataset = get_dataset(self.principal, dataset_id, action="version.read")
        authorize(self.principal, "version.read", resource_of(dataset))
        return find_version(dataset, name)

    def _shown(self, graph: Graph) -> dict[str, Any]:
        datasets = visible_nodes(self.principal, graph.nodes)
        shown = [graph.nodes[pk] for pk in sorted(datasets, key=lambda pk: (graph.depths[pk], str(pk)))]
        return {
            "start": str(graph.start),
            "nodes": [
                _node_json(node, graph.depths[node.pk], getattr(datasets[node.pk], "name", None)) for node in shown
            ],
            "edges": [edge_json(edge) for edge in _among(graph.edges.values(), datasets)],
            "is_cut": graph.is_cut,
            "hidden": len(graph.nodes) - len(shown),
        }


class ImpactView(DatasetLineageView):
    http_method_names = ["get", "head", "options"]

    @extend_schema(parameters=[VERSION], responses=GraphOutput)
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """Everything that was made of a version, however far down: what a change or an erasure there reaches."""
        version = self._version(dataset_id, request.query_params.get("version", "main"))
        graph = lineage_graph.walk(node_of(version).pk, direction="downstream", depth=10_000)
        return Response(self._shown(graph))


class PathView(DatasetLineageView):
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        parameters=[VERSION, OpenApiParameter("to", OpenApiTypes.UUID, required=True, description="id of a node")],
        responses=GraphOutput,
    )
    def get(self, request: Request, dataset_id: UUID) -> Response:
        """The shortest way from a version down to another node of the lineage."""
        query = PathInput(data=request.query_params)
        query.is_valid(raise_exception=True)
        start = node_of(self._version(dataset_id, query.validated_data["version"])).pk
        edges = lineage_graph.shortest_path(start, query.validated_data["to"])
        graph = _path_graph(start, edges or [])
        if edges is None or len(visible_nodes(self.principal, graph.nodes)) < len(graph.nodes):
            raise NoLineagePath
        return Response(self._shown(graph))


class PathInput(serializers.Serializer[Any]):
    version = serializers.CharField(max_length=100, required=False, default="main")
    to = serializers.UUIDField()


class OpenLineageView(VaultAPIView):
    resource_type = "lineage"

    @extend_schema(request=OpenApiTypes.OBJECT, responses={201: OpenApiTypes.OBJECT})
    def post(self, request: Request) -> Response:
        """Take in an OpenLineage run event; datasets of the namespace ``llm-data-vault://<tenant>`` are ours."""
        accepted = accept_event(self.principal, request.data)
        return Response({"run_id": accepted.run_id, "edges": [edge_json(edge) for edge in accepted.edges]}, status=201)


class VersionEventView(VaultAPIView):
    resource_type = "dataset"

    @extend_schema(responses=OpenApiTypes.OBJECT)
    def get(self, _: Request, dataset_id: UUID, version: str) -> Response:
        """The OpenLineage run event of the job that made a version."""
        return Response(version_event(self.principal, dataset_id=dataset_id, version=version))


def _path_graph(start: UUID, edges: list[LineageEdge]) -> Graph:
    depths = {start: 0} | {edge.target_id: index for index, edge in enumerate(edges, start=1)}
    nodes = {node.pk: node for node in LineageNode.objects.filter(pk__in=list(depths))}
    return Graph(start, depths, {edge.pk: edge for edge in edges}, nodes)


def _among(edges: Iterable[LineageEdge], shown: Iterable[UUID]) -> list[LineageEdge]:
    ids = set(shown)
    return sorted((edge for edge in edges if {edge.source_id, edge.target_id} <= ids), key=lambda edge: str(edge.pk))


def _node_json(node: LineageNode, depth: int, dataset: str | None) -> dict[str, Any]:
    return {
        "id": str(node.pk),
        "type": node.type,
        "name": node.name,
        "namespace": node.namespace,
        "object_id": node.object_id and str(node.object_id),
        "dataset_id": node.dataset_id and str(node.dataset_id),
        "dataset": dataset,
        "depth": depth,
    }


def edge_json(edge: LineageEdge) -> dict[str, Any]:
    return {
        "id": str(edge.pk),
        "kind": edge.kind,
        "source": str(edge.source_id),
        "target": str(edge.target_id),
        "facts": edge.facts,
        "reported_by": edge.reported_by and str(edge.reported_by),
        "created_at": edge.created_at,
    }
