"""The tables of compliance."""

from compliance.models.correction import Correction
from compliance.models.intake_form import IntakeForm
from compliance.models.link import SubjectLink
from compliance.models.package import RequestPackage
from compliance.models.request import Correspondence, RequestMatch, SubjectRequest

__all__ = [
    "Correction",
    "Correspondence",
    "IntakeForm",
    "RequestMatch",
    "RequestPackage",
    "SubjectLink",
    "SubjectRequest",
]
