"""What the vault holds, in figures: counts and kinds of findings, never values."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from access.models import Role, RoleBinding
from access.policy import builtin
from access.services.authorize import may
from access.services.visibility import may_list
from datasets.models import Branch, Dataset, Version
from datasets.services.commit import read_profile
from vaultsite.kernel.tenancy.principal import Principal

#: Datasets whose findings are added up; more are said to be there, not counted.
SUMMED: Final = 200
_MAIN: Final = "main"


@dataclass(frozen=True)
class Share:
    """One bar of a picture: ``percent`` of the longest."""

    name: str
    count: int
    percent: int


@dataclass(frozen=True)
class FieldProfile:
    """The findings of one field by entity type, most first."""

    field: str
    count: int
    shares: list[Share]


@dataclass(frozen=True)
class Overview:
    """``is_partial`` says that records and findings cover the newest SUMMED datasets only."""

    datasets: int
    versions: int
    records: int
    findings: int
    by_type: list[Share]
    is_partial: bool


@dataclass(frozen=True)
class Exposure:
    """What holders of a role are shown of a dataset's records; ``holders`` is None for who may not know them."""

    role: str
    name: str
    shown: str
    holders: int | None


def summarize(principal: Principal) -> Overview | None:
    """Counts over the newest versions; None for who may not list datasets. The page that shows them records why."""
    if not may_list(principal):
        return None
    visible = Dataset.objects.visible_to(principal)
    branches = Branch.objects.select_related("head").filter(dataset__in=visible, name=_MAIN, head__isnull=False)
    heads = [branch.head for branch in branches.order_by("-dataset_id")[: SUMMED + 1] if branch.head]
    found: Counter[str] = Counter()
    for head in heads[:SUMMED]:
        for (_, entity_type), count in read_profile(head).items():
            found[entity_type] += count
    return Overview(
        datasets=visible.count(),
        versions=Version.objects.filter(dataset__in=visible).count(),
        records=sum(head.record_count for head in heads[:SUMMED]),
        findings=found.total(),
        by_type=shares(found),
        is_partial=len(heads) > SUMMED,
    )


def shares(counts: Mapping[str, int]) -> list[Share]:
    """Counts as bars, longest first."""
    longest = max(counts.values(), default=0)
    ordered = sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    return [Share(name, count, max(1, round(100 * count / longest))) for name, count in ordered if count > 0]


def profile_by_field(version: Version) -> list[FieldProfile]:
    """The findings of a version, field by field, most first; every bar has the same scale."""
    counts = read_profile(version)
    longest = max(counts.values(), default=1)
    fields: dict[str, list[Share]] = {}
    for (field, entity_type), count in sorted(counts.items(), key=lambda item: (-item[1], item[0])):
        if count > 0:
            share = Share(entity_type, count, max(1, round(100 * count / longest)))
            fields.setdefault(field, []).append(share)
    rows = [FieldProfile(field, sum(share.count for share in found), found) for field, found in fields.items()]
    return sorted(rows, key=lambda row: (-row.count, row.field))


def exposure(principal: Principal, dataset: Dataset) -> list[Exposure]:
    """What each role is shown of the dataset's records: ``raw``, ``masked``, ``redacted`` or ``nothing``."""
    holders = _holders() if may(principal, "role.read") else None
    return [
        Exposure(role.code, role.name, _shown(frozenset(role.permissions), dataset), _count(holders, role.code))
        for role in Role.objects.order_by("name")
    ]


def _shown(permissions: frozenset[str], dataset: Dataset) -> str:
    if not builtin.permits(permissions, "dataset.read") or not builtin.permits(permissions, "record.read"):
        return "nothing"
    operator = builtin.operator_for(permissions)
    if operator is None:
        return "raw"
    if dataset.classification == builtin.RESTRICTED:
        return "nothing"
    return {"mask": "masked", "redact": "redacted"}[operator]


def _holders() -> Counter[str]:
    return Counter(RoleBinding.objects.live().values_list("role__code", flat=True))


def _count(holders: Counter[str] | None, code: str) -> int | None:
    return None if holders is None else holders[code]
