"""Take in what a pipeline reports by OpenLineage: edges between versions, the run, and things outside."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import orjson

from access.selectors import current_tenant
from access.services.authorize import authorize
from datasets.errors import DatasetNotFound
from datasets.errors.lineage import InvalidOpenLineageEvent
from datasets.models import Dataset, EdgeKind, LineageEdge, NodeType
from datasets.openlineage.events import SCHEME, event_of, namespace_of
from datasets.openlineage.schema import run_event_validator
from datasets.selectors import find_version, get_dataset, resource_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.lineage import LineageEnd, record_edge
from vaultsite.kernel.errors import FieldProblem
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType, ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Events of runs that made nothing.
_WITHOUT_RESULT: Final = frozenset({"START", "ABORT", "FAIL"})
_PROBLEMS_SHOWN: Final = 20
_NAME: Final = 200


@dataclass(frozen=True)
class Accepted:
    """``edges`` are those the event told of; it may tell of none."""

    run_id: str
    edges: list[LineageEdge]


def version_event(principal: Principal, *, dataset_id: UUID, version: str) -> dict[str, Any]:
    """The run event of one version. Raises DatasetNotFound, VersionNotFound, AccessDenied."""
    dataset = get_dataset(principal, dataset_id, action="version.read")
    authorize(principal, "version.read", resource_of(dataset))
    return event_of(find_version(dataset, version), slug=current_tenant().slug, dataset=dataset)


def accept_event(principal: Principal, event: Any) -> Accepted:
    """Record the edges of a run event in the open scope; the same event again changes nothing.

    Inputs and outputs in our namespace must name versions the principal may know; everything else is a thing outside.
    Raises InvalidOpenLineageEvent, DatasetNotFound, VersionNotFound, AccessDenied, PersonalDataInText, LineageCycle.
    """
    _require_valid(event)
    authorize(principal, "lineage.write", ResourceRef(type="lineage"), facts={"run": event["run"]["runId"]})
    run_id = event["run"]["runId"]
    if event.get("eventType") in _WITHOUT_RESULT:
        return Accepted(run_id, [])
    run, is_training = _run_of(event)
    ends = {way: [_end(principal, item, way) for item in event.get(way, [])] for way in ("inputs", "outputs")}
    told = enumerate((run, *ends["inputs"], *ends["outputs"]))
    refuse_personal_data(**{f"name/{i}": f"{end.namespace} {end.name}" for i, end in told})
    into = EdgeKind.TRAINED if is_training else EdgeKind.TRANSFORMED_BY
    facts = {"event_time": event["eventTime"]}
    edges = [record_edge(kind=into, source=end, target=run, facts=facts, reported_by=principal.id)
             for end in ends["inputs"]]  # fmt: skip
    edges += [record_edge(kind=EdgeKind.DERIVED_FROM, source=run, target=end, facts=facts, reported_by=principal.id)
              for end in ends["outputs"]]  # fmt: skip
    _emit(run_id, edges)
    return Accepted(run_id, edges)


def _require_valid(event: Any) -> None:
    if "\\u0000" in orjson.dumps(event).decode():  # no text of the database holds one
        raise InvalidOpenLineageEvent(errors=[FieldProblem("/", "holds a character that no name has")])
    found = sorted(run_event_validator().iter_errors(event), key=lambda error: list(map(str, error.absolute_path)))
    if found:
        # The validator's own message would quote what was sent.
        problems = [
            FieldProblem("/" + "/".join(map(str, error.absolute_path)), f"breaks the rule {error.validator}")
            for error in found[:_PROBLEMS_SHOWN]
        ]
        raise InvalidOpenLineageEvent(errors=problems)


def _run_of(event: Mapping[str, Any]) -> tuple[LineageEnd, bool]:
    """The node of the run, and whether it trained something, as its ``jobType`` facet says."""
    job = event["job"]
    kind = str(job.get("facets", {}).get("jobType", {}).get("jobType", "")).upper()
    is_training = "TRAIN" in kind or "FINE_TUN" in kind
    name = f"{job['name'][: _NAME - 37]}/{event['run']['runId']}"
    node = NodeType.RUN if is_training else NodeType.TRANSFORMATION
    return LineageEnd(node, name, namespace=job["namespace"][:_NAME]), is_training


def _end(principal: Principal, item: Mapping[str, Any], way: str) -> LineageEnd:
    facets = item.get("facets", {})
    if item["namespace"].startswith(SCHEME):
        return _own(principal, item, facets, action="lineage.write" if way == "outputs" else "version.read")
    kind = str(facets.get("datasetType", {}).get("datasetType", "")).upper()
    is_model = way == "outputs" and "MODEL" in kind
    node = NodeType.MODEL if is_model else NodeType.SOURCE
    return LineageEnd(node, item["name"][:_NAME], namespace=item["namespace"][:_NAME])


def _own(principal: Principal, item: Mapping[str, Any], facets: Mapping[str, Any], *, action: str) -> LineageEnd:
    """A version of ours that the principal may do ``action`` to."""
    if item["namespace"] != namespace_of(current_tenant().slug):
        raise DatasetNotFound
    dataset = _dataset(principal, item["name"])
    authorize(principal, action, resource_of(dataset))
    label = facets.get("version", {}).get("datasetVersion", "main")
    return LineageEnd.of_version(find_version(dataset, str(label)))


def _dataset(principal: Principal, name: str) -> Dataset:
    """By id, or by name."""
    visible = Dataset.objects.visible_to(principal)
    try:
        dataset = visible.filter(pk=UUID(name)).first()
    except ValueError:
        dataset = visible.filter(name=name).first() if "\0" not in name else None
    if dataset is None:
        raise DatasetNotFound
    return dataset


def _emit(run_id: str, edges: list[LineageEdge]) -> None:
    if edges:
        facts = {"edges": len(edges), "run": run_id}
        resource = ResourceRef(type="lineage", id=run_id)
        emit(Event(type=EventType.LINEAGE_REPORTED, operation="write", resource=resource, metadata=facts))
