"""Declare how the records of a dataset are linked to the people whose consent they need."""

import re
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models.functions import Now

from access.services.authorize import authorize
from datasets.models import ConsentLink
from datasets.models.dataset import NamedBy
from datasets.query.ast import BrokenRuleError, parse_path
from datasets.selectors import get_dataset, resource_of
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal

_TYPE: Final = re.compile(r"[A-Z][A-Z0-9_]{1,63}")
_LONGEST: Final = 1024


@dataclass(frozen=True)
class Declared:
    """``subject`` empty: the whole subject index; else a JSON pointer to an identifier of ``subject_type``."""

    subject: str = ""
    subject_type: str = ""
    releases_unlinked: bool = False


def named_by(row: ConsentLink | None) -> NamedBy:
    """What access policies are told of a dataset with this declaration, or without one."""
    if row is not None and row.releases_unlinked:
        return NamedBy.LENIENT
    return NamedBy.DECLARED if row is not None and row.subject else NamedBy.INDEXED


def consent_link_of(principal: Principal, *, dataset_id: UUID) -> Declared:
    """How the records of a dataset name people. Raises DatasetNotFound, AccessDenied."""
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    authorize(principal, "dataset.read", resource_of(dataset))
    row = ConsentLink.objects.filter(dataset=dataset).first()
    return Declared() if row is None else Declared(row.subject, row.subject_type, row.releases_unlinked)


def declare_consent_link(principal: Principal, *, dataset_id: UUID, declared: Declared) -> Declared:
    """Say how the records of a dataset name people, from the next read on.

    Raises DatasetNotFound, AccessDenied, InvalidInput, PersonalDataInText.
    """
    dataset = get_dataset(principal, dataset_id, action="consent.manage")
    facts = {"by_field": bool(declared.subject), "releases_unlinked": declared.releases_unlinked}
    authorize(principal, "consent.manage", resource_of(dataset), facts=facts)
    if problems := _problems(declared):
        raise InvalidInput(errors=problems)
    refuse_personal_data(subject=declared.subject)
    ConsentLink.objects.update_or_create(
        dataset=dataset, defaults={**vars(declared), "declared_by": principal.id, "declared_at": Now()}
    )
    return declared


def _problems(declared: Declared) -> list[FieldProblem]:
    if not declared.subject and not declared.subject_type:
        return []
    problems = []
    if not _TYPE.fullmatch(declared.subject_type):
        problems.append(FieldProblem("/subject_type", "a type like EMAIL_ADDRESS or CUSTOMER, in capitals"))
    try:
        is_pointer = len(declared.subject) <= _LONGEST and declared.subject.startswith(("/data/", "/metadata/"))
        parse_path(declared.subject)
    except BrokenRuleError:
        is_pointer = False
    if not is_pointer:
        problems.append(FieldProblem("/subject", "a JSON pointer that begins with /data/ or /metadata/"))
    return problems
