"""The risk of an incident, judged by the four factors of HIPAA and by the GDPR, with grounds that are kept."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final
from uuid import UUID

from compliance.errors.incidents import WrongIncidentState
from compliance.incidents.clocks import GDPR, HIPAA
from compliance.incidents.selectors import find_incident, open_incident_for
from compliance.incidents.standing import wind_clocks
from compliance.incidents.timeline import record
from compliance.models import Incident, IncidentAssessment, IncidentState
from datasets.services.descriptions import refuse_personal_data
from vaultsite.kernel.errors import FieldProblem, InvalidInput
from vaultsite.kernel.tenancy.principal import Principal

#: 45 CFR 164.402(2)(i) to (iv).
FACTORS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "nature": "Nature and extent of the data, identifiers and likelihood of re-identification",
        "recipient": "The unauthorized person who used it or to whom it was disclosed",
        "acquired": "Whether it was actually acquired or viewed",
        "mitigation": "To what extent the risk was mitigated",
    }
)
LEVELS: Final = ("low", "medium", "high")
HIPAA_RESULTS: Final[Mapping[str, str]] = MappingProxyType(
    {"low_probability": "low probability of compromise", "breach": "breach"}
)
GDPR_RISKS: Final[Mapping[str, str]] = MappingProxyType({"none": "unlikely", "risk": "a risk", "high": "a high risk"})
#: GDPR article 34(3)(a) to (c).
EXCEPTIONS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "unintelligible": "The data is unintelligible to whoever has it (encryption)",
        "measures": "Measures since then make the high risk unlikely",
        "effort": "Telling each person is disproportionate: the public is told instead",
    }
)
MAX_TEXT: Final = 1000
MAX_GROUNDS: Final = 2000


@dataclass(frozen=True)
class Factor:
    """One of FACTORS as it was judged: higher is worse for the persons."""

    level: str
    text: str


@dataclass(frozen=True)
class Judgement:
    """``factors`` and ``hipaa`` where HIPAA applies, ``gdpr_risk`` where the GDPR does; ``grounds`` are those for
    telling nobody, or not everybody.
    """

    factors: Mapping[str, Factor] = field(default_factory=dict)
    hipaa: str = ""
    gdpr_risk: str = ""
    exception: str = ""
    grounds: str = ""


def assess_risk(principal: Principal, *, incident_id: UUID, judgement: Judgement) -> IncidentAssessment:
    """Judge the risk, or judge it anew: the judgements before are kept.

    Raises AccessDenied, IncidentNotFound, IncidentAboutYourself, WrongIncidentState, InvalidInput, PersonalDataInText.
    """
    incident = open_incident_for(principal, "incident.manage", incident_id)
    if incident.state in (IncidentState.DISMISSED, IncidentState.CLOSED):
        raise WrongIncidentState(is_now=incident.state)
    if problems := list(_problems(incident, judgement)):
        raise InvalidInput(errors=problems)
    texts = {f"factor_{name}": factor.text for name, factor in judgement.factors.items()}
    refuse_personal_data(grounds=judgement.grounds, **texts)
    made = IncidentAssessment.objects.create(
        incident=incident,
        factors={name: vars(factor) for name, factor in judgement.factors.items()},
        hipaa=judgement.hipaa,
        gdpr_risk=judgement.gdpr_risk,
        exception=judgement.exception,
        grounds=judgement.grounds.strip(),
        by=principal.id,
    )
    made.refresh_from_db()
    levels = {name: factor.level for name, factor in judgement.factors.items()}
    said = {"hipaa": made.hipaa, "gdpr_risk": made.gdpr_risk, "exception": made.exception}
    record(incident, "assessed", facts={"assessment": str(made.pk), "factors": levels, **said})
    wind_clocks(incident)
    return made


def list_assessments(principal: Principal, *, incident_id: UUID) -> list[IncidentAssessment]:
    """The latest first. Raises AccessDenied, IncidentNotFound."""
    return assessments_of(find_incident(principal, incident_id))


def assessments_of(incident: Incident) -> list[IncidentAssessment]:
    return list(IncidentAssessment.objects.filter(incident=incident).order_by("-id"))


def _problems(incident: Incident, judgement: Judgement) -> Iterator[FieldProblem]:
    if HIPAA in incident.laws:
        yield from _hipaa_problems(judgement)
    elif judgement.factors or judgement.hipaa:
        yield FieldProblem("hipaa", "HIPAA does not apply to this incident")
    if GDPR in incident.laws:
        yield from _gdpr_problems(judgement)
    elif judgement.gdpr_risk or judgement.exception:
        yield FieldProblem("gdpr_risk", "The GDPR does not apply to this incident")
    if len(judgement.grounds) > MAX_GROUNDS:
        yield FieldProblem("grounds", f"at most {MAX_GROUNDS} characters")


def _hipaa_problems(judgement: Judgement) -> Iterator[FieldProblem]:
    """All four factors are judged and explained; one that is high refutes a low probability."""
    if judgement.hipaa not in HIPAA_RESULTS:
        yield FieldProblem("hipaa", f"one of {', '.join(HIPAA_RESULTS)}")
    for name in FACTORS:
        factor = judgement.factors.get(name)
        if factor is None or factor.level not in LEVELS or not 0 < len(factor.text.strip()) <= MAX_TEXT:
            yield FieldProblem(f"factors/{name}", f"low, medium or high, and why in 1 to {MAX_TEXT} characters")
        elif factor.level == "high" and judgement.hipaa == "low_probability":
            yield FieldProblem(f"factors/{name}", "A factor that is high shows no low probability")
    for name in judgement.factors.keys() - FACTORS.keys():
        yield FieldProblem(f"factors/{name}", "There is no such factor")


def _gdpr_problems(judgement: Judgement) -> Iterator[FieldProblem]:
    if judgement.gdpr_risk not in GDPR_RISKS:
        yield FieldProblem("gdpr_risk", f"one of {', '.join(GDPR_RISKS)}")
    if judgement.exception and judgement.exception not in EXCEPTIONS:
        yield FieldProblem("exception", f"one of {', '.join(EXCEPTIONS)}")
    if judgement.exception and judgement.gdpr_risk != "high":
        yield FieldProblem("exception", "Persons are told of a high risk alone")
    tells_nobody = judgement.gdpr_risk in ("none", "risk") or judgement.exception
    if tells_nobody and not judgement.grounds.strip():
        yield FieldProblem("grounds", "Say why the authority or the persons are not told (GDPR art. 33(5))")
