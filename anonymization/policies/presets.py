"""Policies that come with the vault: complete, never changed, copied to be adapted."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final


@dataclass(frozen=True)
class Preset:
    """A document under a name; ``source`` is what it follows, ``caveat`` what it does not do."""

    title: str
    source: str
    caveat: str
    document: Mapping[str, Any]


#: The eighteen identifiers of 45 CFR 164.514(b)(2)(i), each with the kinds of findings that are one.
SAFE_HARBOR: Final[Mapping[str, Sequence[str]]] = MappingProxyType(
    {
        "A names": ("PERSON", "TITLE", "USERNAME"),
        "B geographic subdivisions smaller than a state": (
            "ADDRESS", "LOCATION", "GPS_COORDINATES", "ZIP_CODE", "POSTAL_CODE",
        ),
        "C dates and ages over 89": ("DATE_TIME", "DATE_OF_BIRTH", "AGE"),
        "D telephone numbers": ("PHONE_NUMBER",),
        "E fax numbers": ("FAX_NUMBER",),
        "F e-mail addresses": ("EMAIL_ADDRESS",),
        "G social security numbers": ("US_SSN", "US_ITIN", "US_TIN"),
        "H medical record numbers": ("MEDICAL_RECORD_NUMBER", "PRESCRIPTION_NUMBER", "UK_NHS"),
        "I health plan beneficiary numbers": (
            "HEALTH_INSURANCE_NUMBER", "INSURANCE_NUMBER", "US_MBI", "AU_MEDICARE", "CH_AHV", "FR_NIR",
            "DE_SOCIAL_SECURITY",
        ),
        "J account numbers": (
            "BANK_ACCOUNT", "US_BANK_NUMBER", "ABA_ROUTING_NUMBER", "IBAN_CODE", "CREDIT_CARD", "CRYPTO", "SWIFT_CODE",
            "UK_SORT_CODE", "AU_BSB", "IN_IFSC",
        ),
        "K certificate and license numbers": (
            "DRIVER_LICENSE", "US_DRIVER_LICENSE", "MEDICAL_LICENSE", "US_NPI", "CERTIFICATE_NUMBER", "US_PASSPORT",
            "PASSPORT_NUMBER", "UK_DRIVING_LICENCE",
        ),
        "L vehicle identifiers and license plates": ("VIN", "LICENSE_PLATE"),
        "M device identifiers and serial numbers": ("DEVICE_ID", "MAC_ADDRESS", "IMEI", "SERIAL_NUMBER"),
        "N web addresses": ("URL", "URL_CREDENTIALS"),
        "O IP addresses": ("IP_ADDRESS",),
        "P biometric identifiers": ("BIOMETRIC", "GENETIC"),
        "Q photographs and comparable images": ("UNSCANNABLE",),
        "R any other unique number or code": (
            "ID_NUMBER", "UUID", "NATIONAL_ID", "AU_TFN", "BR_CNPJ", "BR_CPF", "CA_SIN", "DE_TAX_ID", "DK_CPR",
            "ES_NIE", "ES_NIF", "FI_PERSONAL_IDENTITY_CODE", "IN_AADHAAR", "IN_GSTIN", "IN_PAN", "IN_VOTER",
            "IT_FISCAL_CODE", "JP_MY_NUMBER", "KR_RRN", "MX_CURP", "MX_RFC", "NL_BSN", "NO_FNR", "PL_PESEL",
            "SE_PERSONNUMMER",
            "SG_NRIC_FIN", "TR_NATIONAL_ID", "UK_NINO", "ZA_ID_NUMBER", "PASSWORD", "API_KEY", "ACCESS_TOKEN",
            "PRIVATE_KEY", "SECRET_CODE",
        ),
    }
)  # fmt: skip

_DATES: Final = ("DATE_TIME", "DATE_OF_BIRTH")
_ZIPS: Final = ("ZIP_CODE", "POSTAL_CODE")

HIPAA: Final = {
    "format": 1,
    "description": (
        "HIPAA Safe Harbor, 45 CFR 164.514(b)(2): every identifier is replaced by its kind, dates become years, ages "
        "of 90 and more one group, ZIP codes three digits where more than 20,000 people live. Nothing is derived from "
        "the person. What the detectors do not find stays; see their measured recall."
    ),
    "scope": "dataset",
    # Whatever is found and not named below is a unique number or code (R): nothing is kept by default.
    "default": {"strategy": "replace"},
    "rules": [
        {
            "name": "C dates to the year; birth years of 90 and older are one group",
            "entities": list(_DATES),
            "strategy": "truncate",
            "parameters": {"unit": "year", "oldest_age": 90},
        },
        {
            "name": "C ages, 90 and more as one",
            "entities": ["AGE"],
            "strategy": "generalize",
            "parameters": {"width": 1, "top": 90},
        },
        {
            "name": "B ZIP codes to three digits, 000 where 20,000 people or fewer live",
            "entities": list(_ZIPS),
            "strategy": "generalize",
            "parameters": {"zip_digits": 3, "restrict_zip": True},
        },
        *(
            {
                "name": name,
                "entities": [kind for kind in kinds if kind not in {*_DATES, *_ZIPS, "AGE"}],
                "strategy": "replace",
            }
            for name, kinds in SAFE_HARBOR.items()
            if set(kinds) - {*_DATES, *_ZIPS, "AGE"}
        ),
    ],
}

GDPR: Final = {
    "format": 1,
    "description": (
        "Pseudonymisation in the sense of GDPR article 4(5): people get invented names that stay the same within the "
        "dataset, numbers of a person keyed codes; secrets and special categories (article 9) are cut out. The result "
        "is still personal data, and the key that joins it to people is the vault's."
    ),
    "scope": "dataset",
    "default": {"strategy": "hash"},
    "rules": [
        {
            "name": "special categories, article 9, and convictions, article 10",
            "entities": [
                "NRP", "RELIGION", "HEALTH", "HEALTH_CONDITION", "ETHNICITY", "POLITICS", "UNION_MEMBERSHIP",
                "SEXUALITY", "BIOMETRIC", "GENETIC", "CONVICTION", "NATIONALITY", "SPECIAL_CATEGORY",
            ],
            "strategy": "redact",
        },
        {
            "name": "secrets",
            "entities": ["PASSWORD", "API_KEY", "ACCESS_TOKEN", "PRIVATE_KEY", "SECRET_CODE", "URL_CREDENTIALS"],
            "strategy": "redact",
        },
        {
            "name": "people, and how they are reached",
            "entities": [
                "PERSON", "EMAIL_ADDRESS", "PHONE_NUMBER", "FAX_NUMBER", "USERNAME", "ADDRESS", "ORGANIZATION",
                "IP_ADDRESS", "MAC_ADDRESS", "URL",
            ],
            "strategy": "pseudonymize",
        },
        {"name": "places", "entities": ["LOCATION", "GPS_COORDINATES", "ZIP_CODE"], "strategy": "replace"},
        {
            "name": "dates to the month, births to the year",
            "entities": ["DATE_OF_BIRTH"],
            "strategy": "truncate",
            "parameters": {"unit": "year"},
        },
        {
            "name": "dates to the month",
            "entities": ["DATE_TIME"],
            "strategy": "truncate",
            "parameters": {"unit": "month"},
        },
        {
            "name": "ages by ten years",
            "entities": ["AGE"],
            "strategy": "generalize",
            "parameters": {"width": 10, "top": 90},
        },
    ],
}  # fmt: skip

PCI: Final = {
    "format": 1,
    "description": (
        "PCI DSS 4.0, requirement 3.4.1: card numbers show at most the first six and the last four digits. "
        "Authentication data never gets into the vault at all (3.3). Other personal data is left as it is."
    ),
    "scope": "dataset",
    "default": {"strategy": "keep"},
    "rules": [
        {
            "name": "primary account numbers",
            "entities": ["CREDIT_CARD"],
            "strategy": "mask",
            "parameters": {"keep_first": 6, "keep_last": 4},
        },
        {
            "name": "authentication data",
            "entities": ["CARD_VERIFICATION", "CARD_PIN", "PIN_BLOCK", "TRACK_DATA"],
            "strategy": "redact",
        },
    ],
}

TRAINING: Final = {
    "format": 1,
    "description": (
        "For texts that models learn from: sentences stay sentences. People, places and numbers are invented, the same "
        "within the dataset, so that who speaks to whom stays readable; secrets are cut out."
    ),
    "scope": "dataset",
    "default": {"strategy": "pseudonymize"},
    "rules": [
        {
            "name": "secrets and credentials",
            "entities": ["PASSWORD", "API_KEY", "ACCESS_TOKEN", "PRIVATE_KEY", "CRYPTO"],
            "strategy": "replace",
        },
        {
            "name": "special categories",
            "entities": [
                "NRP", "RELIGION", "HEALTH", "HEALTH_CONDITION", "ETHNICITY", "POLITICS", "UNION_MEMBERSHIP",
                "SEXUALITY", "BIOMETRIC", "GENETIC", "CONVICTION", "NATIONALITY", "SPECIAL_CATEGORY",
            ],
            "strategy": "replace",
        },
        {"name": "links", "entities": ["URL"], "strategy": "pseudonymize"},
        {
            "name": "ages by ten years",
            "entities": ["AGE"],
            "strategy": "generalize",
            "parameters": {"width": 10, "top": 90},
        },
    ],
}  # fmt: skip

PRESETS: Final[Mapping[str, Preset]] = MappingProxyType(
    {
        "hipaa-safe-harbor": Preset(
            "HIPAA Safe Harbor",
            "45 CFR 164.514(b)(2) and the guidance of HHS OCR of 26 November 2012",
            "Complete as to the eighteen identifiers; in free text only what the detectors find is replaced.",
            HIPAA,
        ),
        "gdpr-pseudonymization": Preset(
            "GDPR pseudonymisation",
            "Regulation (EU) 2016/679, articles 4(5), 9, 10 and 25",
            "Pseudonymised data is personal data.",
            GDPR,
        ),
        "pci-pan": Preset(
            "PCI DSS card numbers",
            "PCI DSS 4.0, requirements 3.3 and 3.4.1",
            "Card numbers alone; everything else that is personal stays.",
            PCI,
        ),
        "llm-training": Preset(
            "Training of language models",
            "our own judgement",
            "Two people may get the same invented name; gives no guarantee of anonymity.",
            TRAINING,
        ),
    }
)
