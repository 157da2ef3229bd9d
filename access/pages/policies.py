"""The screens of access policies: the list with the readable form, one policy with its history, and a replay."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse

from access.models import AccessPolicy, AccessPolicyVersion, PolicyReplay, ReplayDifference, Role
from access.pages.naming import datasets_by_name, things_named
from access.pages.page import refusal_of, render_page
from access.policy.builtin import RULES
from access.policy.cedar.validation import MAX_TEXT
from access.policy.form import GROUPS, RuleForm
from access.policy.question import as_uuid
from access.ports import resource_source
from access.selectors import known_purposes, people_named
from access.services import policies, replays
from access.services.authorize import may
from vaultsite.kernel.errors import InvalidInput, VaultError
from vaultsite.kernel.events.event import ResourceRef
from vaultsite.kernel.tenancy.ports import resolve_principal

_SHOWN: Final = 500
_OBLIGATIONS: Final = ("anonymize", "mask", "filter_rows", "consent", "row_limit", "k", "epsilon", "audit_level")


def policies_page(request: HttpRequest) -> HttpResponse:
    """Every policy, and a form for another; posted, it is drafted or only checked."""
    if request.method != "POST":
        return _list(request)
    if request.POST.get("do") == "check":
        return _list(request, verdict=_check(request), refusal=None)
    made: list[AccessPolicyVersion] = []
    refusal = refusal_of(lambda: made.append(_draft(request)))
    if refusal is not None:
        return _list(request, refusal=refusal)
    return HttpResponseRedirect(reverse("admin:access_policy", args=[made[0].policy_id]))


def policy_page(request: HttpRequest, policy_id: UUID) -> HttpResponse:
    """One policy with its versions; posted, it is changed as the button says."""
    if request.method != "POST":
        return _one(request, policy_id)
    act = _ACTS.get(request.POST.get("do", ""))
    if act is None:
        raise InvalidInput
    made: list[Any] = []
    refusal = refusal_of(lambda: made.append(act(request, policy_id)))
    if refusal is not None:
        return _one(request, policy_id, refusal)
    if isinstance(made[0], PolicyReplay):
        return HttpResponseRedirect(reverse("admin:access_replay", args=[made[0].pk]))
    return HttpResponseRedirect(reverse("admin:access_policy", args=[policy_id]))


def replay_page(request: HttpRequest, replay_id: UUID) -> HttpResponse:
    """How far a replay is, and who would gain or lose what."""
    principal = resolve_principal(request)
    replay = replays.get_replay(principal, replay_id=replay_id)
    rows = list(replay.differences.order_by("-decisions", "id")[:_SHOWN])
    things = things_named(principal, [_resource(row) for row in rows])
    named = dict(zip((row.pk for row in rows), things, strict=True))
    groups = replays.grouped(rows)
    context = {
        "title": f"Replay of {replay.version.policy.name}, version {replay.version.number}",
        "replay": replay,
        "people": people_named(principal, {row.principal for row in rows}),
        "groups": [
            (heading, [(row, named[row.pk]) for row in groups[kind]])
            for kind, heading in (("gains", "Would gain"), ("loses", "Would lose"), ("otherwise", "Shown otherwise"))
        ],
        "is_cut": len(rows) == _SHOWN,
    }
    return render_page(request, "vault/access_replay.html", context)


def _resource(row: ReplayDifference) -> ResourceRef:
    dataset_id = as_uuid(row.resource_id) if row.resource_type == "dataset" and row.resource_id else None
    return ResourceRef(row.resource_type, row.resource_id, dataset_id=dataset_id)


def _list(request: HttpRequest, *, verdict: Any = None, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    rows = [] if refusal or verdict else policies.list_policies(principal)
    given = request.POST
    context: dict[str, Any] = {
        "title": "Access policies",
        "rows": [(row, _current(row)) for row in rows],
        "is_listing": refusal is None and verdict is None,
        "verdict": verdict,
        "given": given,
        "chosen": {name: given.getlist(name) for name in ("actions", "classifications", "purposes")},
        "cedar": _cedar_of(given) if given else "",
        "may_manage": may(principal, policies.MANAGE),
        **_choices(),
    }
    return render_page(request, "vault/access_policies.html", context, refusal=refusal)


def _one(request: HttpRequest, policy_id: UUID, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    if refusal is None:
        policy = policies.get_policy(principal, policy_id=policy_id)
    else:  # decided on already
        policy = AccessPolicy.objects.prefetch_related("versions").get(pk=policy_id)
    versions = sorted(policy.versions.all(), key=lambda one: -one.number)
    who = {who for one in versions for who in (one.created_by, one.activated_by, one.retired_by)}
    context = {
        "title": f"Access policy {policy.name}",
        "policy": policy,
        "versions": versions,
        "people": people_named(principal, who),
        "active": _current(policy),
        "text": request.POST.get("text", "")[:MAX_TEXT] or (versions[0].text if versions else ""),
        "replays": PolicyReplay.objects.filter(version__policy=policy).select_related("version").order_by("-id")[:10],
        "may_manage": may(principal, policies.MANAGE),
    }
    return render_page(request, "vault/access_policy.html", context, refusal=refusal)


def _draft(request: HttpRequest) -> AccessPolicyVersion:
    given = request.POST
    text = given.get("text", "")[: MAX_TEXT + 1].strip()
    form = None if text else form_of(given).as_json()
    return policies.draft_policy(
        resolve_principal(request),
        name=given.get("name", "").strip()[:64],
        description=given.get("description", "")[:301],
        text=text,
        form=form,
    )


def _check(request: HttpRequest) -> Any:
    return policies.check_policy(resolve_principal(request), text=_cedar_of(request.POST))


def _cedar_of(given: QueryDict) -> str:
    """The text that was written, else what the form says; empty where the form says nothing that can be meant."""
    text = given.get("text", "")[: MAX_TEXT + 1].strip()
    if text:
        return text
    try:
        return form_of(given).as_cedar()
    except VaultError:
        return ""


def form_of(given: QueryDict) -> RuleForm:
    """The readable form as the browser sends it. Raises InvalidInput for hours that are no numbers."""
    hours = [given.get("from_hour") or "0", given.get("to_hour") or "24"]
    if not all(hour.isdecimal() and len(hour) <= 2 for hour in hours):  # noqa: PLR2004
        raise InvalidInput
    return RuleForm(
        effect="forbid" if given.get("effect") == "forbid" else "permit",
        who=given.get("who", ""),
        who_id=given.get("who_id", "").strip(),
        actions=tuple(given.getlist("actions")),
        dataset_id=given.get("dataset_id", "").strip(),
        classifications=tuple(given.getlist("classifications")),
        tags=_split(given.get("tags", "")),
        residencies=_split(given.get("residencies", "")),
        purposes=tuple(given.getlist("purposes")),
        from_hour=int(hours[0]),
        to_hour=int(hours[1]),
        workdays_only=given.get("workdays_only") == "1",
        network=given.get("network", "").strip(),
        needs_mfa=given.get("needs_mfa") == "1",
        own_only=given.get("own_only") == "1",
        obligations=tuple(f"{kind}:{value}" for kind in _OBLIGATIONS if (value := given.get(kind, "").strip())),
    )


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _rewrite(request: HttpRequest, policy_id: UUID) -> AccessPolicyVersion:
    text = request.POST.get("text", "")[: MAX_TEXT + 1]
    return policies.draft_version(resolve_principal(request), policy_id=policy_id, text=text)


def _activate(request: HttpRequest, policy_id: UUID) -> AccessPolicyVersion:
    return policies.activate_version(resolve_principal(request), policy_id=policy_id, number=_number(request, "number"))


def _retire(request: HttpRequest, policy_id: UUID) -> AccessPolicyVersion:
    return policies.retire_version(resolve_principal(request), policy_id=policy_id, number=_number(request, "number"))


def _replay(request: HttpRequest, policy_id: UUID) -> PolicyReplay:
    return replays.start_replay(
        resolve_principal(request),
        policy_id=policy_id,
        number=_number(request, "number"),
        days=_number(request, "days"),
        without=request.POST.get("without") == "1",
    )


_ACTS: Final[dict[str, Callable[[HttpRequest, UUID], Any]]] = {
    "draft": _rewrite,
    "activate": _activate,
    "retire": _retire,
    "replay": _replay,
}


def _number(request: HttpRequest, name: str) -> int:
    text = request.POST.get(name, "")
    if not text.isdecimal() or len(text) > 6:  # noqa: PLR2004
        raise InvalidInput
    return int(text)


def _current(policy: Any) -> AccessPolicyVersion | None:
    return next((one for one in policy.versions.all() if one.state == "active"), None)


def _choices() -> dict[str, Any]:
    return {
        "roles": list(Role.objects.order_by("code").values_list("code", "name")),
        "purposes": known_purposes(),
        "datasets": datasets_by_name(),
        "classifications": list(resource_source().classifications()),
        "actions": [*GROUPS, *sorted(RULES)],
    }
