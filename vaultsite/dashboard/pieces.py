"""The pieces of the home page: who sees each, what it shows, and what it is drawn with."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final

from access.selectors import may
from access.services.visibility import may_list
from audit.alerts.kinds import KINDS
from audit.alerts.selectors import AlertFilter, count_unresolved, list_alerts
from audit.log.status import sealing_status
from audit.pages.alerts import UNRESOLVED
from compliance.posture.standing import count_states, standing
from vaultsite.dashboard.activity import latest_activity, own_activity
from vaultsite.dashboard.distribution import holdings
from vaultsite.dashboard.figures import (
    broken_policies,
    busiest_datasets,
    busiest_people,
    counted_until,
    operations_by_hour,
    outcome_tiles,
)
from vaultsite.dashboard.filters import Filters
from vaultsite.dashboard.heatmap import draw_heatmap
from vaultsite.dashboard.inbox import awaited_by, tasks_of
from vaultsite.dashboard.jobs import jobs_failed, jobs_under_way
from vaultsite.kernel.tenancy.principal import Principal

_JOBS: Final = 10
_ALERTS: Final = 6
_LIST: Final = "dataset.list"

Gathered = dict[str, Any]


@dataclass(frozen=True)
class Piece:
    """``action`` is decided on whenever the piece is read. ``unless``: an action whose holders need it not.

    ``is_wide``: takes the width of the page. ``is_live``: drawn anew while the page is looked at and things happen.
    """

    title: str
    action: str
    gather: Callable[[Principal, Filters], Gathered]
    template: str
    unless: str = ""
    is_wide: bool = False
    is_live: bool = True

    def is_for(self, principal: Principal) -> bool:
        """Whoever was given one dataset has a list of datasets, whatever their roles."""
        holds = may_list(principal) if self.action == _LIST else may(principal, self.action)
        return holds and not (self.unless and may(principal, self.unless))


def _work(principal: Principal, _: Filters) -> Gathered:
    return {"tasks": tasks_of(principal), "awaited": awaited_by(principal)}


def _jobs(principal: Principal, filters: Filters) -> Gathered:
    return {
        "under_way": jobs_under_way(principal, dataset_id=filters.dataset_id, limit=_JOBS),
        "failed": jobs_failed(principal, dataset_id=filters.dataset_id, limit=_JOBS),
    }


def _operations(_: Principal, filters: Filters) -> Gathered:
    heatmap = draw_heatmap(operations_by_hour(filters), filters)
    return {"tiles": outcome_tiles(filters), "heatmap": heatmap, "as_of": counted_until()}


def _top(principal: Principal, filters: Filters) -> Gathered:
    return {"people": busiest_people(principal, filters), "most_used": busiest_datasets(principal, filters)}


def _violations(_: Principal, filters: Filters) -> Gathered:
    return {"broken": broken_policies(filters)}


def _alerts(_: Principal, __: Filters) -> Gathered:
    rows = list_alerts(AlertFilter(state=UNRESOLVED), limit=_ALERTS)
    return {"rows": [(alert, KINDS[alert.kind].title) for alert in rows], "unresolved": count_unresolved()}


def _sealing(_: Principal, __: Filters) -> Gathered:
    return {"sealing": sealing_status()}


def _activity(principal: Principal, filters: Filters) -> Gathered:
    return {"rows": latest_activity(principal, filters)}


def _mine(principal: Principal, filters: Filters) -> Gathered:
    return {"deeds": own_activity(principal, filters)}


def _posture(_: Principal, __: Filters) -> Gathered:
    counts = count_states(standing())
    return {"counts": counts, "probed": counts["proven"] + counts["failed"] + counts["not_proven"]}


def _data(principal: Principal, _: Filters) -> Gathered:
    return {"holdings": holdings(principal)}


#: Name in the address -> the piece, in the order of the page.
PIECES: Final[Mapping[str, Piece]] = MappingProxyType(
    {
        "work": Piece("My work", "home.read", _work, "vault/dashboard_work.html"),
        "alerts": Piece("Alerts", "alert.read", _alerts, "vault/dashboard_alerts.html"),
        "violations": Piece("Policy violations", "audit.read", _violations, "vault/dashboard_violations.html"),
        "operations": Piece("Operations", "audit.read", _operations, "vault/dashboard_operations.html", is_wide=True),
        "activity": Piece("Latest activity", "audit.read", _activity, "vault/audit_rows.html", is_wide=True),
        "mine": Piece(
            "Your activity", "access.own", _mine, "vault/dashboard_mine.html", unless="audit.read", is_wide=True
        ),
        "top": Piece("Most active", "audit.read", _top, "vault/dashboard_top.html"),
        "posture": Piece("Posture", "posture.read", _posture, "vault/dashboard_posture.html"),
        "data": Piece("What the vault holds", _LIST, _data, "vault/dashboard_data.html", is_live=False),
        "jobs": Piece("Jobs", "home.read", _jobs, "vault/dashboard_jobs.html"),
        "sealing": Piece("Seal of the audit", "audit.read", _sealing, "vault/dashboard_sealing.html"),
    }
)


def pieces_for(principal: Principal) -> dict[str, Piece]:
    """The pieces this reader is shown, by name."""
    return {name: piece for name, piece in PIECES.items() if piece.is_for(principal)}
