"""People in the browser: who there are, and all that one of them may act by."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.models import Group, Role
from access.pages.agents import named_browser
from access.pages.forms import chosen_id, end_of_day
from access.pages.page import refusal_of, render_page
from access.ports import dataset_directory
from access.selectors import may
from access.services.deprovisioning import deactivate_user, reactivate_user
from access.services.grants import bind_role, revoke_binding
from access.services.groups import add_members, remove_members
from access.services.people import PersonInFull, get_person, list_users
from access.services.users import set_attributes
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

#: People on one page.
PAGE: Final = 50
_STATES: Final[Mapping[str, bool | None]] = MappingProxyType({"": None, "active": True, "disabled": False})


def people_page(request: HttpRequest) -> HttpResponse:
    """People by name, a page at a time; found by how a name begins."""
    principal = resolve_principal(request)
    search, state = request.GET.get("search", "")[:150].strip(), request.GET.get("state", "")
    found = list_users(
        principal,
        after=request.GET.get("after") or None,
        limit=PAGE + 1,
        search=search,
        active=_STATES.get(state),
    )
    shown = found[:PAGE]
    context = {
        "title": "People",
        "people": shown,
        "next": shown[-1].username if len(found) > PAGE else "",
        "search": search,
        "state": state,
        "states": [name for name in _STATES if name],
        "may_manage": may(principal, "user.manage"),
    }
    return render_page(request, "vault/people.html", context)


def person_page(request: HttpRequest, user_id: UUID) -> HttpResponse:
    """One person: roles, groups, attributes, sessions, keys, leases; and what changes them."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        deed = _DEEDS.get(request.POST.get("act", ""))
        if deed is None:
            raise Http404
        refusal = refusal_of(lambda: messages.success(request, deed(principal, user_id, request.POST)))
        if refusal is None:
            return HttpResponseRedirect(reverse("admin:person", args=[user_id]))
    person = get_person(principal, user_id=user_id)
    return render_page(request, "vault/person.html", _shown(principal, person), refusal=refusal)


def _shown(principal: Principal, person: PersonInFull) -> dict[str, object]:
    known = dataset_directory().describe({lease.dataset_id for lease in person.leases})
    held = {one.group_id for one in person.memberships}
    given = {binding.role_id for binding in person.bindings if binding.group_id is None}
    is_self = person.user.pk == principal.id
    return {
        "title": person.user.username,
        "person": person,
        "browsers": [(one, named_browser(one.agent)) for one in person.browsers],
        "sees_sessions": may(principal, "session.read"),
        "sees_keys": may(principal, "apikey.read"),
        "sees_leases": may(principal, "access.read"),
        "leases": [
            (lease, known[lease.dataset_id].name if lease.dataset_id in known else "") for lease in person.leases
        ],
        "roles": Role.objects.exclude(pk__in=given).order_by("name"),
        "groups": Group.objects.exclude(pk__in=held).order_by("display_name"),
        "is_self": is_self,
        "may_manage": may(principal, "user.manage"),
        "may_give": may(principal, "role.manage") and not is_self,
        "may_group": may(principal, "group.manage") and not is_self,
        "may_end_sessions": may(principal, "session.revoke"),
    }


def _disable(principal: Principal, user_id: UUID, _: QueryDict) -> str:
    deactivate_user(principal, user_id=user_id)
    return "The person is disabled: sessions, programs, keys, leases and streams have ended."


def _enable(principal: Principal, user_id: UUID, _: QueryDict) -> str:
    reactivate_user(principal, user_id=user_id)
    return "The person is let in again. What ended stays ended."


def _attributes(principal: Principal, user_id: UUID, given: QueryDict) -> str:
    department, clearance = given.get("department", "").strip(), given.get("clearance", "").strip()
    set_attributes(principal, user_id=user_id, department=department, clearance=clearance)
    return "The attributes count from the next request on."


def _give(principal: Principal, user_id: UUID, given: QueryDict) -> str:
    bind_role(principal, role=given.get("role", ""), user_id=user_id, expires_at=end_of_day(given.get("until", "")))
    return "The role is given."


def _take(principal: Principal, user_id: UUID, given: QueryDict) -> str:  # noqa: ARG001 - all deeds are called alike
    revoke_binding(principal, binding_id=chosen_id(given, "binding"))
    return "The role is taken away."


def _join(principal: Principal, user_id: UUID, given: QueryDict) -> str:
    add_members(principal, group_id=chosen_id(given, "group"), user_ids=[user_id])
    return "The person is in the group."


def _leave(principal: Principal, user_id: UUID, given: QueryDict) -> str:
    remove_members(principal, group_id=chosen_id(given, "group"), user_ids=[user_id])
    return "The person is no longer in the group."


_DEEDS: Final[Mapping[str, Callable[[Principal, UUID, QueryDict], str]]] = MappingProxyType(
    {
        "disable": _disable,
        "enable": _enable,
        "attributes": _attributes,
        "give": _give,
        "take": _take,
        "join": _join,
        "leave": _leave,
    }
)
