"""A data protection impact assessment (GDPR Art. 35(7)) begun for one dataset: facts filled in, questions left open."""

from collections import Counter
from typing import Final
from uuid import UUID

from django.utils import timezone

from access.services.authorize import authorize
from compliance.consents.purposes import KnownPurpose, known_purposes
from compliance.models import PartyRole
from compliance.register.art30 import MEASURES
from compliance.register.parties import known_parties
from compliance.register.transfers import MISSING, transfers_to
from datasets.models import DatasetUse
from datasets.selectors import get_dataset, head_of, resource_of
from datasets.services.commit import read_profile
from vaultsite.kernel.tenancy.principal import Principal

#: What nothing but people can answer.
OPEN: Final = {
    "Necessity and proportionality (Art. 35(7)(b))": (
        "Why is each category of data needed for the purpose?",
        "Could less data, or anonymized data, serve it as well?",
    ),
    "Risks to people (Art. 35(7)(c))": (
        "What could happen to the people in the data if it were disclosed, altered or lost?",
        "How likely and how severe is each risk, before and after the measures?",
    ),
    "Views of others (Art. 35(2) and (9))": (
        "What did the data protection officer advise?",
        "Were the people concerned, or their representatives, asked? If not, why?",
    ),
}


def draft_assessment(principal: Principal, *, dataset_id: UUID) -> str:
    """The template as Markdown; every open question is marked. Raises DatasetNotFound, AccessDenied."""
    dataset = get_dataset(principal, dataset_id, action="register.read")
    authorize(principal, "register.read", resource_of(dataset))
    head = head_of(dataset)
    kinds: Counter[str] = Counter()
    for (_, entity_type), count in (read_profile(head) if head else {}).items():
        kinds[entity_type] += count
    used = set(DatasetUse.objects.filter(dataset_id=dataset.pk).values_list("purpose", flat=True))
    lines = [
        f"# Data protection impact assessment: {dataset.name}",
        "",
        f"Begun {timezone.now():%Y-%m-%d %H:%M} UTC from what the vault knows. GDPR Art. 35(7).",
        "",
        "## Description of the processing (Art. 35(7)(a))",
        "",
        f"- Dataset: {dataset.name}, classified {dataset.classification}, region {dataset.region or MISSING}",
        f"- Records of the newest version: {head.record_count if head else 0}",
        "- Categories of personal data found: " + (", ".join(f"{k} ({n})" for k, n in sorted(kinds.items())) or "none"),
        *_purposes(used),
        *_takers(),
    ]
    for title, questions in OPEN.items():
        lines += ["", f"## {title}", "", *(f"- [ ] TO BE ANSWERED: {question}" for question in questions)]
    lines += ["", "## Measures (Art. 35(7)(d))", "", *(f"- {one}" for one in MEASURES)]
    lines += ["- [ ] TO BE ANSWERED: Which measures outside the vault apply?", ""]
    return "\n".join(lines)


def _purposes(used: set[str]) -> list[str]:
    known = [one for one in known_purposes() if one.code in used]
    if not known:
        return ["- Purposes it was read for: none yet"]
    return [line for one in known for line in _purpose(one)]


def _purpose(one: KnownPurpose) -> list[str]:
    consent = ", consent asked of each person" if one.needs_consent else ""
    lines = [
        f"- Read for {one.code}: lawful basis {one.terms.lawful_basis or MISSING}{consent}",
        f"- People in it, for {one.code}: {one.terms.subjects or MISSING}",
        f"- Kept, for {one.code}: {one.terms.time_limit or MISSING}",
    ]
    if one.needs_consent:
        lines.append(f"- Consents for {one.code}: {one.live} given, {one.withdrawn} withdrawn, {one.lapsed} expired")
    return lines


def _takers() -> list[str]:
    """Who else works with it or receives it, and what covers transfers."""
    parties = known_parties()
    takers = [one for one in parties if one.facts.role in {PartyRole.PROCESSOR, PartyRole.RECIPIENT}]
    named = [f"- {PartyRole(one.facts.role).label.capitalize()}: {one.facts.name}" for one in takers]
    transfers = [f"- Transfer to {one['to']}, {one['country']}: {one['safeguard']}" for one in transfers_to(takers)]
    return [*(named or ["- Processors and recipients: none"]), *transfers]
