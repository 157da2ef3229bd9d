"""Questions and policies for tests that ask no database."""

from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID, uuid4

from access.policy.cedar.compiled import CompiledPolicies
from access.policy.cedar.statement import read_statement
from access.policy.question import Question, Subject
from vaultsite.kernel.events.event import ResourceRef

#: A Wednesday.
NOON: Final = datetime(2026, 11, 18, 12, 0, tzinfo=UTC)
DATASET: Final = UUID("018f0000-0000-7000-8000-0000000000aa")


def policies(*texts: str) -> CompiledPolicies:
    """The policies ``policy:p0@1``, ``policy:p1@1`` and so on."""
    return CompiledPolicies([read_statement(f"policy:p{number}@1", text) for number, text in enumerate(texts)])


def question(
    action: str = "record.read",
    *,
    permissions: tuple[str, ...] = (),
    subject: dict[str, Any] | None = None,
    **facts: Any,
) -> Question:
    """A user without roles asks about a dataset classified pii; ``facts`` are members of the resource or question."""
    mine = {
        name: facts.pop(name) for name in list(facts) if name in {"purpose", "time", "ip_address", "zone", "grants"}
    }
    who = {"kind": "user", "id": str(uuid4()), "permissions": frozenset(permissions), **(subject or {})}
    what = {"type": "dataset", "id": str(DATASET), "dataset_id": DATASET, "classification": "pii", **facts}
    return Question(Subject(**who), action, ResourceRef(**what), **{"time": NOON, "purpose": "analytics", **mine})
