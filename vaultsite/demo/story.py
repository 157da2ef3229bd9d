"""What has happened to a demo dataset: a branch with reworded answers waits for review, and a model was trained."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final
from uuid import UUID

from access.models import Tenant
from access.services.authorize import may
from datasets.models import Branch, Dataset, EdgeKind, MergeRequest, NodeType
from datasets.models.version import DEFAULT_BRANCH
from datasets.selectors import find_version
from datasets.services.branches import create_branch
from datasets.services.drafts.patch import apply_patch, begin_patch
from datasets.services.lineage import LineageEnd, Report, report_edge
from datasets.services.merges.requests import open_merge_request
from vaultsite.demo.people import principal_named
from vaultsite.kernel.tenancy.principal import Principal
from vaultsite.kernel.tenancy.scope import tenant_scope

BRANCH: Final = "clearer-answers"
#: Somebody other than the steward, who may then review it.
AUTHOR: Final = "ml-engineer"
_TITLE: Final = "Clearer answers in three conversations"
_REWORDED: Final = {
    "chat-0001": ("please tell me the last order you placed", "please name the month of your last order"),
    "chat-0002": ("Please add photographs", "Please send photographs of both cars"),
    "chat-0003": ("A new one goes to the address we hold.", "A new one arrives within five days."),
}


def tell_story(tenant: Tenant, dataset_name: str, file: Path, say: Callable[[str], None]) -> None:
    """Make the branch, its version, the merge request and the model, or what is missing of them."""
    author = principal_named(tenant, AUTHOR)
    with tenant_scope(tenant.pk, author):
        dataset = Dataset.objects.get(name=dataset_name)
        if not may(author, "branch.write") or MergeRequest.objects.filter(dataset=dataset).exists():
            return
        branch = Branch.objects.filter(dataset=dataset, name=BRANCH).first()
        if branch is None:
            branch = create_branch(author, dataset_id=dataset.pk, name=BRANCH)
        first = find_version(dataset, DEFAULT_BRANCH)
        is_changed = branch.head_id != first.pk
    if not is_changed:
        _reword(author, dataset.pk, file)
    with tenant_scope(tenant.pk, author):
        model = LineageEnd(NodeType.MODEL, "support-bot", namespace="registry")
        report_edge(author, dataset_id=dataset.pk, version=first, report=Report(EdgeKind.TRAINED, model))
        open_merge_request(author, dataset_id=dataset.pk, title=_TITLE, source=BRANCH, target=DEFAULT_BRANCH)
    say(f"{tenant.slug}/{dataset_name}: branch {BRANCH} waits for review")


def _reword(author: Principal, dataset_id: UUID, file: Path) -> None:
    with tenant_scope(author.tenant_id, author):
        patch = begin_patch(author, dataset_id=dataset_id)
    body = {"branch": BRANCH, "message": "Answers that say what comes next", "records": list(_reworded(file))}
    apply_patch(author, patch, json.dumps(body).encode())


def _reworded(file: Path) -> Iterator[dict[str, object]]:
    with file.open(encoding="utf-8") as lines:
        for record in map(json.loads, lines):
            before, after = _REWORDED.get(record["id"], ("", ""))
            if before:
                for turn in record["messages"]:
                    turn["content"] = turn["content"] and turn["content"].replace(before, after)
                yield {"id": record["id"], "data": record}
