"""Paths of the screens below ``/admin/compliance/``: route, view, name; every part lists its own beside its views."""

from collections.abc import Callable
from typing import Any, Final

from django.http.response import HttpResponseBase

from compliance.pages import (
    backups,
    consent,
    consent_people,
    hold_notices,
    holds,
    incident_paths,
    posture,
    register,
    reports,
    request_corrections,
    requests,
    retention,
    subject_returns,
    subjects,
    transfers,
)

PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    *backups.PATHS,
    *consent.PATHS,
    *consent_people.PATHS,
    *subjects.PATHS,
    *hold_notices.PATHS,
    *holds.PATHS,
    *incident_paths.PATHS,
    *posture.PATHS,
    *register.PATHS,
    *reports.PATHS,
    *request_corrections.PATHS,
    *requests.PATHS,
    *retention.PATHS,
    *subject_returns.PATHS,
    *transfers.PATHS,
)


def bound(admin_view: Callable[[Any], Any]) -> list[tuple[str, Any, str]]:
    """The paths with every view behind the site's sign-in, scope and error pages."""
    return [(route, admin_view(view), name) for route, view, name in PATHS]
