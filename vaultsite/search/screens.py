"""The screens of the admin by their names, as the sidebar offers them to this reader."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from vaultsite.search.found import OF_EACH, Kind, Result


def screens_found(request: HttpRequest, text: str) -> list[Kind]:
    """Screens one of whose words begins with ``text``, in any case."""
    wanted = text.casefold()
    offered = [
        Result(str(item["title"]), str(group.get("title", "")), str(item["link"]))
        for group in _sidebar(request)
        for item in group["items"]
        if item.get("has_permission", True)
    ]
    found = [one for one in offered if any(word.startswith(wanted) for word in _words(one.title))]
    return [Kind("Screens", found[:OF_EACH], len(found) > OF_EACH)] if found else []


def _words(title: str) -> list[str]:
    """The title itself, for who types more than a word of it, and each word."""
    folded = title.casefold()
    return [folded, *folded.split()]


def _sidebar(request: HttpRequest) -> list[dict[str, Any]]:
    return list(admin.site.each_context(request)["sidebar_navigation"])
