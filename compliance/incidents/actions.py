"""What stops a breach: through the services that do it anyway, each with its own decision, written in the timeline."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from django.db.models import Count, Exists, OuterRef, Q

from access.models import ApiKey, ServiceAccount, User
from access.services.api_keys import revoke_api_key
from access.services.browsers import revoke_sessions_of
from access.services.service_accounts import disable_service_account
from compliance.errors.incidents import WrongIncidentState
from compliance.incidents.selectors import open_incident_for
from compliance.incidents.timeline import record
from compliance.models import Incident, IncidentEntry, IncidentState
from datasets.errors.quarantine import VersionQuarantined
from datasets.models import Version, VersionQuarantine
from datasets.selectors import get_dataset
from datasets.services.version_quarantine import quarantine_version
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal

#: Versions of one dataset that one act puts in quarantine.
MAX_VERSIONS: Final = 200


@dataclass(frozen=True)
class Readable:
    """How many versions of a dataset can be read, and how many of it are in quarantine."""

    open: int
    held: int


def readable_versions(dataset_ids: Iterable[UUID]) -> dict[UUID, Readable]:
    """What a quarantine of each would reach, and what of it one holds already, in the open scope."""
    held = VersionQuarantine.objects.filter(version=OuterRef("pk"), released_at=None)
    rows = Version.objects.filter(dataset_id__in=list(dataset_ids)).annotate(is_held=Exists(held))
    counted = rows.order_by().values("dataset_id").annotate(all=Count("pk"), held=Count("pk", filter=Q(is_held=True)))
    return {row["dataset_id"]: Readable(row["all"] - row["held"], row["held"]) for row in counted}


def quarantine_dataset(
    principal: Principal, *, incident_id: UUID, dataset_id: UUID, versions: tuple[str, ...] = (), reason: str
) -> IncidentEntry:
    """Put versions of a dataset (none named: all of them) out of everybody's reach; those in quarantine stay.

    Raises AccessDenied (of incidents, or of the quarantine), IncidentNotFound, IncidentAboutYourself,
    WrongIncidentState, DatasetNotFound, VersionNotFound, PersonalDataInText, InvalidInput.
    """
    incident = _acting(principal, incident_id)
    dataset = get_dataset(principal, dataset_id, action="quarantine.review")
    held = VersionQuarantine.objects.filter(dataset=dataset, released_at=None).values("version_id")
    rows = Version.objects.filter(dataset=dataset).exclude(pk__in=held).order_by("-sequence")
    wanted = versions or tuple(rows.values_list("label", flat=True)[: MAX_VERSIONS + 1])
    if not 0 < len(wanted) <= MAX_VERSIONS:
        raise InvalidInput(errors=[FieldProblem("versions", f"1 to {MAX_VERSIONS} that are not in quarantine")])
    placed = sum(_is_placed(principal, dataset_id, version, reason) for version in wanted)
    return record(incident, "quarantined", text=reason, facts={"dataset": str(dataset_id), "versions": placed})


def _is_placed(principal: Principal, dataset_id: UUID, version: str, reason: str) -> bool:
    try:
        quarantine_version(principal, dataset_id=dataset_id, version=version, reason=reason)
    except VersionQuarantined:  # somebody was faster
        return False
    return True


def end_access_of(principal: Principal, *, incident_id: UUID, principal_id: UUID) -> IncidentEntry:
    """End what a person or program that the incident names acts by: a person's sessions and the keys they made, an API
    key, or a service account with everything of it.

    Raises AccessDenied (of incidents, or of sessions and keys), StepUpRequired, IncidentNotFound,
    IncidentAboutYourself, WrongIncidentState, InvalidInput.
    """
    incident = _acting(principal, incident_id)
    if str(principal_id) not in _named(incident):
        raise InvalidInput(errors=[FieldProblem("principal_id", "The incident does not name them")])
    for model, end in _ENDINGS:
        if model.objects.filter(pk=principal_id).exists():
            ended = end(principal, principal_id)
            return record(incident, "revoked", facts={"principal": str(principal_id), **ended})
    raise InvalidInput(errors=[FieldProblem("principal_id", "There is no such person or program")])


def _named(incident: Incident) -> set[str]:
    """Whom the incident is about, and the programs they made."""
    keys = ApiKey.objects.filter(created_by__in=incident.principals).values_list("pk", flat=True)
    accounts = ServiceAccount.objects.filter(created_by__in=incident.principals).values_list("pk", flat=True)
    return {*incident.principals, *map(str, keys), *map(str, accounts)}


def _end_person(principal: Principal, user_id: UUID) -> dict[str, int]:
    sessions = revoke_sessions_of(principal, user_id=user_id)
    keys = list(ApiKey.objects.filter(created_by=user_id, revoked_at=None).values_list("pk", flat=True))
    for key_id in keys:
        revoke_api_key(principal, key_id=key_id)
    return {"sessions": sessions, "keys": len(keys)}


def _end_key(principal: Principal, key_id: UUID) -> dict[str, int]:
    revoke_api_key(principal, key_id=key_id)
    return {"keys": 1}


def _end_account(principal: Principal, account_id: UUID) -> dict[str, int]:
    disable_service_account(principal, account_id=account_id)
    return {"accounts": 1}


_Ending = Callable[[Principal, UUID], dict[str, int]]
_ENDINGS: Final[tuple[tuple[type[User] | type[ApiKey] | type[ServiceAccount], _Ending], ...]] = (
    (User, _end_person),
    (ApiKey, _end_key),
    (ServiceAccount, _end_account),
)


def _acting(principal: Principal, incident_id: UUID) -> Incident:
    incident = open_incident_for(principal, "incident.manage", incident_id)
    if incident.state in (IncidentState.DISMISSED, IncidentState.CLOSED):
        raise WrongIncidentState(is_now=incident.state)
    return incident
