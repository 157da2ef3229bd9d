"""The computing of a scope: the audit page by page, its archive, exports, lineage and people, from where it stopped.

The result: ``accesses`` (see reach.py), ``exports``, ``derived`` (what was made of the data), ``people`` (distinct
identifiers in the index of persons, tenant-wide, and records that hold one, of the datasets reached: an upper bound),
``categories`` (findings by type in the versions reached), ``special`` (those of GDPR articles 9 and 10) and ``unread``
(parts of the audit's archive that are lost or do not open: their months, and how many events they had).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from itertools import product
from typing import Any, Final
from uuid import UUID

from django.db.models import Q

from audit.archive.read import archived_parts, events_or_none
from audit.models import AuditEvent
from audit.selectors import EventFilter, EventPosition, list_events, read_body
from compliance.incidents.reach import COUNTED, fold, reached
from compliance.incidents.standing import wind_clocks
from compliance.incidents.timeline import record
from compliance.models import IncidentScope
from datasets.lineage_graph import walk
from datasets.models import Dataset, Export, GuaranteedExport, LineageNode, SubjectIndexEntry, Version
from datasets.selectors import head_of
from datasets.services.commit import read_profile
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.events.event import EventType
from vaultsite.kernel.jobs import Claim
from vaultsite.kernel.tenancy.scope import current_tenant_id
from vaultsite.kernel.turn import take_turn

#: Events looked at in one transaction.
PAGE: Final = 1000
#: Versions of one dataset whose findings are looked at; lineage nodes that are followed, and how far.
MAX_VERSIONS: Final = 50
MAX_NODES: Final = 2000
DEPTH: Final = 50
#: Exports that are named one by one.
MAX_EXPORTS: Final = 1000
#: GDPR articles 9 and 10.
SPECIAL: Final = frozenset(
    {"HEALTH", "RELIGION", "ETHNICITY", "POLITICS", "UNION_MEMBERSHIP", "SEXUALITY", "BIOMETRIC", "GENETIC"}
    | {"CONVICTION", "SPECIAL_CATEGORY", "MEDICAL_RECORD_NUMBER"}
)
_DOWNLOADED: Final = (EventType.EXPORTED.value, EventType.EXPORTED_ANALYTICS.value)


def compute_scope(tenant_id: UUID, scope_id: UUID) -> None:
    """Continue a scope from its checkpoint until it has ended or is taken over by another worker."""
    take_turn(IncidentScope, tenant_id, scope_id, _work, fail=_fail)


def _work(scope: IncidentScope, held: Claim) -> None:
    state = scope.checkpoint or {"stage": "events", "pair": 0, "after": None, "accesses": {}, "files": {}}
    while state["stage"] in _STAGES:
        with held.scope():
            _STAGES[state["stage"]](scope, state)
            held.save(checkpoint=state, progress=_progress(state))
    with held.scope():
        found = _result(state)
        held.finish(result=found, checkpoint={}, progress={"stage": "done", **_summary(found)})
        record(scope.incident, "scope.found", facts={"scope": str(scope.pk), **_summary(found)})
        wind_clocks(scope.incident)


def _fail(scope: IncidentScope, held: Claim, error: VaultError) -> None:
    with held.scope():
        held.fail(error)
        record(scope.incident, "scope.failed", facts={"scope": str(scope.pk), "code": error.code})


def _progress(state: Mapping[str, Any]) -> dict[str, Any]:
    return {"stage": state["stage"], "events": sum(one["events"] for one in state["accesses"].values())}


def _pairs(scope: IncidentScope) -> list[tuple[str | None, str | None]]:
    """Which actors at which datasets; None stands for all of them."""
    return list(product(scope.criteria["principals"] or [None], scope.criteria["datasets"] or [None]))


def _criteria(scope: IncidentScope) -> EventFilter:
    """What is counted in the time of the scope, whoever did it at whatever dataset."""
    since = scope.criteria["since"]
    return EventFilter(
        types=tuple(COUNTED),
        since=datetime.fromisoformat(since) if since else None,
        until=datetime.fromisoformat(scope.criteria["until"]),
    )


def _read_events(scope: IncidentScope, state: dict[str, Any]) -> None:
    """One page of one pair's events, the newest first."""
    actor, dataset = _pairs(scope)[state["pair"]]
    criteria = replace(
        _criteria(scope), actor_id=UUID(actor) if actor else None, dataset_id=UUID(dataset) if dataset else None
    )
    after = (
        EventPosition(datetime.fromisoformat(state["after"][0]), UUID(state["after"][1])) if state["after"] else None
    )
    events = list_events(tenant_id=current_tenant_id(), criteria=criteria, limit=PAGE, after=after)
    fold(state["accesses"], events)
    _note_files(state["files"], events)
    if len(events) == PAGE:
        state["after"] = [events[-1].time.isoformat(), str(events[-1].pk)]
        return
    state["pair"], state["after"] = state["pair"] + 1, None
    if state["pair"] == len(_pairs(scope)):
        state["stage"] = "archive"


