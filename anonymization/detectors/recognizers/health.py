"""Numbers of patients and of the insured, after their label."""

from typing import Final

from presidio_analyzer import EntityRecognizer

from anonymization.detectors.recognizers.labels import ANNOUNCED, CODE, SPACED_CODE, Identifier, labelled

_IDENTIFIERS: Final = (
    Identifier(
        "MEDICAL_RECORD_NUMBER",
        "MedicalRecordRecognizer",
        r"mrns?|med(?:ical)?[\s_-]?(?:rec(?:ord)?s?|file|chart)|patient[\s_-](?:id(?:entifier)?|record|file|chart|account|number)"
        r"|hospital[\s_-](?:id|number|record)|chart(?=[\s_-]{0,2}(?:number|no|#|id))|encounter(?=[\s_-]{0,2}(?:number|no|#|id))"
        r"|health[\s_-]record|specimen(?=[\s_-]{0,2}(?:number|no|#|id))|accession(?=[\s_-]{0,2}(?:number|no|#))",
        SPACED_CODE,
    ),
    Identifier(
        "HEALTH_INSURANCE_NUMBER",
        "HealthInsuranceRecognizer",
        r"(?:health|medical|dental|vision|hospital)[\s_-](?:insurance|plan|card|coverage|cover)(?:[\s_-](?:policy|member|subscriber|beneficiary|plan|id|card)){0,2}"
        r"|health[\s_-]?plan[\s_-]?beneficiary|insurance[\s_-](?:member|policy|card|id|code|subscriber)|member[\s_-]id"
        r"|subscriber[\s_-]id|group[\s_-](?:number|no\.?|id)|medicaid|mbi|hicn|ehic|krankenversicherten?\w{0,8}|kvnr",
        CODE,
    ),
    Identifier(
        "INSURANCE_NUMBER",
        "InsuranceRecognizer",
        r"(?:(?:auto|car|home|life|travel|liability|motor|renters?)[\s_-])?(?:insurance|policy|policyholder|claim)"
        r"(?:[\s_-](?:policy|certificate|claim|id))?",
        CODE,
        ANNOUNCED,
    ),
    Identifier("PRESCRIPTION_NUMBER", "PrescriptionRecognizer", r"rx|prescription", CODE, ANNOUNCED, 0.5),
)


def health_recognizers() -> list[EntityRecognizer]:
    """Recognizers of MEDICAL_RECORD_NUMBER, HEALTH_INSURANCE_NUMBER, INSURANCE_NUMBER and PRESCRIPTION_NUMBER."""
    return labelled(*_IDENTIFIERS)
