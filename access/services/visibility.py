"""What somebody is shown of what there is: lists, menus and buttons follow the policy that answers a single read."""

from typing import Final

from django.db.models import Q

from access.policy.builtin import permits
from access.policy.cedar.lists import rows_forbidden, rows_permitted
from access.policy.cedar.rows import ALL, NONE, Columns, both_of, either_of, none_of
from access.policy.question import ask
from access.ports import grant_source
from access.services.authorize import decide, may
from access.services.policies_in_force import policies_in_force
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope

_LIST: Final = "dataset.list"


def datasets_allowed(principal: Principal, action: str, columns: Columns) -> Q:
    """The rows of datasets on which the decision point would allow ``action``, in the open scope.

    Decided by roles, grants and the tenant's policies alike, and part of the list's own query. Records nothing.
    """
    if principal.scopes and action not in principal.scopes:
        return NONE
    purpose = current_scope().purpose
    question = ask(principal, action, ResourceRef("dataset"), purpose)
    compiled = policies_in_force().compiled
    if permits(principal.permissions, action):
        allowed = ALL
    else:
        granted = grant_source().rows_granted(principal, action, purpose)
        allowed = either_of(granted, rows_permitted(question, compiled, columns))
    if principal.datasets:
        allowed = both_of(allowed, Q(pk__in=principal.datasets))
    return both_of(allowed, none_of(rows_forbidden(question, compiled, columns)))


def may_list(principal: Principal) -> bool:
    """Whether lists of datasets are for the principal: by a role, a policy, or because they were given one of them.

    For menus, in the open scope: asks the database only where roles do not permit, records nothing.
    """
    if may(principal, _LIST):
        return True
    _, _, refusal = decide(principal, ask(principal, _LIST, ResourceRef("dataset"), current_scope().purpose))
    return refusal is None
