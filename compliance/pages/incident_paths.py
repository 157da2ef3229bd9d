"""Paths of the screens of incidents below ``/admin/compliance/``: route, view, name."""

from collections.abc import Callable
from typing import Final

from django.http.response import HttpResponseBase

from compliance.pages.incident import incident_page
from compliance.pages.incident_notice import notice_page
from compliance.pages.incidents import breach_log_file, breach_log_page, incidents_page, new_incident_page

PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("incidents/", incidents_page, "incidents"),
    ("incidents/new/", new_incident_page, "incident_new"),
    ("incidents/log/", breach_log_page, "breach_log"),
    ("incidents/log/<int:year>/file/", breach_log_file, "breach_log_file"),
    ("incidents/<uuid:incident_id>/", incident_page, "incident"),
    ("incidents/<uuid:incident_id>/notices/<uuid:notice_id>/", notice_page, "breach_notice"),
)
