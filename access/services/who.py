"""Who can see what: people against actions on one dataset, and the datasets one person reaches."""

from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from django.db.models import QuerySet

from access.models import ServiceAccount, User
from access.policy.decision import Decision
from access.policy.errors import SubjectNotFound
from access.ports import dataset_directory, resource_source
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
    found = {one.dataset_id: one for one in resource_source().datasets(after=None, limit=SHOWN) if one.dataset_id}
    known = dataset_directory().describe(found.keys())
    rows = [
        Row(key, known[key].name, (one.classification,), _cells(who, one.id, purpose))
        for key, one in found.items()
        if key in known
    ]
    return sorted(rows, key=lambda row: row.name)


def subjects() -> list[tuple[UUID, str]]:
    """Ids and names of the people and service accounts that a matrix can be asked about, for who was decided on."""
    users = _people()[:SHOWN].values_list("pk", "username")
    accounts = ServiceAccount.objects.filter(is_active=True).order_by("name")[:SHOWN]
    return [*users, *((account.pk, f"{account.name} (service account)") for account in accounts)]


def _people() -> QuerySet[User]:
    return User.objects.filter(is_active=True).order_by("username")


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
    kind, _, value = text.partition(":")
    if kind == "quota":  # the value is the id of a lease
        return "counted"
    plain = {"anonymize:mask": "masked", "anonymize:redact": "redacted", f"row_limit:{value}": f"{value} rows a time"}
    return plain.get(text, text.replace(":", " ", 1))
