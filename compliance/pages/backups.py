"""Backups in the browser: whether the vault could be brought back, from when, and what to do where it could not."""

from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, QueryDict

from access.pages.page import open_page, render_page
from compliance.backup.selectors import list_backups, list_drills, readiness
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.events.event import ResourceRef

PAGE_SIZE: Final = 30
DRILLS: Final = 10


def backups_page(request: HttpRequest) -> HttpResponse:
    """The newest backups and drills of the vault, as they concern the organization."""
    open_page(request, "backup.read", ResourceRef("backup"))
    found = list_backups(limit=PAGE_SIZE + 1, after=_after(request.GET))
    shown = found[:PAGE_SIZE]
    context = {
        "title": "Backups",
        "state": readiness(),
        "backups": shown,
        "drills": list_drills(limit=DRILLS),
        "next": shown[-1].pk if len(found) > PAGE_SIZE else None,
    }
    return render_page(request, "vault/backups.html", context)


def _after(given: QueryDict) -> UUID | None:
    try:
        return UUID(str(given["after"])) if given.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc


PATHS: Final = (("backups/", backups_page, "compliance_backups"),)
