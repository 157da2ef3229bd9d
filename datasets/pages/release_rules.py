"""The release rules of a dataset: what binds whoever asks about its people; a steward declares them here."""

from typing import Any, Final
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.urls import reverse
from rest_framework.exceptions import ValidationError

from access.selectors import people_named
from access.services.authorize import may
from datasets.api.release_rules import ReleaseRulesInput
from datasets.pages.page import render_page
from datasets.pages.refusal import refusal_of
from datasets.pages.steps import as_steps
from datasets.services.guaranteed.options import HierarchyKind
from datasets.services.release_rules import DeclaredRules, declare_release_rules, read_release_rules
from vaultsite.kernel.api.problem import as_vault_error
from vaultsite.kernel.errors import InvalidInput, VaultError
from vaultsite.kernel.tenancy.ports import resolve_principal

_KINDS: Final = (
    (HierarchyKind.FLAT, "value or any"),
    (HierarchyKind.INTERVALS, "intervals (widths)"),
    (HierarchyKind.PREFIXES, "prefixes (lengths)"),
    (HierarchyKind.DATES, "dates (steps)"),
    (HierarchyKind.TABLE, "the table of labels"),
)
_MEMBERS: Final = ("column", "kind", "steps", "table", "ordered")
#: Empty lines of the form, for columns that have no hierarchy yet.
_SPARE: Final = 2
#: Lines that a form may have.
_MOST: Final = 50


def release_rules_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """What is declared; posted, it is declared anew."""
    if request.method != "POST":
        return _page(request, dataset_id)
    refusal = refusal_of(lambda: _declare(request, dataset_id))
    if refusal is not None:
        return _page(request, dataset_id, refusal)
    return HttpResponseRedirect(reverse("admin:datasets_release_rules", args=[dataset_id]))


def _declare(request: HttpRequest, dataset_id: UUID) -> None:
    body = ReleaseRulesInput(data=_answers(request.POST))
    if not body.is_valid():
        raise as_vault_error(ValidationError(body.errors))
    declare_release_rules(resolve_principal(request), dataset_id=dataset_id, new=body.rules())


def _answers(given: QueryDict) -> dict[str, Any]:
    """The form as the body of the request over REST."""
    return {
        "subject": given.get("subject", "").strip(),
        "sensitive": _lines(given.get("sensitive", "")),
        "insensitive": _lines(given.get("insensitive", "")),
        "minimum_k": given.get("minimum_k") or None,
        "allow_id_filters": "allow_id_filters" in given,
        "hierarchies": {
            line["column"]: {
                "kind": line["kind"],
                "steps": as_steps(line["steps"]),
                "table": line["table"] if line["kind"] == HierarchyKind.TABLE else "",
                "ordered": line["ordered"] == "yes",
            }
            for line in _given_lines(given)
            if line["column"]
        },
    }


def _lines(text: str) -> list[str]:
    return [line.strip() for line in text.splitlines() if line.strip()]


def _given_lines(given: QueryDict) -> list[dict[str, str]]:
    members = [given.getlist(member) for member in _MEMBERS]
    if any(len(values) != len(members[0]) for values in members) or len(members[0]) > _MOST:
        raise InvalidInput
    return [dict(zip(_MEMBERS, map(str.strip, row), strict=True)) for row in zip(*members, strict=True)]


def _page(request: HttpRequest, dataset_id: UUID, refusal: VaultError | None = None) -> HttpResponse:
    principal = resolve_principal(request)
    dataset, rules = read_release_rules(principal, dataset_id=dataset_id)
    is_posted = refusal is not None
    context: dict[str, Any] = {
        "title": f"Release rules of {dataset.name}",
        "rules": rules,
        "people": people_named(principal, [rules.declared_by if rules else None]),
        "usual_k": settings.VAULT["MINIMUM_K"],
        "may_declare": may(principal, "release.manage"),
        "form": _typed(request.POST) if is_posted else _filled(rules),
        "kinds": _KINDS,
        "refusal": refusal,
    }
    page = render_page(request, "vault/release_rules.html", context, dataset=dataset, tab="datasets_release_rules")
    page.status_code = refusal.status if refusal else 200
    return page


def _typed(given: QueryDict) -> dict[str, Any]:
    """What was typed, so that nothing of it is lost."""
    texts = {name: given.get(name, "") for name in ("subject", "sensitive", "insensitive", "minimum_k")}
    lines = [line for line in _given_lines(given) if line["column"]]
    return texts | {"allow_id_filters": "allow_id_filters" in given, "lines": lines + [_spare() for _ in range(_SPARE)]}


def _filled(rules: DeclaredRules | None) -> dict[str, Any]:
    """What is declared, to be changed."""
    spare = [_spare() for _ in range(_SPARE)]
    if rules is None:
        empty = dict.fromkeys(("subject", "sensitive", "insensitive", "minimum_k"), "")
        return empty | {"allow_id_filters": False, "lines": spare}
    lines = [
        {
            "column": name,
            "kind": str(plan.kind),
            "steps": " ".join(f"{step:g}" if isinstance(step, float) else str(step) for step in plan.steps),
            "table": plan.table,
            "ordered": "yes" if plan.is_ordered else "no",
        }
        for name, plan in rules.hierarchies.items()
    ]
    return {
        "subject": str(rules.subject),
        "sensitive": "\n".join(rules.sensitive),
        "insensitive": "\n".join(rules.insensitive),
        "minimum_k": rules.minimum_k,
        "allow_id_filters": rules.allows_id_filters,
        "lines": lines + spare,
    }


def _spare() -> dict[str, str]:
    return {"column": "", "kind": str(HierarchyKind.INTERVALS), "steps": "", "table": "", "ordered": "no"}
