"""The register of processing in the browser, as it is printed, and its parties."""

from collections.abc import Callable
from typing import Any, Final
from uuid import UUID

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect, QueryDict
from django.http.response import HttpResponseBase
from django.urls import reverse

from access.pages.page import refusal_of, render_page
from access.selectors import may
from compliance.models import PartyRole, Safeguard
from compliance.register.art30 import controller_register, processor_register
from compliance.register.dpia import draft_assessment
from compliance.register.parties import PartyFacts, add_party, end_party, known_parties
from datasets.models import Dataset
from datasets.selectors import get_dataset
from vaultsite.kernel.errors import InvalidInput
from vaultsite.kernel.tenancy.ports import resolve_principal
from vaultsite.kernel.tenancy.principal import Principal

#: Datasets whose impact assessment the page links to.
_LINKED: Final = 200
_MEMBERS: Final = ("role", "name", "contact", "country", "safeguard", "contract_reference", "does")


def register_page(request: HttpRequest) -> HttpResponse:
    """The register as it is now; posted, a party joins it or has ended."""
    principal = resolve_principal(request)
    refusal = None
    if request.method == "POST":
        refusal = refusal_of(lambda: _act(principal, request.POST))
        if refusal is None:
            messages.success(request, "Saved: the register says so from now on.")
            return HttpResponseRedirect(reverse("admin:register"))
    as_processor = request.GET.get("role") == "processor"
    register = (processor_register if as_processor else controller_register)(principal)
    context: dict[str, Any] = {
        "title": "Register of processing",
        "register": register,
        "as_processor": as_processor,
        "parties": known_parties(),
        "datasets": Dataset.objects.visible_to(principal).order_by("name").values_list("pk", "name")[:_LINKED],
        "roles": PartyRole.choices,
        "safeguards": Safeguard.choices,
        "may_manage": may(principal, "register.manage"),
    }
    return render_page(request, "vault/register.html", context, refusal=refusal)


def assessment_page(request: HttpRequest, dataset_id: UUID) -> HttpResponse:
    """An impact assessment of one dataset, begun, to be printed or copied."""
    principal = resolve_principal(request)
    text = draft_assessment(principal, dataset_id=dataset_id)
    dataset = get_dataset(principal, dataset_id, action="dataset.read")
    context = {"title": f"Impact assessment of {dataset.name}", "text": text}
    return render_page(request, "vault/dpia.html", context)


def _act(principal: Principal, given: QueryDict) -> None:
    """Raises InvalidInput for what no form of the page sends."""
    if not given.get("end"):
        facts = PartyFacts(**{name: str(given.get(name, "")).strip() for name in _MEMBERS})
        add_party(principal, facts=facts)
        return
    try:
        ended = UUID(str(given["end"]))
    except ValueError:
        raise InvalidInput from None
    end_party(principal, party_id=ended)


PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("compliance/register/", register_page, "register"),
    ("compliance/dpia/<uuid:dataset_id>/", assessment_page, "dpia"),
)