def _read_archive(scope: IncidentScope, state: dict[str, Any]) -> None:
    """The events of one part of the audit's archive."""
    criteria, after = _criteria(scope), state.get("part")
    part = next(iter(archived_parts(current_tenant_id(), criteria, after=UUID(after) if after else None)), None)
    if part is None:
        state["stage"] = "exports"
        return
    actors, datasets = scope.criteria["principals"], scope.criteria["datasets"]
    state["part"] = str(part.pk)
    read = events_or_none(part, criteria)
    if read is None:
        state["unread"] = [*state.get("unread", ()), {"month": f"{part.month:%Y-%m}", "events": part.events}]
        return
    events = [
        event
        for event in read
        if (not actors or str(event.actor_id) in actors) and (not datasets or str(event.dataset_id) in datasets)
    ]
    fold(state["accesses"], events)
    _note_files(state["files"], events)


def _note_files(files: dict[str, Any], events: Iterable[AuditEvent]) -> None:
    """Which exports were downloaded, how often and by whom."""
    for event in events:
        if event.type in _DOWNLOADED and event.status != "denied":
            name = str(read_body(event).get("metadata", {}).get("export", ""))
            one = files.setdefault(name, {"downloads": 0, "by": []})
            one["downloads"] += 1
            if str(event.actor_id) not in one["by"]:
                one["by"].append(str(event.actor_id))


def _find_exports(scope: IncidentScope, state: dict[str, Any]) -> None:
    """Exports that were downloaded or asked for in the time, by whom and of what the scope is about."""
    asked = Q(created_at__lt=scope.criteria["until"])
    if scope.criteria["since"]:
        asked &= Q(created_at__gte=scope.criteria["since"])
    for name, member in (("principals", "requested_by__in"), ("datasets", "dataset_id__in")):
        if scope.criteria[name]:
            asked &= Q(**{member: scope.criteria[name]})
    wanted = asked | Q(pk__in=[name for name in state["files"] if name])
    found = []
    for model in (Export, GuaranteedExport):
        rows = model._default_manager.filter(wanted).order_by("-id")[:MAX_EXPORTS]  # noqa: SLF001 - its public alias
        found += [_export(row, state["files"].get(str(row.pk), {})) for row in rows]
    state["exports"], state["stage"] = found, "derived"


def _export(row: Export | GuaranteedExport, seen: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "export": str(row.pk),
        "is_guaranteed": isinstance(row, GuaranteedExport),
        "dataset": str(row.dataset_id),
        "requested_by": str(row.requested_by),
        "asked_at": row.created_at.isoformat(),
        "state": row.status,
        "records": row.record_count,
        "is_raw": isinstance(row, Export) and row.is_raw,
        "downloads": seen.get("downloads", 0),
        "downloaded_by": seen.get("by", []),
    }


