"""Schedules: the same export under a guarantee, asked for again and again as long as its owner may."""

from datetime import timedelta
from typing import Final
from uuid import UUID

import orjson
from django.db.models.functions import Now
from django.utils import timezone

from access.models import ApiKey, User
from access.selectors import api_key_principal, user_principal
from access.services.authorize import authorize, may
from access.services.keyring import open_column, seal_column
from datasets.errors.analytics import ScheduleNotFound
from datasets.models import ExportSchedule
from datasets.selectors import get_dataset, resource_of
from datasets.services.bound_releases import bind_table
from datasets.services.guaranteed.options import GuaranteedOptions, require_sound
from datasets.services.guaranteed.request import ACTION, create_guaranteed_export, decide
from vaultsite.kernel.errors import VaultError
from vaultsite.kernel.identifiers import uuid7
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope
from vaultsite.kernel.upkeep import add_up, first_of_each

_BATCH: Final = 100
_KIND: Final = "export-schedule"


def create_schedule(
    principal: Principal,
    *,
    dataset_id: UUID,
    options: GuaranteedOptions,
    interval_hours: int,
    purpose: str | None = None,
) -> ExportSchedule:
    """Ask for an export of ``main`` every ``interval_hours``, first as soon as the planner comes by.

    Decides as the export itself would. Raises what create_guaranteed_export raises.
    """
    require_sound(options)
    facts = {"guarantee": options.guarantee.as_json(), "interval_hours": interval_hours}
    view, dataset, _ = decide(principal, dataset_id=dataset_id, version="main", purpose=purpose, facts=facts)
    bind_table(principal, view, dataset, options)
    pk = uuid7()
    return ExportSchedule.objects.create(
        id=pk,
        dataset=dataset,
        owner=principal.id,
        owner_kind=principal.kind,
        purpose=view.purpose or "",
        interval_hours=interval_hours,
        request=seal_column(_KIND, pk.bytes, orjson.dumps(options.as_json())),
        next_at=timezone.now(),
    )


def list_schedules(principal: Principal, *, dataset_id: UUID) -> list[ExportSchedule]:
    """The principal's own of a dataset, everybody's for who answers for releases; in the open scope, after a decision
    on the dataset was made.
    """
    rows = ExportSchedule.objects.filter(dataset_id=dataset_id).order_by("created_at", "id")
    return list(rows if may(principal, "release.manage") else rows.filter(owner=principal.id))


def end_schedule(principal: Principal, schedule_id: UUID) -> None:
    """Ask no more; what was released stays released. Its owner's to say, and theirs who answer for releases.

    Raises ScheduleNotFound, AccessDenied.
    """
    found = ExportSchedule.objects.filter(pk=schedule_id).first()
    is_own = found is not None and found.owner == principal.id
    if found is None or not (is_own or may(principal, "release.manage")):
        raise ScheduleNotFound
    action = ACTION if is_own else "release.manage"
    dataset = get_dataset(principal, found.dataset_id, action=action)
    authorize(principal, action, resource_of(dataset), purpose=found.purpose, facts={"schedule": str(found.pk)})
    found.delete()


def plan_scheduled_exports() -> int:
    """As vault_system, over all tenants: ask for what is due; returns how many exports were queued."""
    rows = ExportSchedule.objects.using("system").filter(next_at__lte=Now())
    return add_up(_ask, first_of_each(rows, by="next_at", limit=_BATCH))


def _ask(tenant_id: UUID, schedule_id: UUID) -> bool:
    """In a scope of the owner, as the owner may now. A refusal is kept as its code, and asked again next time."""
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        mine = ExportSchedule.objects.select_for_update(skip_locked=True).filter(pk=schedule_id, next_at__lte=Now())
        schedule = mine.first()
        if schedule is None:
            return False
        ExportSchedule.objects.filter(pk=schedule.pk).update(
            next_at=timezone.now() + timedelta(hours=schedule.interval_hours)
        )
        owner = _owner(schedule)
    if owner is None:
        _note(tenant_id, schedule_id, failure="VAULT_AUTHZ_2001")
        return False
    try:
        with tenant_scope(tenant_id, owner):
            content = orjson.loads(open_column(_KIND, schedule.pk.bytes, bytes(schedule.request)))
            export = create_guaranteed_export(
                owner,
                dataset_id=schedule.dataset_id,
                version="main",
                options=GuaranteedOptions.of(content),
                purpose=schedule.purpose,
                schedule_id=schedule.pk,
            )
    except VaultError as error:
        _note(tenant_id, schedule_id, failure=error.code)
        return False
    _note(tenant_id, schedule_id, failure="", last_export=export.pk)
    return True


def _owner(schedule: ExportSchedule) -> Principal | None:
    """The owner with what it may do today; None once it is gone."""
    if schedule.owner_kind == "user":
        user = User.objects.filter(pk=schedule.owner, is_active=True).first()
        return None if user is None else user_principal(user, purpose=schedule.purpose)
    key = ApiKey.objects.filter(pk=schedule.owner, revoked_at=None, expires_at__gt=timezone.now()).first()
    return None if key is None else api_key_principal(key)


def _note(tenant_id: UUID, schedule_id: UUID, **facts: object) -> None:
    with tenant_scope(tenant_id, Principal.system(tenant_id)):
        ExportSchedule.objects.filter(pk=schedule_id).update(**facts)
