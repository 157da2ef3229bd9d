"""The keys of a tenant as a person wants to see them: age, use, versions, what is asked for."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import F, OuterRef, Q, Subquery
from django.utils import timezone

from access.models import EncryptionKey, KeyDestruction, KeyPurpose, KeyState
from access.services.authorize import authorize
from datasets.models import Dataset
from datasets.services.rotation.request import REQUESTABLE, count_uses_of, dataset_of
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: Keys of one page.
KEYS_SHOWN: Final = 500


@dataclass(frozen=True)
class KeyView:
    """One version of a key. ``uses`` counts the stored objects it opens; None for keys whose use is not counted."""

    key: EncryptionKey
    age_days: int
    days_left: int | None
    uses: int | None
    destruction: KeyDestruction | None

    @property
    def is_overdue(self) -> bool:
        return self.days_left is not None and self.days_left < 0 and self.key.state == KeyState.ACTIVE


@dataclass(frozen=True)
class KeyFamily:
    """All versions of the key of one purpose and scope, newest first. ``dataset`` is None for keys of the tenant."""

    purpose: str
    dataset: Dataset | None
    scope_id: UUID
    versions: list[KeyView]

    @property
    def may_rotate(self) -> bool:
        return self.purpose in REQUESTABLE


@dataclass(frozen=True)
class KeyRow:
    """One key of the list, with the dataset it belongs to; None for keys of the tenant."""

    view: KeyView
    dataset: Dataset | None

    @property
    def may_rotate(self) -> bool:
        return self.view.key.purpose in REQUESTABLE and self.view.key.state == KeyState.ACTIVE


@dataclass(frozen=True)
class KeyPage:
    """Keys of the page ``number``, counted from one."""

    rows: list[KeyRow]
    number: int
    has_more: bool


def list_keys(principal: Principal, *, dataset_id: UUID | None = None) -> list[KeyFamily]:
    """The families of keys, those of the tenant first, then dataset by dataset. Raises AccessDenied."""
    authorize(principal, "key.read", ResourceRef("encryption_key", dataset_id=dataset_id))
    rows = EncryptionKey.objects.order_by("scope_id", "purpose", "-version")
    rows = rows.filter(scope_id=dataset_id) if dataset_id else rows
    families: dict[tuple[UUID, str], list[KeyView]] = defaultdict(list)
    for view in _views(list(rows[:KEYS_SHOWN])):
        families[view.key.scope_id, view.key.purpose].append(view)
    datasets = {one.pk: one for one in Dataset.objects.visible_to(principal).filter(pk__in=[pk for pk, _ in families])}
    found = [
        KeyFamily(purpose, datasets.get(scope_id), scope_id, views)
        for (scope_id, purpose), views in families.items()
        if scope_id == principal.tenant_id or scope_id in datasets
    ]
    return sorted(
        found, key=lambda one: (one.dataset is not None, one.dataset.name if one.dataset else "", one.purpose)
    )


def list_key_rows(principal: Principal, *, state: str = "", name: str = "", page: int = 1, limit: int) -> KeyPage:
    """A page of single keys, those of the tenant first, then dataset by dataset, the newest version first.

    ``state`` narrows to keys in it, ``name`` to those of datasets whose name has it. Raises AccessDenied.
    """
    authorize(principal, "key.read", ResourceRef("encryption_key"))
    visible = Dataset.objects.visible_to(principal)
    titles = visible.filter(pk=OuterRef("scope_id")).order_by().values("name")
    rows = EncryptionKey.objects.annotate(dataset_name=Subquery(titles))
    rows = rows.filter(dataset_name__icontains=name) if name else rows.filter(_of_tenant_or_dataset(principal))
    rows = rows.filter(state=state) if state else rows
    rows = rows.order_by(F("dataset_name").asc(nulls_first=True), "purpose", "scope_id", "-version")
    start = (page - 1) * limit
    keys = list(rows[start : start + limit + 1])
    datasets = {one.pk: one for one in visible.filter(pk__in={key.scope_id for key in keys})}
    found = [KeyRow(view, datasets.get(view.key.scope_id)) for view in _views(keys[:limit])]
    return KeyPage(found, page, has_more=len(keys) > limit)


def _of_tenant_or_dataset(principal: Principal) -> Q:
    return Q(scope_id=principal.tenant_id) | Q(dataset_name__isnull=False)


def _views(keys: Sequence[EncryptionKey]) -> list[KeyView]:
    now = timezone.now()
    counted = [
        key
        for key in keys
        if key.purpose == KeyPurpose.DATASET and dataset_of(key) is not None and key.state != KeyState.DESTROYED
    ]
    uses = count_uses_of(counted)
    waiting = {one.key_id: one for one in KeyDestruction.objects.filter(key__in=[key.pk for key in keys])}
    return [
        KeyView(
            key=key,
            age_days=(now - key.created_at).days,
            days_left=(key.expires_at - now).days if key.expires_at else None,
            uses=uses.get(key.pk),
            destruction=waiting.get(key.pk),
        )
        for key in keys
    ]
