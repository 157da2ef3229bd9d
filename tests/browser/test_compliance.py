"""The screens of compliance in a real browser: with nothing in them and with the demo's story, in every look."""

from collections.abc import Iterator
from uuid import UUID

import pytest
from django.urls import reverse

from access.models import Tenant
from access.policy.builtin import ROLES
from compliance.holds.place import Wanted, place_hold
from compliance.incidents.facts import IncidentFacts
from compliance.incidents.open import open_incident
from compliance.models import (
    BreachNotice,
    Incident,
    IncidentScope,
    LegalHold,
    Party,
    ProbeRun,
    Report,
    RetentionPolicy,
    RetentionRun,
    SubjectRequest,
    SubjectSearch,
)
from compliance.models.request import Channel, Law, RequestType
from compliance.pages.paths import PATHS
from compliance.requests.form import set_form
from compliance.requests.intake import Intake, create_request
from compliance.requests.sealed import SubjectFacts
from compliance.retention.policies import PolicyTerms, create_policy
from datasets.models import Dataset, HoldKind
from datasets.services.datasets import DatasetFacts, create_dataset
from datasets.services.holds import HoldScope
from tests.browser.test_access import pytestmark as driven
from tests.browser.test_browser import journey, served
from tests.factories.access import PASSWORD, acting, make_user
from tests.journeys.waiting import until
from vaultsite.demo.compliance_rules import RESEARCH
from vaultsite.demo.compliance_story import tell_compliance_story
from vaultsite.demo.credentials import Login
from vaultsite.demo.evidence_story import tell_evidence_story
from vaultsite.demo.people import acting_as, ensure_users
from vaultsite.demo.seed import DATASETS, seed_dataset
from vaultsite.kernel.jobs import FINAL

__all__ = ["journey"]

pytestmark = driven

OFFICER = "privacy-officer"
#: What one person needs to see every screen.
SEES = ("privacy_officer", "legal_counsel", "tenant_admin")
#: Not pages, but files that are downloaded.
FILES = {"subject_verifier", "register_file"}
#: Every screen that needs no row.
SCREENS = tuple(name for route, _, name in PATHS if "<" not in route and name not in FILES)
LIGHT, DARK = {"scheme": "light", "width": 1280}, {"scheme": "dark", "width": 400}
#: A word without an end.
LONG = "unbroken"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, vault_database: None) -> Iterator[str]:
    """Mail is configured, as the public form asks for; nobody sends any here."""
    with served(tmp_path_factory.mktemp("site"), VAULT_EMAIL_HOST="127.0.0.1", VAULT_EMAIL_PORT="9") as address:
        yield address


@pytest.fixture
def officer(tenant: Tenant) -> str:
    make_user(tenant, *SEES, username=OFFICER)
    return OFFICER


def addresses() -> dict[str, str]:
    return {name: reverse(f"admin:{name}") for name in SCREENS}


def tell_story(tenant: Tenant) -> None:
    """What the demo shows, in a tenant of a test."""
    logins = [Login(tenant.slug, role.replace("_", "-"), PASSWORD, role) for role in ROLES]
    ensure_users(tenant, logins, new=())
    for sample in DATASETS:
        if sample.tenant == "demo":
            seed_dataset(tenant, sample, print)
    tell_evidence_story(tenant, print)
    tell_compliance_story(tenant, print)


def say_too_much(tenant: Tenant) -> None:
    """The longest that each of them takes, without a place to break it."""
    word = LONG * 30
    with acting_as(tenant, "data-steward") as steward:
        dataset = create_dataset(steward, facts=DatasetFacts(name=word[:100]))
    with acting_as(tenant, OFFICER) as person:
        facts = SubjectFacts(name=word[:200], contact=word[:240], identifiers=(word[:240],), details=word)
        create_request(person, intake=Intake(RequestType.ACCESS, Law.CCPA, Channel.LETTER), facts=facts)
        open_incident(person, facts=IncidentFacts(title=word[:200], summary=word, datasets=(dataset.pk,)))
        wanted = [Wanted(dataset.pk, HoldScope(HoldKind.DATASET))]
        place_hold(person, matter=word[:100], reason=word, custodian=person.id, wanted=wanted)
        create_policy(person, terms=PolicyTerms(word[:200], word[:480], "created", minimum_days=1, tags=(LONG,)))


