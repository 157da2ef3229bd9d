"""Ask what an incident reached; look at what was found."""

from datetime import datetime
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.utils import timezone

from access.models import ApiKey, ServiceAccount
from compliance.errors.incidents import IncidentScopeNotFound, TooManyScopes
from compliance.incidents.selectors import find_incident, open_incident_for
from compliance.incidents.timeline import record
from compliance.models import Incident, IncidentScope
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.jobs import FINAL, JobStatus, enqueue, new_lease
from vaultsite.kernel.tenancy.principal import Principal

#: Whose events are looked at, programs included; each takes its own walk through the audit.
MAX_ACTORS: Final = 200


def request_scope(
    principal: Principal,
    *,
    incident_id: UUID,
    since: datetime | None = None,
    until: datetime | None = None,
    with_programs: bool = True,
) -> IncidentScope:
    """Queue the computing of what whom and what the incident names reached, between two moments (None: as the incident
    says; without an end, until now). ``with_programs`` adds the API keys and service accounts its people made.

    Raises AccessDenied, IncidentNotFound, IncidentAboutYourself, TooManyScopes, InvalidInput.
    """
    incident = open_incident_for(principal, "incident.manage", incident_id)
    if IncidentScope.objects.filter(incident=incident).exclude(status__in=FINAL).exists():
        raise TooManyScopes
    now = timezone.now()
    begin, end = since or incident.occurred_from, min(until or incident.occurred_until or now, now)
    if problems := _problems(incident, begin, end):
        raise InvalidInput(errors=problems)
    actors = _actors(incident.principals, with_programs=with_programs)
    if len(actors) > MAX_ACTORS:
        raise InvalidInput(errors=[FieldProblem("principals", f"at most {MAX_ACTORS} with their programs")])
    criteria = {
        "principals": actors,
        "datasets": incident.datasets,
        "since": begin.isoformat() if begin else None,
        "until": end.isoformat(),
    }
    scope = IncidentScope.objects.create(
        incident=incident,
        criteria=criteria,
        requested_by=principal.id,
        lease_until=new_lease(),
        created_at=now,
        progress={"stage": "queued"},
    )
    record(
        incident, "scope.asked", facts={"scope": str(scope.pk), "since": criteria["since"], "until": end.isoformat()}
    )
    enqueue(scope)
    return scope


def _problems(incident: Incident, begin: datetime | None, end: datetime) -> list[FieldProblem]:
    problems = []
    if not (incident.principals or incident.datasets):
        problems.append(FieldProblem("principals", "The incident names nobody and no dataset: say whom or what first"))
    if begin is None:
        problems.append(FieldProblem("since", "Say since when: the incident does not"))
    elif begin >= end:
        problems.append(FieldProblem("until", "later than since"))
    return problems


def _actors(principals: list[str], *, with_programs: bool) -> list[str]:
    """The ids that events name as their actor."""
    if not with_programs:
        return principals
    accounts = ServiceAccount.objects.filter(created_by__in=principals).values_list("pk", flat=True)
    owned = Q(created_by__in=principals) | Q(service_account_id__in=principals)
    keys = ApiKey.objects.filter(owned | Q(service_account__created_by__in=principals)).values_list("pk", flat=True)
    return list(dict.fromkeys([*principals, *sorted(map(str, accounts)), *sorted(map(str, keys))]))


def list_scopes(principal: Principal, *, incident_id: UUID) -> list[IncidentScope]:
    """The latest first. Raises AccessDenied, IncidentNotFound."""
    return scopes_of(find_incident(principal, incident_id))


def scopes_of(incident: Incident) -> list[IncidentScope]:
    return list(IncidentScope.objects.filter(incident=incident).order_by("-id"))


def get_scope(principal: Principal, *, incident_id: UUID, scope_id: UUID) -> IncidentScope:
    """Raises AccessDenied, IncidentNotFound, IncidentScopeNotFound."""
    found = IncidentScope.objects.filter(incident=find_incident(principal, incident_id), pk=scope_id).first()
    if found is None:
        raise IncidentScopeNotFound
    return found


def latest_scope(incident: Incident) -> IncidentScope | None:
    """The newest that has ended well."""
    return IncidentScope.objects.filter(incident=incident, status=JobStatus.SUCCEEDED).order_by("-id").first()


def latest_result(incident: Incident) -> dict[str, Any]:
    """What the newest scope found; empty before there is one."""
    scope = latest_scope(incident)
    found: dict[str, Any] = scope.result if scope else {}
    return found
