"""Groups in the browser: made, filled, given roles, removed."""

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.errors import UserNotFound
from access.models import Delegation, Role, User
from access.pages.forms import chosen_id, end_of_day
from access.pages.page import refusal_of, render_page
from access.selectors import may, people_named
from access.services.delegations import delegate, end_delegation
from access.services.grants import bind_role, revoke_binding
from access.services.groups import (
    add_members,
    change_group,
    create_group,
    delete_group,
    list_groups,
    list_members,
    remove_members,
)
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal


def groups_page(request: HttpRequest) -> HttpResponse:
    """Every group, and the form for a new one."""
    principal = resolve_principal(request)
    refusal, made = None, []
    if request.method == "POST":
        refusal = refusal_of(
            lambda: made.append(
                create_group(
                    principal,
                    display_name=request.POST.get("display_name", "").strip(),
                    description=request.POST.get("description", "").strip(),
                )
            )
        )
        if refusal is None:
            messages.success(request, "The group is made. Give it roles, and put people into it.")
            return HttpResponseRedirect(reverse("admin:group", args=[made[0].pk]))
    context = {
        "title": "Groups",
        "groups": list_groups(principal),
        "given": request.POST if refusal else {},
        "may_manage": may(principal, "group.manage"),
    }
    return render_page(request, "vault/groups.html", context, refusal=refusal)


def group_page(request: HttpRequest, group_id: UUID) -> HttpResponse:
    """One group: who is in it, what it holds, who else may fill it."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        act = request.POST.get("act", "")
        deed = _DEEDS.get(act)
        if deed is None:
            raise Http404
        refusal = refusal_of(lambda: messages.success(request, deed(principal, group_id, request.POST)))
        if refusal is None:
            home = reverse("admin:groups") if act == "delete" else reverse("admin:group", args=[group_id])
            return HttpResponseRedirect(home)
    return render_page(request, "vault/group.html", _shown(request, principal, group_id), refusal=refusal)


def _shown(request: HttpRequest, principal: Principal, group_id: UUID) -> dict[str, object]:
    group, members = list_members(principal, group_id=group_id)
    bindings = list(group.bindings.live().select_related("role").order_by("role__name"))
    delegations = list(Delegation.objects.live().filter(group=group).select_related("user").order_by("user__username"))
    by = people_named(principal, {one.granted_by for one in bindings} | {one.granted_by for one in delegations})
    return {
        "title": group.display_name,
        "group": group,
        "members": members,
        "bindings": [(one, by[one.granted_by]) for one in bindings],
        "delegations": [(one, by[one.granted_by]) for one in delegations],
        "roles": Role.objects.exclude(pk__in=[one.role_id for one in bindings]).order_by("name"),
        "given": request.POST,
        "may_manage": may(principal, "group.manage"),
        "may_fill": may(principal, "group.manage") or any(one.user_id == principal.id for one in delegations),
        "may_give": may(principal, "role.manage") and group.pk not in principal.groups,
        "may_delegate": may(principal, "role.manage"),
        "own_id": principal.id,
    }


def _change(principal: Principal, group_id: UUID, given: QueryDict) -> str:
    name, description = given.get("display_name", "").strip(), given.get("description", "").strip()
    change_group(principal, group_id=group_id, display_name=name, description=description)
    return "The group is changed."


def _delete(principal: Principal, group_id: UUID, _: QueryDict) -> str:
    delete_group(principal, group_id=group_id)
    return "The group is gone, and what its members held by it."


def _add(principal: Principal, group_id: UUID, given: QueryDict) -> str:
    add_members(principal, group_id=group_id, user_ids=[_named(given)])
    return "The person is in the group."


def _remove(principal: Principal, group_id: UUID, given: QueryDict) -> str:
    remove_members(principal, group_id=group_id, user_ids=[chosen_id(given, "user")])
    return "The person is no longer in the group."


def _give(principal: Principal, group_id: UUID, given: QueryDict) -> str:
    bind_role(principal, role=given.get("role", ""), group_id=group_id, expires_at=end_of_day(given.get("until", "")))
    return "Every member holds the role."


def _take(principal: Principal, group_id: UUID, given: QueryDict) -> str:  # noqa: ARG001 - all deeds are called alike
    revoke_binding(principal, binding_id=chosen_id(given, "binding"))
    return "The role is taken from every member."


def _delegate(principal: Principal, group_id: UUID, given: QueryDict) -> str:
    until = end_of_day(given.get("until", ""))
    delegate(principal, user_id=_named(given), group_id=group_id, expires_at=until)
    return "The person may fill this group."


def _end(principal: Principal, group_id: UUID, given: QueryDict) -> str:  # noqa: ARG001 - all deeds are called alike
    end_delegation(principal, delegation_id=chosen_id(given, "delegation"))
    return "The person may no longer fill this group."


def _named(given: QueryDict) -> UUID:
    """The person whose user name was typed. Raises UserNotFound."""
    user = User.objects.filter(username=given.get("username", "").strip()).first()
    if user is None:
        raise UserNotFound
    return user.pk


_DEEDS: Final[Mapping[str, Callable[[Principal, UUID, QueryDict], str]]] = MappingProxyType(
    {
        "change": _change,
        "delete": _delete,
        "add": _add,
        "remove": _remove,
        "give": _give,
        "take": _take,
        "delegate": _delegate,
        "end": _end,
    }
)
