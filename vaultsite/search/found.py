"""What a search finds, kind by kind: each asked of the app it belongs to, for what the reader may know of."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from django.urls import reverse

from access import found_selectors as access_found
from access.selectors import may
from anonymization.models import AnonymizationPolicy
from audit.alerts.kinds import KINDS
from audit.models import Alert
from audit.proofs.events import find_event
from datasets import found_selectors as datasets_found
from vaultsite.dashboard.jobs import find_job
from vaultsite.kernel.tenancy.principal import Principal

#: Results of one kind; who looks for more says more.
OF_EACH: Final = 6


@dataclass(frozen=True)
class Result:
    """One thing: what it is called, what else tells it from others, and its page."""

    title: str
    detail: str
    url: str


@dataclass(frozen=True)
class Kind:
    """``title`` in the plural; ``results`` OF_EACH at most, and whether there are more."""

    title: str
    results: list[Result]
    is_more: bool


_Named = Callable[[Principal, str, int], Sequence[Any]]
_Shown = Callable[[Any], Result]


def found_by_name(principal: Principal, text: str) -> list[Kind]:
    """Every kind of which something begins with ``text``."""
    kinds = [_kind(title, ask(principal, text, OF_EACH + 1), show) for title, ask, show in _BY_NAME]
    return [kind for kind in kinds if kind.results]


def found_by_id(principal: Principal, identifier: UUID) -> list[Kind]:
    """What has this id."""
    kinds = [_kind(title, ask(principal, identifier), show) for title, ask, show in _BY_ID]
    return [kind for kind in kinds if kind.results]


def _kind(title: str, rows: Sequence[Any], show: _Shown) -> Kind:
    return Kind(title, [show(row) for row in rows[:OF_EACH]], len(rows) > OF_EACH)


def _dataset(row: Any) -> Result:
    return Result(row.name, row.get_classification_display(), reverse("admin:datasets_dataset_page", args=[row.pk]))


def _version(row: Any) -> Result:
    page = reverse("admin:datasets_records", args=[row.dataset_id])
    return Result(f"{row.dataset.name}@{row.label}", row.message, f"{page}?version={row.label}")


def _tag(row: Any) -> Result:
    page = reverse("admin:datasets_branches", args=[row.dataset_id])
    return Result(row.name, f"{row.version.label} of {row.dataset.name}", page)


def _merge_request(row: Any) -> Result:
    detail = f"{row.source} into {row.target} of {row.dataset.name}, {row.state}"
    return Result(row.title, detail, reverse("admin:datasets_merge_request", args=[row.pk]))


def _person(row: Any) -> Result:
    return Result(row.full_name or row.username, row.username, reverse("admin:person", args=[row.pk]))


def _group(row: Any) -> Result:
    return Result(row.display_name, row.description, reverse("admin:group", args=[row.pk]))


def _program(row: Any) -> Result:
    return Result(row.name, row.description, reverse("admin:service_account", args=[row.pk]))


def _access_policy(row: Any) -> Result:
    return Result(row.name, "access policy", reverse("admin:access_policy", args=[row.pk]))


def _privacy_policy(row: Any) -> Result:
    return Result(row.name, "anonymization policy", reverse("admin:privacy_policy", args=[row.pk]))


def _request(row: Any) -> Result:
    detail = f"{row.get_state_display()}, of {row.created_at:%Y-%m-%d}"
    return Result("Request for access", detail, f"{reverse('admin:access_requests')}?state={row.state}")


def _event(row: Any) -> Result:
    return Result(row.type, f"{row.time:%Y-%m-%d %H:%M:%S} UTC", reverse("admin:audit_event_page", args=[row.pk]))


def _alert(row: Any) -> Result:
    return Result(KINDS[row.kind].title, row.summary, reverse("admin:alert", args=[row.pk]))


def _job(row: Any) -> Result:
    return Result(row.kind, " ".join(filter(None, (row.status, row.dataset))), row.url)


def _privacy_policies(principal: Principal, text: str, limit: int) -> Sequence[Any]:
    if not may(principal, "anonymization.read"):
        return []
    return list(AnonymizationPolicy.objects.filter(name__istartswith=text).order_by("name")[:limit])


def _event_of_id(principal: Principal, identifier: UUID) -> Sequence[Any]:
    if not may(principal, "audit.read"):
        return []
    found = find_event(principal.tenant_id, identifier)
    return [found] if found else []


def _alert_of_id(principal: Principal, identifier: UUID) -> Sequence[Any]:
    return list(Alert.objects.filter(pk=identifier)[:1]) if may(principal, "alert.read") else []


def _job_of_id(principal: Principal, identifier: UUID) -> Sequence[Any]:
    job = find_job(principal, identifier)
    return [job] if job and job.url else []


_BY_NAME: Final[tuple[tuple[str, _Named, _Shown], ...]] = (
    ("Datasets", datasets_found.datasets_found, _dataset),
    ("Versions", datasets_found.versions_found, _version),
    ("Tags", datasets_found.tags_found, _tag),
    ("Merge requests", datasets_found.merge_requests_found, _merge_request),
    ("People", access_found.people_found, _person),
    ("Groups", access_found.groups_found, _group),
    ("Programs", access_found.programs_found, _program),
    ("Access policies", access_found.policies_found, _access_policy),
    ("Anonymization policies", _privacy_policies, _privacy_policy),
)
_BY_ID: Final[tuple[tuple[str, Callable[[Principal, UUID], Sequence[Any]], _Shown], ...]] = (
    ("Datasets", datasets_found.dataset_of_id, _dataset),
    ("Versions", datasets_found.version_of_id, _version),
    ("Merge requests", datasets_found.merge_request_of_id, _merge_request),
    ("People", access_found.person_of_id, _person),
    ("Requests for access", access_found.request_of_id, _request),
    ("Events", _event_of_id, _event),
    ("Alerts", _alert_of_id, _alert),
    ("Jobs", _job_of_id, _job),
)