def _touched(state: Mapping[str, Any]) -> list[str]:
    """Datasets reached by what happened, or by an export that was made."""
    return sorted({*reached(state["accesses"].values()), *(one["dataset"] for one in state["exports"])})


def _follow_lineage(_: IncidentScope, state: dict[str, Any]) -> None:
    """What was made of the datasets reached, further down than they are themselves."""
    own = set(_touched(state))
    starts = LineageNode.objects.filter(dataset_id__in=own).order_by("-id").values_list("pk", flat=True)
    seen: dict[UUID, int] = {}
    is_cut = False
    for start in starts[:MAX_NODES]:
        if start in seen:
            continue
        graph = walk(start, direction="downstream", depth=DEPTH, limit=MAX_NODES)
        is_cut = is_cut or graph.is_cut
        seen |= {pk: depth for pk, depth in graph.depths.items() if pk not in seen}
        if len(seen) > MAX_NODES:
            is_cut = True
            break
    below = LineageNode.objects.filter(pk__in=list(seen)).order_by("id")
    state["derived"] = [_node(node) for node in below if str(node.dataset_id or "") not in own]
    state["is_derived_cut"], state["stage"] = is_cut, "people"


def _node(node: LineageNode) -> dict[str, Any]:
    return {"type": node.type, "name": str(node), "dataset": str(node.dataset_id or "")}


def _count_people(_: IncidentScope, state: dict[str, Any]) -> None:
    """Distinct identifiers of persons in the datasets reached; the same one in two of them counts once."""
    rows = SubjectIndexEntry.objects.filter(dataset_id__in=_touched(state))
    state["people"] = {
        "identifiers": rows.values("key").distinct().count(),
        "records": rows.values("dataset_id", "record_id").distinct().count(),
    }
    state["stage"] = "categories"


def _sum_findings(_: IncidentScope, state: dict[str, Any]) -> None:
    """Findings by type, of the versions that events name, or of a dataset's newest where they name none."""
    named: dict[str, set[str]] = {}
    for access in state["accesses"].values():
        named.setdefault(access["dataset"], set()).update(access["versions"])
    found: Counter[str] = Counter()
    for dataset in Dataset.objects.filter(pk__in=_touched(state)):
        labels = sorted(named.get(str(dataset.pk), ()))[:MAX_VERSIONS]
        versions = list(Version.objects.filter(dataset=dataset, label__in=labels))
        found.update(_findings(versions or [head for head in [head_of(dataset)] if head]))
    state["categories"], state["stage"] = dict(found.most_common()), "ended"


def _findings(versions: Iterable[Version]) -> Counter[str]:
    """The most of each type that any of the versions has: they share most of their records."""
    most: Counter[str] = Counter()
    for version in versions:
        by_type: Counter[str] = Counter()
        for (_, entity_type), count in read_profile(version).items():
            by_type[entity_type] += count
        most |= by_type
    return most


_STAGES: Final[Mapping[str, Callable[[IncidentScope, dict[str, Any]], None]]] = {
    "events": _read_events,
    "archive": _read_archive,
    "exports": _find_exports,
    "derived": _follow_lineage,
    "people": _count_people,
    "categories": _sum_findings,
}


def _result(state: Mapping[str, Any]) -> dict[str, Any]:
    accesses = sorted(state["accesses"].values(), key=lambda one: (-one["records"], one["dataset"], one["principal"]))
    kept = {name: state[name] for name in ("exports", "derived", "is_derived_cut", "people", "categories")}
    special = sorted(SPECIAL & state["categories"].keys())
    return {"accesses": accesses, **kept, "special": special, "unread": state.get("unread", [])}


def _summary(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "events": sum(one["events"] for one in found["accesses"]),
        "datasets": len({one["dataset"] for one in found["accesses"] if one["dataset"]}),
        "records": sum(one["records"] for one in found["accesses"]),
        "exports": len(found["exports"]),
        "derived": len(found["derived"]),
        "identifiers": found["people"]["identifiers"],
    }
