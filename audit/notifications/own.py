"""A person's own notifications: read, and how they want to be told."""

from collections.abc import Mapping
from typing import Final
from uuid import UUID

from django.db.models import QuerySet
from django.db.models.functions import Now

from audit.models import Notification, NotificationSetting
from audit.notifications.kinds import KINDS
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import find_scope

#: Nothing is counted further than this.
COUNTED: Final = 99


def unread_count(principal: Principal | None) -> int:
    """How many notifications a person has not read, COUNTED for as many or more; 0 outside a scope and for programs."""
    if principal is None or principal.kind != "user" or find_scope() is None:
        return 0
    return _shown(principal).filter(read_at=None)[:COUNTED].count()


def list_own(
    principal: Principal, *, is_unread: bool = False, limit: int, after: UUID | None = None
) -> list[Notification]:
    """The newest first."""
    found = _shown(principal).order_by("-id")
    found = found.filter(read_at=None) if is_unread else found
    return list((found.filter(pk__lt=after) if after else found)[:limit])


def find_own(principal: Principal, notification_id: UUID) -> Notification | None:
    """One of one's own."""
    return _shown(principal).filter(pk=notification_id).first()


def mark_read(principal: Principal, *, notification_id: UUID | None = None) -> int:
    """One of one's own, or all of them; returns how many were not read before."""
    unread = _shown(principal).filter(read_at=None)
    return (unread.filter(pk=notification_id) if notification_id else unread).update(read_at=Now())


def own_settings(principal: Principal) -> dict[str, tuple[bool, bool]]:
    """Kind -> whether one is told of it in the application, and by e-mail."""
    own = {row.kind: (row.in_app, row.by_mail) for row in NotificationSetting.objects.filter(user_id=principal.id)}
    return {name: own.get(name, (True, kind.by_mail)) for name, kind in KINDS.items()}


def change_settings(principal: Principal, chosen: Mapping[str, tuple[bool, bool]]) -> None:
    """Choose for kinds as ``own_settings`` tells them. Raises InvalidInput."""
    if not chosen.keys() <= KINDS.keys():
        raise InvalidInput(errors=[FieldProblem("/kind", "There is no such kind")])
    for kind, (in_app, by_mail) in chosen.items():
        NotificationSetting.objects.update_or_create(
            user_id=principal.id, kind=kind, defaults={"in_app": in_app, "by_mail": by_mail}
        )


def _shown(principal: Principal) -> QuerySet[Notification]:
    return Notification.objects.filter(user_id=principal.id, is_shown=True)