def wait_for_jobs(tenant: Tenant) -> None:
    """A worker may be at what the story began."""

    def are_done() -> bool:
        with acting(tenant):
            kinds = (IncidentScope, ProbeRun, Report, RetentionRun, SubjectSearch)
            return not any(kind.objects.exclude(status__in=FINAL).exists() for kind in kinds)

    until(are_done)


def details(tenant: Tenant) -> dict[str, str]:
    """One of each thing that has a screen of its own: the longest, and the demo's."""
    with acting(tenant):
        notice = BreachNotice.objects.get()
        found: dict[str, tuple[str, list[UUID]]] = {
            "request": ("subject_request", [SubjectRequest.objects.get(state="review").pk]),
            "request_long": ("subject_request", [SubjectRequest.objects.get(channel="letter", state="received").pk]),
            "search": ("subject_search", [SubjectSearch.objects.get().pk]),
            "hold": ("hold", [LegalHold.objects.exclude(confirmed_at=None).get().pk]),
            "hold_long": ("hold", [LegalHold.objects.get(matter__startswith=LONG).pk]),
            "policy": ("retention_policy", [RetentionPolicy.objects.get(action="archive").pk]),
            "retention_run": ("retention_run", [RetentionRun.objects.get().pk]),
            "incident": ("incident", [Incident.objects.get(state="confirmed").pk]),
            "incident_long": ("incident", [Incident.objects.get(title__startswith=LONG).pk]),
            "report": ("report", [Report.objects.get(format="pdf").pk]),
            "party": ("register_party", [Party.objects.get(safeguard="clauses").pk]),
            "assessment": ("register_assessment", [Dataset.objects.get(name="support-chats").pk]),
            "notice": ("breach_notice", [notice.incident_id, notice.pk]),
            "probe_run": ("compliance_probe_run", [ProbeRun.objects.get().pk]),
        }
    shown = {name: reverse(f"admin:{path}", args=keys) for name, (path, keys) in found.items()}
    shown["purpose"] = reverse("admin:consent_purpose", args=[RESEARCH])
    shown["purpose_edit"] = reverse("admin:consent_edit_purpose", args=[RESEARCH])
    shown["store"] = reverse("admin:retention_store", args=["exports"])
    shown["framework"] = reverse("admin:compliance_framework", args=["gdpr"])
    shown["control"] = reverse("admin:compliance_control", args=["gdpr-5.1.f"])
    return shown


def require_sound(seen: dict[str, object]) -> None:
    assert {name: seen[name] for name in ("refused", "console", "barriers", "overflowing")} == {
        "refused": [],
        "console": [],
        "barriers": [],
        "overflowing": [],
    }


def test_screens_with_nothing_in_them_shut_nobody_out(journey, officer) -> None:
    seen = journey("compliance.mjs", {}, who=officer, state="empty", looks=[DARK, LIGHT], screens=addresses())
    require_sound(seen)


def test_screens_of_the_story_are_read_by_everybody_and_worked_by_keyboard(journey, tenant, officer) -> None:
    tell_story(tenant)
    wait_for_jobs(tenant)
    say_too_much(tenant)
    with acting_as(tenant, OFFICER) as person:
        set_form(person, is_open=True, law=Law.GDPR)
    seen = journey(
        "compliance.mjs",
        {},
        who=officer,
        state="full",
        looks=[LIGHT, DARK],
        screens=addresses() | details(tenant),
        form=reverse("subject_form", args=[tenant.slug]),
    )
    require_sound(seen)
    assert "Jane Example" in seen["entered"]
    assert "Look into your mail" in seen["sent"]
    with acting(tenant):
        asked = SubjectRequest.objects.filter(channel=Channel.FORM).get()
    assert asked.state == "identity_pending"
