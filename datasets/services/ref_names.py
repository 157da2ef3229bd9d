"""What branches and tags may be called: never what could be taken for another way to name a version."""

import re
from typing import Final
from uuid import UUID

from datasets.errors.branches import InvalidRefName, RefNameTaken
from datasets.models import Branch, Dataset, VersionTag
from datasets.models.version import DEFAULT_BRANCH
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem

_ALLOWED: Final = re.compile(r"[A-Za-z0-9._/-]{1,100}")
#: Labels and what looks like one, numbers, digests.
_NAMES_A_VERSION: Final = re.compile(r"v?[0-9]+(\.[0-9]+)*|[0-9A-Fa-f]{64}")
#: The last part of a name may not be what the API appends to one.
_VERBS: Final = frozenset({"rollback"})


def require_new_name(dataset: Dataset, name: str) -> None:
    """Whether a new branch or tag of ``dataset``, which the open scope holds locked, may be called that.

    Raises InvalidRefName, RefNameTaken, PersonalDataInText.
    """
    problem = _problem_with(name)
    if problem:
        raise InvalidRefName(problem, errors=[FieldProblem("name", problem)])
    taken = name == DEFAULT_BRANCH or any(
        rows.objects.filter(dataset=dataset, name=name).exists() for rows in (Branch, VersionTag)
    )
    if taken:
        raise RefNameTaken
    refuse_personal_data(name=name)


def _problem_with(name: str) -> str:
    parts = name.split("/")
    if not _ALLOWED.fullmatch(name):
        return "1 to 100 letters, digits, dots, underscores, hyphens and slashes"
    if ".." in name or any(part in ("", ".") for part in parts):
        return "no two dots in a row, and no empty part between slashes"
    if _NAMES_A_VERSION.fullmatch(name) or _is_uuid(name):
        return "it reads like the label, number or id of a version"
    if parts[-1] in _VERBS:
        return f"it may not end in {parts[-1]}"
    return ""


def _is_uuid(name: str) -> bool:
    try:
        UUID(name)
    except ValueError:
        return False
    return True
