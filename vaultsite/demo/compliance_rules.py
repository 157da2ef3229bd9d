"""The rules of a demo tenant: purposes and their lawful basis, parties of the register, holds, periods of retention."""

from datetime import timedelta
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.models import LawfulBasis, Tenant
from compliance.consents.purposes import Terms, change_purpose, create_purpose, known_purposes
from compliance.holds.place import Wanted, confirm_hold, place_hold
from compliance.holds.texts import NoticeText
from compliance.models import LegalHold, Party, PartyRole, RetentionPolicy, Safeguard, WithdrawalEffect
from compliance.register.parties import PartyFacts, add_party
from compliance.retention.plan import start_run
from compliance.retention.policies import PolicyTerms, create_policy, record_event
from compliance.retention.run import run_retention
from datasets.models import HoldKind
from datasets.services.holds import HoldScope, Identifier
from vaultsite.demo.people import acting_as

_OFFICER: Final = "privacy-officer"
_COUNSEL: Final = "legal-counsel"
#: People agree to this one; the others stand on another basis.
RESEARCH: Final = "product-research"
_CUSTOMERS: Final = "Customers who wrote to the support"
_PURPOSES: Final = {
    "model-training": Terms(
        description="Training and fine-tuning of models",
        lawful_basis=LawfulBasis.LEGITIMATE_INTERESTS,
        subjects=_CUSTOMERS,
        time_limit="Two years after the conversation ended",
        note="Balanced in the assessment of March: names and contact data are masked before training",
    ),
    "debugging": Terms(
        description="Finding the cause of a fault",
        lawful_basis=LawfulBasis.CONTRACT,
        subjects=_CUSTOMERS,
        time_limit="Until the fault is mended, a quarter at most",
        note="The support that was ordered does not work otherwise",
    ),
}
_RESEARCH_TERMS: Final = Terms(
    description="Asking what customers wish for",
    lawful_basis=LawfulBasis.CONSENT,
    on_withdrawal=WithdrawalEffect.ERASE,
    subjects=_CUSTOMERS,
    time_limit="Until consent is withdrawn, two years at most",
    note="Nobody needs this for what they ordered: they are asked",
)
_PARTIES: Final = (
    PartyFacts(PartyRole.CONTROLLER, "Larkspur Home Ltd", "privacy@larkspur.example.org", "IE"),
    PartyFacts(PartyRole.DPO, "Data protection office", "dpo@larkspur.example.org", "IE"),
    PartyFacts(
        PartyRole.PROCESSOR,
        "Cinder Labelling Inc",
        "legal@cinder.example.org",
        "US",
        Safeguard.CLAUSES,
        "Order 7 of the framework contract",
        "Labels preference pairs",
    ),
    PartyFacts(
        PartyRole.PROCESSOR,
        "Harbour Hosting SAS",
        "dpo@harbour.example.org",
        "FR",
        contract_reference="Hosting contract",
        does="Runs the machines",
    ),
)
_ENDED: Final = "project.ended"
_POLICIES: Final = (
    PolicyTerms(
        name="Evaluation sets end with their project",
        legal_basis="Nothing is evaluated with them a year after the project (GDPR art. 5(1)(e))",
        starts="event",
        event=_ENDED,
        duration_days=365,
        action="archive",
        grace_days=30,
        tags=("evaluation",),
    ),
    PolicyTerms(
        name="Preference pairs for two years",
        legal_basis="A model has to be explained while it is in use; after that the pairs go",
        starts="ingest",
        minimum_days=180,
        duration_days=730,
        action="delete",
        tags=("preference",),
    ),
)


def state_purposes(tenant: Tenant, _: dict[str, UUID]) -> None:
    """Say of purposes what makes them lawful; one needs the consent of each person."""
    with acting_as(tenant, _OFFICER) as officer:
        for code, terms in _PURPOSES.items():
            if not known_purposes(code)[0].terms.lawful_basis:
                change_purpose(officer, code=code, terms=terms)
        if not known_purposes(RESEARCH):
            create_purpose(officer, code=RESEARCH, terms=_RESEARCH_TERMS)


def name_parties(tenant: Tenant, _: dict[str, UUID]) -> None:
    """The controller, its data protection officer, and two processors, one of them in a third country."""
    with acting_as(tenant, _OFFICER) as officer:
        if not Party.objects.exists():
            for facts in _PARTIES:
                add_party(officer, facts=facts)


def hold_for_a_dispute(tenant: Tenant, datasets: dict[str, UUID]) -> None:
    """One hold that two people agreed on, and one that waits for the second."""
    with acting_as(tenant, "ml-engineer") as engineer:
        custodian = engineer.id
    with acting_as(tenant, _COUNSEL) as counsel:
        if LegalHold.objects.exists():
            return
        audit = place_hold(
            counsel,
            matter="Audit of the refund model",
            reason="The authority asks by which pairs the model of spring was trained",
            custodian=custodian,
            wanted=[Wanted(datasets["preference-pairs"], HoldScope(HoldKind.DATASET))],
            notice=NoticeText(
                "Notes and scripts on how the pairs were chosen, also on your own machine", "Legal counsel"
            ),
        )
        claims = (Identifier("EMAIL_ADDRESS", "claims@example.com"),)
        place_hold(
            counsel,
            matter="Damaged deliveries, claim 2026-31",
            reason="The insurer disputes what was promised in the conversations about the claim",
            custodian=custodian,
            wanted=[Wanted(datasets["support-chats"], HoldScope(HoldKind.SUBJECT, identifiers=claims))],
        )
    with acting_as(tenant, _OFFICER) as officer:
        confirm_hold(officer, hold_id=audit.pk)


def keep_for_a_time(tenant: Tenant, datasets: dict[str, UUID]) -> None:
    """Two policies; what one of them would archive is announced, and has its month of grace."""
    with acting_as(tenant, _OFFICER) as officer:
        if RetentionPolicy.objects.exists():
            return
        for terms in _POLICIES:
            create_policy(officer, terms=terms)
        ended_at = timezone.now() - timedelta(days=370)
        record_event(officer, dataset_id=datasets["evaluation-set"], name=_ENDED, occurred_at=ended_at)
        run = start_run(officer)
    run_retention(tenant.pk, run.pk)
