"""The organization's last administrator, whom no directory takes away."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db.models import Q

from access.models import Role, RoleBinding
from access.scim.errors import Immutable

#: Who has it can give it to others.
_ADMINISTERING: Final = "role.manage"


@contextmanager
def keep_an_administrator() -> Iterator[None]:
    """What is done inside leaves somebody who manages roles, if there was somebody before. Raises Immutable."""
    had_one = _has_administrator()
    yield
    if had_one and not _has_administrator():
        raise Immutable("The last administrator of the organization stays")


def _has_administrator() -> bool:
    roles = Role.objects.filter(permissions__contains=[_ADMINISTERING])
    held = RoleBinding.objects.live().filter(role__in=roles)
    by_group = Q(group__memberships__user__is_active=True)
    return held.filter(Q(user__is_active=True) | by_group).exists()
