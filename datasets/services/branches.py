"""Branches: names of a dataset that move from version to version, each move by compare-and-swap."""

from typing import Any
from uuid import UUID

from django.utils import timezone

from datasets.errors.branches import BranchMoved, BranchNotFound, BranchProtected, DefaultBranchKept
from datasets.models import Branch, Dataset, Version
from datasets.models.version import DEFAULT_BRANCH
from datasets.selectors import find_version, resource_of
from datasets.services.ref_names import require_new_name
from datasets.services.writable import hold_dataset, require_open
from vaultsite.kernel.events.bus import emit
from vaultsite.kernel.events.event import Event, EventType
from vaultsite.kernel.tenancy.principal import Principal

__all__ = ["DEFAULT_BRANCH", "get_branch", "require_writable"]


def get_branch(dataset: Dataset, name: str) -> Branch:
    """The branch, its head beside it. Raises BranchNotFound.

    The default branch always is: before its first version it has no row and no head.
    """
    found = None
    if "\0" not in name:  # no text of the database holds one
        found = Branch.objects.filter(dataset=dataset, name=name).select_related("head").first()
    if found is None and name != DEFAULT_BRANCH:
        raise BranchNotFound
    return found or _first_branch(dataset)


def require_writable(dataset: Dataset, branch_name: str) -> None:
    """Whether versions may be put on this branch without a review.

    What holds until the open scope ends when ``dataset`` is locked in it: branches change under that lock only. Raises
    DatasetNotFound (it was deleted meanwhile), DatasetArchived, BranchNotFound, BranchProtected.
    """
    require_open(dataset)
    if get_branch(dataset, branch_name).is_protected:
        raise BranchProtected


def list_branches(dataset: Dataset, *, after: str = "", limit: int) -> list[Branch]:
    """Branches in order of name, at most ``limit`` after the one called ``after``; the default one always is there."""
    rows = Branch.objects.filter(dataset=dataset)
    found = list(rows.filter(name__gt=after).select_related("head").order_by("name")[:limit])
    if after < DEFAULT_BRANCH and not rows.filter(name=DEFAULT_BRANCH).exists():
        found.append(_first_branch(dataset))
    return sorted(found, key=lambda branch: branch.name)[:limit]


def _first_branch(dataset: Dataset) -> Branch:
    """The default branch before it has a row."""
    since = dataset.created_at
    return Branch(dataset=dataset, name=DEFAULT_BRANCH, created_by=dataset.created_by, created_at=since, moved_at=since)


def create_branch(principal: Principal, *, dataset_id: UUID, name: str, source: str = DEFAULT_BRANCH) -> Branch:
    """A new branch at the version that ``source`` names; nothing is copied.

    Raises DatasetNotFound, AccessDenied, VersionNotFound, InvalidRefName, RefNameTaken, PersonalDataInText.
    """
    dataset = hold_dataset(principal, dataset_id, action="branch.write")
    require_new_name(dataset, name)
    head = find_version(dataset, source)
    branch = Branch.objects.create(dataset=dataset, name=name, head=head, created_by=principal.id)
    emit(ref_event(dataset, head, change="created", branch=name))
    return branch


def move_branch(principal: Principal, *, dataset_id: UUID, name: str, version: str, expected: str | None) -> Branch:
    """Point the branch at another version of the dataset if it points at ``expected`` (None: nowhere) now.

    Raises DatasetNotFound, AccessDenied, BranchNotFound, BranchProtected, VersionNotFound, BranchMoved.
    """
    dataset = hold_dataset(principal, dataset_id, action="branch.write")
    require_writable(dataset, name)
    branch = get_branch(dataset, name)
    require_head(dataset, branch, expected)
    head = find_version(dataset, version)
    before = branch.head.label if branch.head else None
    branch.head, branch.moved_at = head, timezone.now()
    branch.save()
    emit(ref_event(dataset, head, change="moved", branch=name, before=before))
    return branch


def protect_branch(principal: Principal, *, dataset_id: UUID, name: str, is_protected: bool) -> Branch:
    """Say whether the branch moves by reviewed merges only.

    Raises DatasetNotFound, AccessDenied, BranchNotFound.
    """
    dataset = hold_dataset(principal, dataset_id, action="branch.protect")
    branch = get_branch(dataset, name)
    if branch.is_protected != is_protected:
        branch.is_protected = is_protected
        branch.save()
        emit(ref_event(dataset, branch.head, change="protected" if is_protected else "unprotected", branch=name))
    return branch


def delete_branch(principal: Principal, *, dataset_id: UUID, name: str) -> None:
    """Remove the name; the versions it led to stay, by label.

    Raises DatasetNotFound, AccessDenied, BranchNotFound, DefaultBranchKept, BranchProtected.
    """
    dataset = hold_dataset(principal, dataset_id, action="branch.write")
    if name == DEFAULT_BRANCH:
        raise DefaultBranchKept
    require_writable(dataset, name)
    branch = get_branch(dataset, name)
    branch.delete()
    emit(ref_event(dataset, branch.head, change="deleted", branch=name))


def require_head(dataset: Dataset, branch: Branch, expected: str | None) -> None:
    """Whether the branch points at the version that ``expected`` names. Raises BranchMoved, VersionNotFound."""
    wanted = find_version(dataset, expected).pk if expected is not None else None
    if branch.head_id != wanted:
        raise BranchMoved(head=branch.head.label if branch.head else None)


def ref_event(dataset: Dataset, version: Version | None, **facts: Any) -> Event:
    """A branch or tag has changed; ``facts`` say how."""
    return Event(type=EventType.REF_CHANGED, operation="update", resource=resource_of(dataset, version), metadata=facts)
