"""The keys of a tenant as a person wants to see them: age, use, versions, what is asked for."""

from collections import defaultdict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.models import EncryptionKey, KeyDestruction, KeyPurpose, KeyState
from access.services.authorize import authorize
from datasets.models import Dataset
from datasets.services.rotation.request import REQUESTABLE, count_uses, dataset_of
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


def list_keys(principal: Principal, *, dataset_id: UUID | None = None) -> list[KeyFamily]:
    """The families of keys, those of the tenant first, then dataset by dataset. Raises AccessDenied."""
    authorize(principal, "key.read", ResourceRef("encryption_key", dataset_id=dataset_id))
    rows = EncryptionKey.objects.order_by("scope_id", "purpose", "-version")
    rows = rows.filter(scope_id=dataset_id) if dataset_id else rows
    families: dict[tuple[UUID, str], list[EncryptionKey]] = defaultdict(list)
    for key in rows[:KEYS_SHOWN]:
        families[key.scope_id, key.purpose].append(key)
    datasets = {one.pk: one for one in Dataset.objects.visible_to(principal).filter(pk__in=[pk for pk, _ in families])}
    waiting = {one.key_id: one for one in KeyDestruction.objects.all()}
    found = [
        KeyFamily(purpose, datasets.get(scope_id), scope_id, [_view(key, waiting) for key in keys])
        for (scope_id, purpose), keys in families.items()
        if scope_id == principal.tenant_id or scope_id in datasets
    ]
    return sorted(
        found, key=lambda one: (one.dataset is not None, one.dataset.name if one.dataset else "", one.purpose)
    )


def _view(key: EncryptionKey, waiting: dict[UUID, KeyDestruction]) -> KeyView:
    now = timezone.now()
    is_counted = key.purpose == KeyPurpose.DATASET and dataset_of(key) is not None
    return KeyView(
        key=key,
        age_days=(now - key.created_at).days,
        days_left=(key.expires_at - now).days if key.expires_at else None,
        uses=count_uses(key) if is_counted and key.state != KeyState.DESTROYED else None,
        destruction=waiting.get(key.pk),
    )
