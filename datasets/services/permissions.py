"""Standing permissions on one dataset: nobody gives what they do not have, nor to themselves."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

from django.contrib.auth.models import Permission
from django.contrib.contenttypes.models import ContentType
from django.utils import timezone

from access.errors import GrantTooWide, UserNotFound
from access.leases.errors import ObjectPermissionNotFound
from access.leases.terms import refuse_problems
from access.models import User
from access.policy.builtin import READ_MASKED, READ_RAW, READ_REDACTED, RULES, reach
from access.policy.decision import Obligation
from access.services.authorize import authorize
from access.services.grants import refuse_reach
from datasets.models import Dataset, DatasetGroupPermission, DatasetUserPermission
from datasets.models.object_permission import ObjectPermissionQuerySet
from datasets.selectors import get_dataset, resource_of
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal

Standing = DatasetUserPermission | DatasetGroupPermission


@dataclass(frozen=True)
class Level:
    """What a permission lets its holder do on the dataset: as much as a role with these ``permissions`` would."""

    codename: str
    title: str
    permissions: frozenset[str]
    obligations: tuple[Obligation, ...] = ()

    @property
    def actions(self) -> frozenset[str]:
        return frozenset(name for name, rule in RULES.items() if rule.permissions & self.permissions)


_VIEW: Final = frozenset({"dataset.read", "version.read"})
#: By the word the API uses, in the order screens offer them.
LEVELS: Final[Mapping[str, Level]] = MappingProxyType(
    {
        "view": Level("view_dataset", "View", _VIEW),
        "read_redacted": Level(
            "read_redacted", "Read redacted", _VIEW | {READ_REDACTED}, (Obligation("anonymize", "redact"),)
        ),
        "read_masked": Level("read_masked", "Read masked", _VIEW | {READ_MASKED}, (Obligation("anonymize", "mask"),)),
        "read_raw": Level("read_raw", "Read raw", _VIEW | {READ_RAW}),
        "statistics": Level("query_statistics", "Ask for statistics", _VIEW | {"statistics.query"}),
        "write": Level("write_records", "Write records", _VIEW | {"record.write", "branch.write", "ingest.read"}),
        "manage": Level("change_dataset", "Manage", _VIEW | {"dataset.update", "schema.write"}),
    }
)
WORDS: Final[Mapping[str, str]] = MappingProxyType({level.codename: word for word, level in LEVELS.items()})


def grant_permission(
    principal: Principal, *, dataset_id: UUID, user_id: UUID, level: str, expires_at: datetime | None = None
) -> DatasetUserPermission:
    """Give a person ``level`` (a key of LEVELS) on a dataset, until ``expires_at`` or for good; again moves the end.

    Raises DatasetNotFound, AccessDenied, UserNotFound, GrantTooWide for what the principal may not do itself or to
    itself, InvalidInput.
    """
    dataset = get_dataset(principal, dataset_id, action="permission.manage")
    facts = {"user": str(user_id), "level": level if level in LEVELS else "", "expires_at": _text(expires_at)}
    authorize(principal, "permission.manage", resource_of(dataset), facts=facts)
    refuse_problems(
        {
            "permission": "" if level in LEVELS else f"one of {', '.join(LEVELS)}",
            "expires_at": "is over" if expires_at is not None and expires_at <= timezone.now() else "",
        }
    )
    user = User.objects.filter(pk=user_id, is_active=True).first()
    if user is None:
        raise UserNotFound
    if user.pk == principal.id:
        raise GrantTooWide
    refuse_reach(principal, reach(LEVELS[level].permissions))
    row: DatasetUserPermission
    row, _ = DatasetUserPermission.objects.update_or_create(
        user=user,
        permission=permission_of(LEVELS[level].codename),
        content_object=dataset,
        defaults={"granted_by": principal.id, "expires_at": expires_at},
    )
    emit(event_of(EventType.ACCESS_GRANTED, row, {"granted_by": str(principal.id), "expires_at": _text(expires_at)}))
    return row


def revoke_permissions(principal: Principal, *, dataset_id: UUID, user_id: UUID, level: str = "") -> int:
    """Take one permission of a person on a dataset away, or (no ``level``) all of them; returns how many.

    Raises DatasetNotFound, AccessDenied, ObjectPermissionNotFound, InvalidInput.
    """
    dataset = get_dataset(principal, dataset_id, action="permission.manage")
    facts = {"user": str(user_id), "change": "revoke"}
    authorize(principal, "permission.manage", resource_of(dataset), facts=facts)
    refuse_problems({"permission": "" if level in {"", *LEVELS} else f"one of {', '.join(LEVELS)}"})
    rows = _standing().filter(content_object=dataset, user_id=user_id)
    rows = rows.filter(permission__codename=LEVELS[level].codename) if level else rows
    found = list(rows)
    if not found:
        raise ObjectPermissionNotFound
    for row in found:
        take_away(row)
    return len(found)


def take_away(row: Standing) -> None:
    """Without a decision of its own, in the open scope."""
    emit(event_of(EventType.ACCESS_REVOKED, row, {}))
    type(row).objects.filter(pk=row.pk).delete()


def list_permissions(dataset: Dataset) -> list[DatasetUserPermission]:
    """Those that live now, by person and level, for who is decided on already."""
    rows = _standing().live().filter(content_object=dataset)
    order = list(WORDS)
    return sorted(rows, key=lambda row: (row.user.username, order.index(row.permission.codename)))


def held_permissions(principal: Principal, dataset_id: UUID) -> list[Standing]:
    """What ``principal`` holds on a dataset now, by themselves and by their groups."""
    own = DatasetUserPermission.objects.live().filter(user=principal.id, content_object=dataset_id)
    found: list[Standing] = list(own.select_related("permission").order_by("id"))
    if principal.groups:
        shared = DatasetGroupPermission.objects.live().filter(group__in=principal.groups, content_object=dataset_id)
        found += shared.select_related("permission").order_by("id")
    return found


def _standing() -> ObjectPermissionQuerySet:
    found: ObjectPermissionQuerySet = DatasetUserPermission.objects.select_related(
        "user", "permission", "content_object"
    )
    return found


def permission_of(codename: str) -> Permission:
    """Django's row of a model permission; made by migrate, the same for every tenant."""
    content_type = ContentType.objects.get_for_model(Dataset)
    return Permission.objects.get(content_type=content_type, codename=codename)


def _text(moment: datetime | None) -> str | None:
    return moment.isoformat() if moment else None


def event_of(kind: EventType, row: Standing, facts: dict[str, Any]) -> Event:
    """An event about a standing permission: ids, words and times."""
    told = {"permission": str(row.pk), "level": WORDS[row.permission.codename], "holder": str(row.holder_id)}
    resource = resource_of(row.content_object)
    return Event(type=kind, operation="update", resource=resource, metadata={**told, **facts})
