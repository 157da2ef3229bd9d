"""My work: what waits for this person, and what of theirs waits for others."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final
from uuid import UUID

from django.urls import reverse

from access import work_selectors as access_work
from access.work_selectors import COUNTED, Waiting
from compliance.consents.tasks import tasks_to_decide
from compliance.holds.selectors import holds_to_confirm, releases_to_confirm
from compliance.holds.work_selectors import notices_to_acknowledge
from compliance.incidents import work_selectors as incident_work
from compliance.requests.corrections import corrections_to_apply
from compliance.requests.selectors import requests_to_answer
from compliance.retention import work_selectors as retention_work
from compliance.subjects import work_selectors as subject_work
from datasets import work_selectors as dataset_work
from datasets.work_selectors import AtDataset
from vaultsite.dashboard.jobs import jobs_failed
from vaultsite.kernel.tenancy.principal import Principal

_FAILED: Final = 5


@dataclass(frozen=True)
class Place:
    """Where some of a task waits."""

    name: str
    url: str
    count: int


@dataclass(frozen=True)
class Task:
    """Something to do, or to wait for: ``count`` of it, at ``url`` or in ``places``. ``due``: when the first lapses."""

    title: str
    count: int
    url: str = ""
    due: datetime | None = None
    places: tuple[Place, ...] = ()
    is_urgent: bool = False

    @property
    def is_more(self) -> bool:
        """Whether there may be more than ``count``."""
        return self.count >= COUNTED


@dataclass(frozen=True)
class _Asked:
    """A count of one kind: its title in words, the page it is on."""

    title: str
    count: Callable[[Principal], Waiting]
    page: str
    is_urgent: bool = False


_TO_DO: Final = (
    _Asked("Emergencies to confirm", access_work.emergencies_to_confirm, "admin:access_emergencies", is_urgent=True),
    _Asked("Emergencies to look at", access_work.emergencies_to_review, "admin:access_emergencies"),
    _Asked("Requests of data subjects to answer", requests_to_answer, "admin:subject_requests", is_urgent=True),
    _Asked("The time to confirm, which retention waits for", retention_work.clocks_to_confirm, "admin:retention"),
    _Asked("Access requests to decide on", access_work.requests_to_decide, "admin:access_requests"),
    _Asked("Matches of searches for people", subject_work.matches_to_review, "admin:subjects"),
    _Asked(
        "Records of erased people that came back",
        subject_work.returns_to_settle,
        "admin:subject_returns",
        is_urgent=True,
    ),
    _Asked("Recipients to tell of an erasure", subject_work.recipients_to_tell, "admin:subjects"),
    _Asked("Corrections of people's records to apply", corrections_to_apply, "admin:subject_corrections"),
    _Asked("Withdrawals of consent to decide on", tasks_to_decide, "admin:consent_tasks"),
    _Asked("Grants under review", access_work.grants_to_review, "admin:access_reviews"),
    _Asked("Incidents whose clocks run", incident_work.incidents_to_settle, "admin:incidents", is_urgent=True),
    _Asked("Tasks of incidents", incident_work.incident_tasks, "admin:incidents"),
    _Asked("Keys to destroy, as the second person", access_work.destructions_to_confirm, "admin:datasets_keys"),
    _Asked("Legal holds that wait for your acknowledgement", notices_to_acknowledge, "admin:hold_notices"),
    _Asked("Legal holds to confirm", holds_to_confirm, "admin:holds"),
    _Asked("Releases of legal holds to confirm", releases_to_confirm, "admin:holds"),
)
_TO_WAIT_FOR: Final = (
    _Asked("Your requests that wait for others", access_work.own_requests, "admin:access_mine"),
    _Asked("Your access that ends within a week", access_work.leases_ending, "admin:access_mine"),
)


def tasks_of(principal: Principal) -> list[Task]:
    """What the principal is asked to do, the urgent first; nothing that nobody waits for."""
    asked = [*_counted(principal, _TO_DO), *_at_datasets(principal), _failures(principal)]
    return sorted((task for task in asked if task.count), key=lambda task: not task.is_urgent)


def awaited_by(principal: Principal) -> list[Task]:
    """What of the principal's own waits for others, or for its end."""
    return [task for task in _counted(principal, _TO_WAIT_FOR) if task.count]


def _counted(principal: Principal, asked: Sequence[_Asked]) -> list[Task]:
    counts = [(one, one.count(principal)) for one in asked]
    return [
        Task(one.title, found.count, reverse(one.page), due=found.due, is_urgent=one.is_urgent) for one, found in counts
    ]


def _at_datasets(principal: Principal) -> list[Task]:
    return [
        _placed("Merge requests to review", dataset_work.merges_to_review(principal), "admin:datasets_merges"),
        _placed(
            "Merges with conflicts to resolve", dataset_work.merges_in_conflict(principal), "admin:datasets_merges"
        ),
        _placed("Versions in quarantine", dataset_work.versions_held(principal), "admin:datasets_quarantine"),
        _placed("Records in quarantine", dataset_work.records_held(principal), "admin:datasets_quarantine"),
    ]


def _placed(title: str, found: Sequence[AtDataset], page: str) -> Task:
    places = tuple(Place(one.name, _page(page, one.dataset_id), one.count) for one in found)
    return Task(title, sum(place.count for place in places), places=places)


def _page(page: str, dataset_id: UUID) -> str:
    return reverse(page, args=[dataset_id])


def _failures(principal: Principal) -> Task:
    """Only the principal's own: those of others are under the jobs."""
    mine = [job for job in jobs_failed(principal, limit=COUNTED) if job.is_mine]
    places = tuple(Place(f"{job.kind} {job.dataset}".strip(), job.url, 1) for job in mine[:_FAILED])
    return Task("Jobs of yours that failed", len(mine), places=places)
