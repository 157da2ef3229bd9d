"""Branches: names of a dataset that move from version to version."""

from typing import Final

from datasets.errors.branches import BranchNotFound, BranchProtected
from datasets.models import Branch, Dataset

DEFAULT_BRANCH: Final = "main"


def get_branch(dataset: Dataset, name: str) -> Branch:
    """The branch, its head beside it. Raises BranchNotFound.

    The default branch always is: before its first version it has no row and no head.
    """
    found = None
    if "\0" not in name:  # no text of the database holds one
        found = Branch.objects.filter(dataset=dataset, name=name).select_related("head").first()
    if found is None and name != DEFAULT_BRANCH:
        raise BranchNotFound
    return found or Branch(dataset=dataset, name=DEFAULT_BRANCH)


def require_writable(dataset: Dataset, branch_name: str) -> None:
    """Whether versions may be put on this branch without a review. Raises BranchNotFound, BranchProtected.

    What holds until the open scope ends when ``dataset`` is locked in it: branches change under that lock only.
    """
    if get_branch(dataset, branch_name).is_protected:
        raise BranchProtected
