"""The lineage of a dataset as a picture, and as a table for who would rather read."""

from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.http import urlencode

from access.services.authorize import may
from datasets.lineage_graph import Graph, walk
from datasets.lineage_picture import BOX_HEIGHT, BOX_WIDTH, draw
from datasets.models import Dataset, EdgeKind, LineageNode, NodeType
from datasets.pages.page import open_dataset, render_page
from datasets.selectors import find_version, find_version_or_none, list_versions
from datasets.services.lineage import REPORTABLE, LineageEnd, Report, node_of, report_edge, visible_nodes
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.ports import resolve_principal

DEPTHS: Final = (1, 2, 3, 5, 10, 20)
_DEFAULT_DEPTH: Final = 3
_WAYS: Final = ("both", "upstream", "downstream")
#: More boxes than this are no picture any more.
_DRAWN: Final = 300
_VERSIONS: Final = 100
_LONGEST_NAME: Final = 200


def lineage_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """GET draws; POST adds what happened outside the vault."""
    if request.method == "POST":
        return _report(request, dataset_id)
    dataset = open_dataset(request, dataset_id, action="version.read")
    principal = resolve_principal(request)
    name = request.GET.get("version", "")[:100] or "main"
    direction = request.GET.get("direction", "both")
    context: dict[str, Any] = {
        "title": f"Lineage of {dataset.name}",
        "versions": list_versions(dataset, after=None, limit=_VERSIONS),
        "chosen": name,
        "direction": direction if direction in _WAYS else "both",
        "ways": _WAYS,
        "depth": _depth(request),
        "depths": DEPTHS,
        "kinds": EdgeKind.choices,
        "things": [(kind.value, kind.label) for kind in REPORTABLE],
        "may_report": may(principal, "lineage.write"),
        "box": {"width": BOX_WIDTH, "height": BOX_HEIGHT},
    }
    version = find_version_or_none(dataset, name)
    if version is not None:
        graph = walk(node_of(version).pk, direction=context["direction"], depth=context["depth"], limit=_DRAWN)
        datasets = visible_nodes(principal, graph.nodes)
        context |= {
            "version": version,
            "picture": draw(graph, _titles(graph, datasets)),
            "is_cut": graph.is_cut,
            "hidden": len(graph.nodes) - len(datasets),
        }
    return render_page(request, "vault/lineage.html", context, dataset=dataset, tab="datasets_lineage")


def _depth(request: HttpRequest) -> int:
    given = request.GET.get("depth", "")
    return int(given) if given in map(str, DEPTHS) else _DEFAULT_DEPTH


def _titles(graph: Graph, datasets: dict[UUID, Dataset | None]) -> dict[UUID, tuple[str, str, str]]:
    return {pk: _title(graph.nodes[pk], dataset) for pk, dataset in datasets.items()}


def _title(node: LineageNode, dataset: Dataset | None) -> tuple[str, str, str]:
    """Title, subtitle and address of a box."""
    if node.dataset_id is None:
        return node.name, f"{node.get_type_display()} · {node.namespace}", ""
    if dataset is None:
        return node.name, f"{node.get_type_display()} · of a purged dataset", ""
    url = ""
    if node.type == NodeType.VERSION:
        url = f"{reverse('admin:datasets_lineage', args=[dataset.pk])}?{urlencode({'version': str(node.object_id)})}"
    return f"{dataset.name} {node.name}", str(node.get_type_display()), url


def _report(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    principal = resolve_principal(request)
    dataset = open_dataset(request, dataset_id, action="lineage.write")
    members = ("kind", "type", "namespace", "name", "version", "way")
    given = {name: request.POST.get(name, "").strip() for name in members}
    problems = [
        FieldProblem(name, f"1 to {_LONGEST_NAME} characters")
        for name in ("namespace", "name")
        if not 1 <= len(given[name]) <= _LONGEST_NAME
    ]
    if given["kind"] not in EdgeKind.values or given["type"] not in {kind.value for kind in REPORTABLE}:
        problems.append(FieldProblem("kind", "is not one of those offered"))
    if problems:
        raise InvalidInput(errors=problems)
    thing = LineageEnd(NodeType(given["type"]), given["name"], namespace=given["namespace"])
    report = Report(EdgeKind(given["kind"]), thing, is_source=given["way"] == "source")
    report_edge(principal, dataset_id=dataset.pk, version=find_version(dataset, given["version"]), report=report)
    messages.success(request, "The lineage has one more edge.")
    where = reverse("admin:datasets_lineage", args=[dataset.pk])
    return HttpResponseRedirect(f"{where}?{urlencode({'version': given['version']})}")
