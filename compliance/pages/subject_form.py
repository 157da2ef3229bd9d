"""The public pages of data subjects: the form, what confirms it, and what hands out their data. No sign-in."""

from collections.abc import Callable
from typing import Any, Final, TypeVar

from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import render

from compliance.api.request_results import as_download
from compliance.errors.requests import FormClosed, LinkRefused
from compliance.models.link import LinkKind
from compliance.models.request import RequestType
from compliance.requests.form import OpenForm, Organization
from compliance.requests.packages import open_by_link
from compliance.requests.sealed import MAX_CONTACT, MAX_IDENTIFIERS, MAX_NAME, MAX_TEXT, SubjectFacts
from vaultsite.kernel.errors import FieldProblem, InvalidInput, VaultError
from vaultsite.kernel.tenancy.middleware import facts_of

Page = TypeVar("Page", bound=HttpResponseBase)
#: What people may ask for, in their words.
WISHES: Final = (
    (RequestType.ACCESS, "See what data you hold about me"),
    (RequestType.ERASURE, "Have my data erased"),
    (RequestType.RECTIFICATION, "Have wrong data about me corrected"),
    (RequestType.PORTABILITY, "Take my data with me in a machine-readable form"),
    (RequestType.RESTRICTION, "Have the use of my data restricted"),
    (RequestType.OBJECTION, "Object to the use of my data"),
)
#: Characters of everything that the form may send.
MAX_FORM: Final = 40_000
#: A field that people do not see; programs that fill in every field do.
TRAP: Final = "website"
_DETAILS: Final = 4000


def form_page(request: HttpRequest, organization: str) -> HttpResponse:
    """The form; posted, the same answer whoever asks for whatever."""
    return _answered(request, lambda: _form(request, organization))


def _form(request: HttpRequest, slug: str) -> HttpResponse:
    form = OpenForm(slug, facts_of(request))
    problems: tuple[FieldProblem, ...] = ()
    if request.method == "POST":
        try:
            _submit(request, form)
        except InvalidInput as refusal:
            problems = refusal.errors
        else:
            return render(request, "vault/subject_form_sent.html", {"organization": form.organization})
    context = {
        "organization": form.organization,
        "wishes": [(wish.value, text) for wish, text in WISHES],
        "problems": {problem.field.strip("/"): problem.detail for problem in problems},
        "given": {name: request.POST.get(name, "") for name in ("type", "name", "contact", "identifiers", "details")},
        "limits": {"name": MAX_NAME, "contact": MAX_CONTACT, "details": _DETAILS, "identifiers": MAX_IDENTIFIERS},
        "trap": TRAP,
    }
    return render(request, "vault/subject_form.html", context, status=400 if problems else 200)


def _submit(request: HttpRequest, form: OpenForm) -> None:
    """Raises InvalidInput."""
    given = {name: str(request.POST.get(name, "")) for name in ("type", "name", "contact", "identifiers", "details")}
    if sum(map(len, request.POST.values())) > MAX_FORM:
        raise InvalidInput(errors=[FieldProblem("/details", "shorter, please")])
    if given["type"] not in RequestType.values:
        raise InvalidInput(errors=[FieldProblem("/type", "choose what you ask for")])
    if len(given["details"]) > min(_DETAILS, MAX_TEXT):
        raise InvalidInput(errors=[FieldProblem("/details", f"at most {_DETAILS} characters")])
    identifiers = tuple(line.strip() for line in given["identifiers"].splitlines() if line.strip())
    facts = SubjectFacts(given["name"].strip(), given["contact"].strip(), identifiers, given["details"].strip())
    if request.POST.get(TRAP):
        facts.require_valid()  # a program learns no more than a person
        return
    form.submit(RequestType(given["type"]), facts)


def verify_page(request: HttpRequest, organization: str) -> HttpResponse:
    """What the mailed link opens: a button. Following a link alone confirms nothing: mail scanners follow them too."""
    return _answered(request, lambda: _verify(request, organization))


def _verify(request: HttpRequest, slug: str) -> HttpResponse:
    asked, token = Organization(slug, facts_of(request)), _token(request)
    asked.look_up(LinkKind.IDENTITY, token)
    context: dict[str, Any] = {"organization": asked.organization, "token": token}
    if request.method == "POST":
        context["confirmed"] = asked.confirm(token)
    return render(request, "vault/subject_form_verify.html", context)


def package_page(request: HttpRequest, organization: str) -> HttpResponseBase:
    """What the mailed link to a package opens: a button; posted, the file."""
    return _answered(request, lambda: _package(request, organization))


def _package(request: HttpRequest, slug: str) -> HttpResponseBase:
    asked, token = Organization(slug, facts_of(request)), _token(request)
    asked.look_up(LinkKind.PACKAGE, token)
    if request.method != "POST":
        return render(request, "vault/subject_form_package.html", {"organization": asked.organization, "token": token})
    with asked.scope():
        package = open_by_link(token)
    return as_download(package, asked.principal, facts_of(request), by_link=True)


def _token(request: HttpRequest) -> str:
    return str((request.POST if request.method == "POST" else request.GET).get("token", ""))


def _answered(request: HttpRequest, view: Callable[[], Page]) -> Page | HttpResponse:
    """The page, or the one of a form that is closed or a link that does not hold, which names no reason."""
    try:
        return view()
    except (FormClosed, LinkRefused) as refusal:
        return refused(request, refusal)


def refused(request: HttpRequest, refusal: VaultError) -> HttpResponse:
    """A page without a word of what there is."""
    return render(request, "vault/subject_form_refused.html", {"title": refusal.title}, status=refusal.status)


PATHS: Final[tuple[tuple[str, Callable[..., HttpResponseBase], str], ...]] = (
    ("<slug:organization>/", form_page, "subject_form"),
    ("<slug:organization>/confirm/", verify_page, "subject_form_verify"),
    ("<slug:organization>/package/", package_page, "subject_form_package"),
)
