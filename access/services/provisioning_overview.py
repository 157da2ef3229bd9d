"""What an administrator sees of a directory's work: its credentials, its requests, the people and groups it manages."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from django.db.models import Count, Q, QuerySet

from access.models import ApiKey, DirectoryGroup, DirectoryUser, RoleBinding, ServiceAccount
from access.models.directory_group import SOURCE
from access.policy.builtin import RULES
from access.ports import RecordedDecision, decision_history
from access.selectors import live_keys
from access.services.authorize import authorize
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Rows of each list on the page.
SHOWN: Final = 50
#: Requests among which failed ones are looked for.
_LOOKED_AT: Final = 500
_PERMISSIONS: Final = RULES["directory.read"].permissions


@dataclass(frozen=True)
class Overview:
    """``keys`` are the live ones of the accounts; groups come with ``people``, a number."""

    accounts: Sequence[ServiceAccount]
    keys: Sequence[ApiKey]
    requests: Sequence[RecordedDecision]
    users: Sequence[DirectoryUser]
    groups: Sequence[DirectoryGroup]
    user_count: int
    group_count: int


def provisioning_overview(principal: Principal, *, failed_only: bool = False) -> Overview:
    """Raises AccessDenied."""
    authorize(principal, "user.read", ResourceRef("directory"))
    accounts = list(_accounts())
    keys = list(live_keys().filter(service_account__in=accounts).order_by("expires_at"))
    looked_at = _LOOKED_AT if failed_only else SHOWN
    requests = decision_history().latest_of([account.pk for account in accounts], limit=looked_at)
    users, groups = DirectoryUser.objects.select_related("user"), DirectoryGroup.objects.select_related("group")
    members = Count("group__memberships", filter=Q(group__memberships__source=SOURCE))
    filled = groups.annotate(people=members).prefetch_related("group__bindings__role")
    return Overview(
        accounts=accounts,
        keys=keys,
        requests=[one for one in requests if one.failure or not failed_only][:SHOWN],
        users=list(users.order_by("-changed_at")[:SHOWN]),
        groups=list(filled.order_by("-changed_at")[:SHOWN]),
        user_count=users.count(),
        group_count=groups.count(),
    )


def _accounts() -> QuerySet[ServiceAccount]:
    """Who could provision: the accounts whose roles permit it."""
    roles = [Q(role__permissions__contains=[name]) for name in sorted(_PERMISSIONS)]
    held = RoleBinding.objects.live().filter(roles[0] | roles[1], service_account__isnull=False)
    return ServiceAccount.objects.filter(pk__in=held.values("service_account_id")).order_by("name")
