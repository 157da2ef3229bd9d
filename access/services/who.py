"""Who can see what: people against actions on one dataset, and the datasets one person reaches."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from access.models import User
from access.policy.decision import Decision
from access.policy.errors import SubjectNotFound
from access.ports import resource_source
from access.selectors import user_principal
from access.services.authorize import authorize
from access.services.inquiries import ACTION, Asked, answer_for, known_subject
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.principal import Principal

#: The actions a matrix has columns for, each with its heading.
COLUMNS: Final = {
    "dataset.read": "knows of it",
    "record.read": "reads records",
    "record.write": "writes records",
    "export.create": "exports",
    "statistics.query": "asks statistics",
    "dataset.delete": "deletes",
}
#: People or datasets in one matrix.
SHOWN: Final = 200


@dataclass(frozen=True)
class Cell:
    """One answer: ``word`` is what it comes to, ``why`` the policies that decided."""

    is_allowed: bool
    word: str
    why: str


@dataclass(frozen=True)
class Row:
    """Somebody, or a dataset, with one answer for each of COLUMNS."""

    id: UUID
    name: str
    roles: tuple[str, ...]
    cells: tuple[Cell, ...]


def who_can_see(principal: Principal, *, dataset_id: UUID, purpose: str | None) -> list[Row]:
    """Active people against actions on a dataset, by name. Raises AccessDenied, SubjectNotFound."""
    authorize(principal, ACTION, ResourceRef("dataset", str(dataset_id), dataset_id), facts={"matrix": "people"})
    if resource_source().find_dataset(dataset_id) is None:
        raise SubjectNotFound
    users = [(user.username, user_principal(user)) for user in _people()[:SHOWN]]
    return [Row(who.id, name, tuple(sorted(who.roles)), _cells(who, str(dataset_id), purpose)) for name, who in users]


def reach_of(principal: Principal, *, subject_id: UUID, purpose: str | None) -> list[Row]:
    """Datasets against actions, for one person or service. Raises AccessDenied, SubjectNotFound."""
    authorize(principal, ACTION, ResourceRef("user", str(subject_id)), facts={"matrix": "datasets"})
    who = known_subject(subject_id)
    if who is None:
        raise SubjectNotFound
    found = resource_source().datasets(after=None, limit=SHOWN)
    rows = [(one.dataset_id, one.classification, _cells(who, one.id, purpose)) for one in found]
    return [
        Row(found_id, str(found_id), (classification,), cells) for found_id, classification, cells in rows if found_id
    ]


def people(principal: Principal) -> Sequence[User]:
    """The people that a matrix can be asked about. Raises AccessDenied."""
    authorize(principal, ACTION, ResourceRef("policy", "matrix"))
    return _people()[:SHOWN]


def _people() -> Sequence[User]:
    return User.objects.filter(is_active=True).order_by("username")  # type: ignore[return-value]


def _cells(who: Principal, dataset_id: str, purpose: str | None) -> tuple[Cell, ...]:
    asked = Asked(subject_id=str(who.id), action="", resource_id=dataset_id, purpose=purpose)
    return tuple(_cell(answer_for(who, replace(asked, action=action)).decision) for action in COLUMNS)


def _cell(decision: Decision) -> Cell:
    why = ", ".join(decision.policy_ids)
    if decision.effect == "deny":
        return Cell(is_allowed=False, word="no", why=decision.reason)
    if decision.effect == "allow":
        return Cell(is_allowed=True, word="yes", why=why)
    return Cell(is_allowed=True, word=", ".join(map(_duty, map(str, decision.obligations))), why=why)


def _duty(text: str) -> str:
    """An obligation in a few words."""
    plain = {"anonymize:mask": "masked", "anonymize:redact": "redacted"}
    return plain.get(text, text.replace(":", " ", 1))
