"""The screens of decisions: the log, one decision explained, and who can see what."""

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse

from access.factors.errors import SecondFactorRequired, StepUpRequired
from access.models import Group, Role
from access.pages.naming import datasets_by_name, rule_words, things_named
from access.pages.page import open_page, render_page
from access.policy.question import as_uuid
from access.selectors import known_purposes, people_named
from access.services import explain, who
from access.services.inquiries import ACTION
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal

_SHOWN: Final = 100
#: Where no grant would help: what would, by the reason of the denial.
_HELP: Final[Mapping[str, str]] = {
    "no purpose stated": "A purpose has to be stated.",
    "unknown purpose": "The purpose has to be one of the registry.",
    "outside the scopes of the credential": "The credential is too narrow: another one would do.",
    "outside the datasets of the credential": "The credential is made for other datasets: another one would do.",
    SecondFactorRequired.slug: "Signing in with a second factor would be enough.",
    StepUpRequired.slug: "Confirming once more who they are would be enough.",
}


def decisions_page(request: HttpRequest) -> HttpResponse:
    """The newest decisions; ``denied=1`` shows denials alone."""
    principal = resolve_principal(request)
    denied_only = request.GET.get("denied") == "1"
    found = explain.recent_decisions(principal, limit=_SHOWN, denied_only=denied_only)
    things = things_named(principal, [one.resource for one in found])
    context = {
        "title": "Decisions",
        "rows": [
            (one, thing, [rule_words(policy) for policy in one.policies if one.is_allowed or _is_own(policy)])
            for one, thing in zip(found, things, strict=True)
        ],
        "people": people_named(principal, [one.actor_id for one in found]),
        "denied_only": denied_only,
        "limit": _SHOWN,
    }
    return render_page(request, "vault/access_decisions.html", context)


def _is_own(policy_id: str) -> bool:
    """Not one that comes with the vault, which denies nothing by itself."""
    return not policy_id.startswith("builtin:")


def decision_page(request: HttpRequest, event_id: UUID) -> HttpResponse:
    """Why a decision came out as it did."""
    principal = resolve_principal(request)
    why = explain.explain_decision(principal, event_id=event_id)
    subject, resource = why.question.subject, why.question.resource
    ids = {"principal": as_uuid(subject.id), "resource.owner": as_uuid(resource.owner) if resource.owner else None}
    people = people_named(principal, ids.values())
    [thing] = things_named(principal, [resource])
    names = {name: people[key] for name, key in ids.items() if key} | {
        "resource": thing.name,
        "principal.groups": _group_names(subject.groups),
    }
    context = {
        "title": "Why a decision came out so",
        "why": why,
        "one": why.recorded,
        "who": people.get(ids["principal"], subject.id) if ids["principal"] else subject.id,
        "thing": thing,
        "decided_by": [(policy, rule_words(policy)) for policy in why.policies],
        "attributes": [(name, value, names.get(name, "")) for name, value in why.attributes],
        "help": _HELP.get(why.reason, "Nothing that could be granted would change this answer."),
        "missing_role": _role_name(why.missing.roles) if why.missing else "",
        "missing_dataset": as_uuid(why.missing.dataset_id) if why.missing and why.missing.dataset_id else None,
    }
    return render_page(request, "vault/access_decision.html", context)


def _group_names(ids: Collection[str]) -> str:
    """What the groups are called that are still there."""
    found = Group.objects.filter(pk__in=[key for key in map(as_uuid, ids) if key])
    return ", ".join(found.order_by("display_name").values_list("display_name", flat=True))


def _role_name(codes: Sequence[str]) -> str:
    """What the first of some roles is called; nothing where there is none."""
    return str(Role.objects.filter(code=codes[0]).values_list("name", flat=True).first() or "") if codes else ""


def who_page(request: HttpRequest) -> HttpResponse:
    """People against actions on a dataset, or datasets against actions for one person."""
    principal = resolve_principal(request)
    dataset_id, subject_id = _id(request, "dataset"), _id(request, "person")
    purpose = request.GET.get("purpose") or None
    kind, rows = "", []
    if dataset_id is not None:
        kind, rows = "people", who.who_can_see(principal, dataset_id=dataset_id, purpose=purpose)
    elif subject_id is not None:
        kind, rows = "datasets", who.reach_of(principal, subject_id=subject_id, purpose=purpose)
    else:
        open_page(request, ACTION, ResourceRef("policy", "matrix"))
    datasets, subjects = datasets_by_name(), who.subjects()
    asked = dict(datasets).get(dataset_id, "") if dataset_id else dict(subjects).get(subject_id or UUID(int=0), "")
    context = {
        "title": "Who can see what",
        "columns": list(who.COLUMNS.values()),
        "purposes": known_purposes(),
        "purpose": purpose or "",
        "datasets": datasets,
        "subjects": subjects,
        "dataset": dataset_id,
        "person": subject_id if kind == "datasets" else None,
        "asked": asked,
        "kind": kind,
        "rows": rows,
        "limit": who.SHOWN,
    }
    return render_page(request, "vault/access_who.html", context)


def _id(request: HttpRequest, name: str) -> UUID | None:
    text = request.GET.get(name, "").strip()
    found = as_uuid(text) if text else None
    if text and found is None:
        raise InvalidInput(errors=[FieldProblem(name, "is no id")])
    return found
