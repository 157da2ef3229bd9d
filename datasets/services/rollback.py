"""Roll a branch back: a new version with the records of an earlier one, and history only ever grows."""

import secrets
from uuid import UUID

from django.utils import timezone

from datasets.errors.branches import BranchMoved, VersionNotOnBranch
from datasets.models import Branch, Dataset, Version, VersionKind
from datasets.selectors import find_version
from datasets.services.branches import get_branch, require_head, require_writable
from datasets.services.commit import NewVersion, Profile, commit_version, read_profile
from datasets.services.descriptions import refuse_personal_data
from datasets.services.history import comes_from
from datasets.services.suppression import flag_returns_in
from datasets.services.writable import hold_dataset
from datasets.tree.builder import TreeResult
from vaultsite.kernel.crypto.keys import SecretKey
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import current_scope


def roll_back(
    principal: Principal, *, dataset_id: UUID, branch_name: str, version: str, message: str = "", expected: str = ""
) -> Version:
    """Put a version on the branch whose tree is that of ``version``, which the branch comes from.

    No record is read or written: the new version names the tree that is there, so what was erased from it stays erased.
    ``expected`` names the version the branch must point at; empty: whichever it does. Raises DatasetNotFound,
    AccessDenied, BranchNotFound, BranchProtected, VersionNotFound, VersionNotOnBranch, BranchMoved, PersonalDataInText.
    """
    dataset = hold_dataset(principal, dataset_id, action="branch.write")
    refuse_personal_data(message=message)
    require_writable(dataset, branch_name)
    branch = get_branch(dataset, branch_name)
    target = find_version(dataset, version)
    if expected:
        require_head(dataset, branch, expected)
    if branch.head is None or not comes_from(branch.head, target):
        raise VersionNotOnBranch
    made = commit_version(_again(dataset, branch, branch.head, target, author=principal.id, message=message))
    if made is None:
        raise BranchMoved
    flag_returns_in(dataset, cause=made.kind)
    return made


def _again(
    dataset: Dataset, branch: Branch, head: Version, target: Version, *, author: UUID, message: str
) -> NewVersion:
    change: Profile = read_profile(target)
    change.subtract(read_profile(head))
    return NewVersion(
        dataset_id=dataset.pk,
        branch=branch.name,
        kind=VersionKind.ROLLBACK,
        head=head,
        epoch=dataset.erasure_epoch,
        tree=_tree_of(target),
        sealed_bytes=0,
        profile_change=change,
        author=author,
        created_at=timezone.now(),
        seed=SecretKey(secrets.token_bytes(32)),
        message=message or f"Rolled back to {target.label}",
        purpose=current_scope().purpose or "",
        facts={"rolled_back_to": target.label},
    )


def _tree_of(version: Version) -> TreeResult:
    """The stored tree as a build that changed nothing would give it."""
    return TreeResult(
        root=bytes(version.root),
        count=version.record_count,
        canonical_bytes=version.canonical_bytes,
        chunks=version.chunk_count,
        new_chunks=frozenset(),
        dropped_chunks=frozenset(),
        added=0,
        replaced=0,
        removed=0,
    )
