"""Who may do what with a dataset: by role, by a standing permission, by a lease; and the way to ask for more."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.lease_selectors import leases_of, live_leases
from access.leases.terms import LEVELS as LEASE_LEVELS
from access.leases.terms import Terms
from access.models import Group, Role, RoleBinding, Shown, User
from access.pages.forms import chosen_id, end_of_day
from access.pages.requests import give_back, lease_cards
from access.pages.spans import SPANS, number_or_none, whole_number
from access.policy import builtin
from access.selectors import known_purposes, people_named
from access.services.access_requests import approvals_for, request_access
from access.services.authorize import may
from datasets.models import Dataset
from datasets.pages.page import open_dataset, render_page
from datasets.pages.refusal import refusal_of
from datasets.selectors import get_dataset, resource_of
from datasets.services.group_permissions import grant_to_group, list_group_permissions, revoke_from_group
from datasets.services.permissions import (
    LEVELS,
    WORDS,
    grant_permission,
    held_permissions,
    list_permissions,
    revoke_permissions,
)
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

_LEASES: Final = 50
_OFFERED: Final = 500
_WAYS: Final = (
    (builtin.READ_RAW, "reads raw"),
    (builtin.READ_MASKED, "reads masked"),
    (builtin.READ_REDACTED, "reads redacted"),
)


@dataclass(frozen=True)
class RoleReach:
    """A role by which datasets are reached, and how many hold it."""

    name: str
    holders: int
    shown: str


def access_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """Who has what; forms posted here ask for a lease, give and take permissions, revoke leases."""
    if request.method != "POST":
        return _shown(request, open_dataset(request, dataset_id))
    principal = resolve_principal(request)
    deed = _DEEDS.get(request.POST.get("do", ""))
    if deed is None:
        raise InvalidInput
    refusal = refusal_of(lambda: messages.success(request, deed(principal, dataset_id, request.POST)))
    if refusal is None:
        return HttpResponseRedirect(reverse("admin:datasets_access", args=[dataset_id]))
    return _shown(request, get_dataset(principal, dataset_id, action="dataset.read"), refusal)


def _shown(request: HttpRequest, dataset: Dataset, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    sees_all = may(principal, "access.read")
    may_grant = may(principal, "permission.manage")
    context: dict[str, Any] = {
        "title": f"Access to {dataset.name}",
        "sees_all": sees_all,
        "roles": _roles() if sees_all else [],
        "permissions": _permissions(principal, dataset) if sees_all else [],
        "leases": lease_cards(principal, leases_of(dataset.pk, limit=_LEASES)) if sees_all else [],
        "held": _held(principal, dataset),
        "may_grant": may_grant,
        "group_permissions": _group_permissions(principal, dataset) if sees_all else [],
        "groups": list(Group.objects.order_by("display_name")[:_OFFERED]) if may_grant else [],
        "may_approve": may(principal, "access.approve"),
        "may_ask": may(principal, "access.request"),
        "people": _people(principal) if may_grant else [],
        "levels": [(word, level.title) for word, level in LEVELS.items()],
        "lease_levels": sorted(LEASE_LEVELS),
        "ways": Shown.choices,
        "spans": SPANS,
        "purposes": known_purposes(),
        "approvals": approvals_for(resource_of(dataset)),
        "asked": request.POST if request.method == "POST" else {},
        "refusal": refusal,
    }
    answer = render_page(request, "vault/access.html", context, dataset=dataset, tab="datasets_access")
    if refusal is not None:
        answer.status_code = refusal.status
    return answer


def _held(principal: Principal, dataset: Dataset) -> dict[str, Any]:
    """What the reader was given on this dataset."""
    return {
        "leases": lease_cards(principal, live_leases(principal, dataset_id=dataset.pk)),
        "permissions": [
            (LEVELS[WORDS[row.permission.codename]].title, row.expires_at)
            for row in held_permissions(principal, dataset.pk)
        ],
    }


def _roles() -> list[RoleReach]:
    """Every role that sees datasets, with how it is shown records."""
    held = dict(RoleBinding.objects.live().order_by().values_list("role").annotate(Count("id")))
    return [
        RoleReach(
            role.name,
            held[role.pk],
            next((words for permission, words in _WAYS if permission in role.permissions), "reads no records"),
        )
        for role in Role.objects.filter(pk__in=held).order_by("name")
        if "dataset.read" in role.permissions
    ]


def _permissions(principal: Principal, dataset: Dataset) -> list[dict[str, Any]]:
    rows = list_permissions(dataset)
    names = people_named(principal, [one for row in rows for one in (row.user_id, row.granted_by)])
    return [
        {
            "row": row,
            "level": WORDS[row.permission.codename],
            "title": LEVELS[WORDS[row.permission.codename]].title,
            "who": names[row.user_id],
            "by": names[row.granted_by],
        }
        for row in rows
    ]


def _group_permissions(principal: Principal, dataset: Dataset) -> list[dict[str, Any]]:
    rows = list_group_permissions(dataset)
    names = people_named(principal, [row.granted_by for row in rows])
    return [
        {
            "row": row,
            "level": WORDS[row.permission.codename],
            "title": LEVELS[WORDS[row.permission.codename]].title,
            "by": names[row.granted_by],
        }
        for row in rows
    ]


def _people(principal: Principal) -> list[User]:
    return list(User.objects.filter(is_active=True).exclude(pk=principal.id).order_by("username")[:_OFFERED])


def _ask(principal: Principal, dataset_id: UUID, given: QueryDict) -> str:
    shown = given.get("shown", "")
    if shown not in Shown.values:
        raise InvalidInput(errors=[FieldProblem("/shown", f"one of {', '.join(Shown.values)}")])
    terms = Terms(
        level=given.get("level", ""),
        shown=Shown(shown),
        purpose=given.get("purpose", ""),
        seconds=whole_number(given.get("seconds", ""), "seconds"),
        row_quota=number_or_none(given.get("row_quota", ""), "row_quota"),
    )
    request_access(principal, dataset_id=dataset_id, terms=terms, justification=given.get("justification", ""))
    return "Asked for. You find it under My access."


def _grant(principal: Principal, dataset_id: UUID, given: QueryDict) -> str:
    end, level = end_of_day(given.get("until", "")), given.get("level", "")
    user_id = chosen_id(given, "user")
    grant_permission(principal, dataset_id=dataset_id, user_id=user_id, level=level, expires_at=end)
    return "The permission is given."


def _grant_group(principal: Principal, dataset_id: UUID, given: QueryDict) -> str:
    end, level = end_of_day(given.get("until", "")), given.get("level", "")
    group_id = chosen_id(given, "group")
    grant_to_group(principal, dataset_id=dataset_id, group_id=group_id, level=level, expires_at=end)
    return "The permission is given to every member."


def _take_group(principal: Principal, dataset_id: UUID, given: QueryDict) -> str:
    group_id, level = chosen_id(given, "group"), given.get("level", "")
    revoke_from_group(principal, dataset_id=dataset_id, group_id=group_id, level=level)
    return "The permission is taken from every member."


def _take(principal: Principal, dataset_id: UUID, given: QueryDict) -> str:
    revoke_permissions(principal, dataset_id=dataset_id, user_id=chosen_id(given, "user"), level=given.get("level", ""))
    return "The permission is taken away."


def _revoke(principal: Principal, _: UUID, given: QueryDict) -> str:
    return give_back(principal, chosen_id(given, "lease"), given)


_DEEDS: Final[Mapping[str, Callable[[Principal, UUID, QueryDict], str]]] = MappingProxyType(
    {
        "ask": _ask,
        "grant": _grant,
        "take": _take,
        "grant_group": _grant_group,
        "take_group": _take_group,
        "revoke": _revoke,
    }
)
