"""A person's notifications in the browser, and how they want to be told."""

from typing import Any, Final
from urllib.parse import urlencode
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.pages.page import render_page
from audit.notifications.kinds import KINDS
from audit.notifications.mail import is_mail_configured
from audit.notifications.own import change_settings, find_own, list_own, mark_read, own_settings, unread_count
from vaultsite.kernel.errors import InvalidCursor
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

PAGE_SIZE: Final = 50


def notifications_page(request: HttpRequest) -> HttpResponse:
    """One's own notifications, newest first; posted, they are marked as read, or the choice is kept.

    Nobody decides on it: it shows what its reader was told, and nothing else.
    """
    principal = resolve_principal(request)
    if request.method == "POST":
        return _act(request, principal)
    is_unread = request.GET.get("show") == "unread"
    found = list_own(principal, is_unread=is_unread, limit=PAGE_SIZE + 1, after=_after(request.GET))
    shown = found[:PAGE_SIZE]
    kept = {"show": "unread"} if is_unread else {}
    chosen = own_settings(principal)
    context: dict[str, Any] = {
        "title": "Notifications",
        "rows": [{"told": one, "kind": KINDS[one.kind]} for one in shown if one.kind in KINDS],
        "is_unread": is_unread,
        "unread": unread_count(principal),
        "next_query": urlencode(kept | {"after": str(shown[-1].pk)}) if len(found) > PAGE_SIZE else "",
        "choices": [(name, kind, *chosen[name]) for name, kind in KINDS.items()],
        "sends_mail": is_mail_configured(),
        "has_address": bool(getattr(request.user, "email", "")),
    }
    return render_page(request, "vault/notifications.html", context)


def _act(request: HttpRequest, principal: Principal) -> HttpResponse:
    given, here = request.POST, reverse("admin:notifications")
    match given.get("act"):
        case "open":
            told = find_own(principal, _id_of(given))
            if told is None:
                raise Http404
            mark_read(principal, notification_id=told.pk)
            return HttpResponseRedirect(told.url)
        case "read":
            mark_read(principal)
            return HttpResponseRedirect(here)
        case "settings":
            change_settings(principal, {name: (f"app_{name}" in given, f"mail_{name}" in given) for name in KINDS})
            messages.success(request, "You are told as you chose from now on.")
            return HttpResponseRedirect(here + "#settings")
        case _:
            raise Http404


def _id_of(given: QueryDict) -> UUID:
    try:
        return UUID(str(given.get("id", "")))
    except ValueError:
        raise Http404 from None


def _after(given: QueryDict) -> UUID | None:
    try:
        return UUID(str(given["after"])) if given.get("after") else None
    except ValueError as exc:
        raise InvalidCursor from exc
