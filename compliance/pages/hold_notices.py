"""A person's own page of the legal holds that they were told of, and where they say that they will keep the data."""

from typing import Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import refusal_of, render_page
from compliance.holds.notices import acknowledge_notice, find_own_notice, list_own_notices
from compliance.holds.texts import notice_text
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.tenancy.ports import resolve_principal

PAGE_SIZE: Final = 50


def own_notices_page(request: HttpRequest) -> HttpResponse:
    """The holds that the reader was told of, newest first. Nobody decides on it: it shows nothing else."""
    principal = resolve_principal(request)
    found = list_own_notices(principal, limit=PAGE_SIZE + 1, after=_after(request.GET))
    shown = found[:PAGE_SIZE]
    context = {
        "title": "Legal holds that you were told of",
        "notices": shown,
        "next_query": urlencode({"after": str(shown[-1].pk)}) if len(found) > PAGE_SIZE else "",
    }
    return render_page(request, "vault/hold_notices.html", context)


def own_notice_page(request: HttpRequest, notice_id: UUID) -> HttpResponse:
    """What the reader is to keep and whom they may ask; posted, they have said that they will."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: acknowledge_notice(principal, notice_id=notice_id))
        if refusal is None:
            messages.success(request, "Acknowledged: whoever manages the hold sees that you were told and when.")
            return HttpResponseRedirect(reverse("admin:hold_notice", args=[notice_id]))
    notice = find_own_notice(principal, notice_id)
    context = {
        "title": f"Legal hold {notice.hold.matter}",
        "notice": notice,
        "hold": notice.hold,
        "text": notice_text(notice),
    }
    return render_page(request, "vault/hold_notice.html", context, refusal=refusal)


def _after(given: QueryDict) -> UUID | None:
    try:
        return UUID(str(given["after"])) if given.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc


PATHS: Final = (
    ("hold-notices/", own_notices_page, "hold_notices"),
    ("hold-notices/<uuid:notice_id>/", own_notice_page, "hold_notice"),
)
