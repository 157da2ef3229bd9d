"""Release rules: whom the records of a dataset are about and what may be told of them, declared by a steward."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, Self
from uuid import UUID

import orjson
from django.conf import settings
from django.utils import timezone

from access.services.authorize import authorize
from access.services.keyring import open_column, seal_column
from anonymization.guarantees.hierarchy import parse_hierarchy
from datasets.models import Dataset, ReleaseRules
from datasets.query.ast import BrokenRuleError, Path, parse_path
from datasets.selectors import get_dataset, resource_of
from datasets.services.descriptions import refuse_personal_data
from datasets.services.guaranteed.options import HierarchyKind, HierarchyPlan
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal

_KIND: Final = "release-rules"
_ID: Final = ("id",)


@dataclass(frozen=True)
class NewRules:
    """What a steward declares. ``subject`` is a path as queries have them, ``id`` where each record is about somebody
    else; columns are named as tables name them. ``minimum_k`` None: the installation's.
    """

    subject: str
    sensitive: Sequence[str] = ()
    insensitive: Sequence[str] = ()
    minimum_k: int | None = None
    allows_id_filters: bool = False
    hierarchies: Mapping[str, HierarchyPlan] = field(default_factory=dict)


@dataclass(frozen=True)
class DeclaredRules:
    """The rules of a dataset as they bind now."""

    subject: Path
    sensitive: tuple[str, ...]
    insensitive: tuple[str, ...]
    minimum_k: int
    allows_id_filters: bool
    hierarchies: Mapping[str, HierarchyPlan]
    declared_by: UUID
    declared_at: datetime

    @property
    def is_by_record(self) -> bool:
        """Whether every record is about somebody else."""
        return self.subject.tokens == _ID

    @classmethod
    def of(cls, row: ReleaseRules) -> Self:
        """In the open scope."""
        return cls(
            subject=parse_path(row.subject),
            sensitive=tuple(row.sensitive),
            insensitive=tuple(row.insensitive),
            minimum_k=row.minimum_k or settings.VAULT["MINIMUM_K"],
            allows_id_filters=row.allows_id_filters,
            hierarchies=_opened(row),
            declared_by=row.declared_by,
            declared_at=row.declared_at,
        )


def rules_of(dataset_id: UUID) -> DeclaredRules | None:
    """The rules of a dataset, in the open scope; None where nobody has declared any."""
    row = ReleaseRules.objects.filter(dataset_id=dataset_id).first()
    return None if row is None else DeclaredRules.of(row)


def read_release_rules(principal: Principal, *, dataset_id: UUID) -> tuple[Dataset, DeclaredRules | None]:
    """Raises DatasetNotFound, AccessDenied."""
    dataset = get_dataset(principal, dataset_id, action="release.rules.read")
    authorize(principal, "release.rules.read", resource_of(dataset))
    return dataset, rules_of(dataset.pk)


def declare_release_rules(principal: Principal, *, dataset_id: UUID, new: NewRules) -> DeclaredRules:
    """Declare the rules of a dataset, in place of earlier ones; they bind from the next request on.

    Raises DatasetNotFound, AccessDenied, InvalidInput, PersonalDataInName, InvalidHierarchy.
    """
    dataset = get_dataset(principal, dataset_id, action="release.manage")
    authorize(principal, "release.manage", resource_of(dataset))
    subject = _subject_of(new)
    _require_sound(new, subject)
    row, _ = ReleaseRules.objects.update_or_create(
        dataset=dataset,
        defaults={
            "subject": subject.pointer,
            "sensitive": list(dict.fromkeys(new.sensitive)),
            "insensitive": list(dict.fromkeys(new.insensitive)),
            "minimum_k": new.minimum_k,
            "allows_id_filters": new.allows_id_filters,
            "hierarchies": _sealed(dataset.pk, new.hierarchies),
            "declared_by": principal.id,
            "declared_at": timezone.now(),
        },
    )
    rules = DeclaredRules.of(row)
    emit(
        Event(
            type=EventType.RELEASE_RULES_DECLARED,
            operation="update",
            resource=resource_of(dataset),
            metadata={
                "minimum_k": rules.minimum_k,
                "allows_id_filters": rules.allows_id_filters,
                "sensitive": len(rules.sensitive),
                "insensitive": len(rules.insensitive),
                "hierarchies": len(rules.hierarchies),
            },
        )
    )
    return rules


def _subject_of(new: NewRules) -> Path:
    try:
        path = parse_path(new.subject)
    except BrokenRuleError as broken:
        raise InvalidInput(errors=[FieldProblem("/subject", str(broken))]) from None
    if path.tokens != _ID and len(path.tokens) == 1:
        raise InvalidInput(errors=[FieldProblem("/subject", "one member of data or of metadata, or id")])
    return path


def _require_sound(new: NewRules, subject: Path) -> None:
    refuse_personal_data(subject=new.subject)
    for member in ("sensitive", "insensitive", "hierarchies"):
        refuse_personal_data(**{f"{member}/{place}": name for place, name in enumerate(getattr(new, member))})
    problems = [
        FieldProblem(f"/{member}", "no column is both, and none is the subject")
        for member in ("sensitive", "insensitive")
        if str(subject) in getattr(new, member) or set(new.sensitive) & set(new.insensitive)
    ]
    if problems:
        raise InvalidInput(errors=problems)
    for plan in new.hierarchies.values():
        if plan.kind is HierarchyKind.TABLE:
            parse_hierarchy(plan.table, is_ordered=plan.is_ordered)


def _sealed(dataset_id: UUID, plans: Mapping[str, HierarchyPlan]) -> bytes:
    said = {name: plan.as_json() for name, plan in plans.items()}
    return seal_column(_KIND, dataset_id.bytes, orjson.dumps(said))


def _opened(row: ReleaseRules) -> dict[str, HierarchyPlan]:
    if row.hierarchies is None:
        return {}
    said: dict[str, Any] = orjson.loads(open_column(_KIND, row.dataset_id.bytes, bytes(row.hierarchies)))
    return {name: HierarchyPlan.of(plan) for name, plan in said.items()}
