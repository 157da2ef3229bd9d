"""Gates: cheap necessary conditions, so that most recognizers never look at text they cannot match.

A gate may open too often, never too rarely: running everything gives the same findings, which a test keeps true.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final

import regex

from anonymization.detectors.recognizers.phone import ENOUGH_DIGITS

_DIGIT: Final = regex.compile(r"\d")
#: Letters that case-insensitive matching takes for ASCII ones although lower() does not.
_ASCII_TWINS: Final = str.maketrans({"İ": "i", "ı": "i", "ſ": "s", "\N{KELVIN SIGN}": "k"})  # noqa: RUF001 - that is the point


class TextFeatures:
    """Facts about one text, each computed when first asked for."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def digits(self) -> int:
        """How many decimal digits, in any script."""
        return len(_DIGIT.findall(self.text))

    @cached_property
    def folded(self) -> str:
        """Lower case, with every character that case-insensitive patterns take for an ASCII letter as that letter."""
        return (self.text if self.text.isascii() else self.text.translate(_ASCII_TWINS)).lower()

    @cached_property
    def longest_token(self) -> int:
        """Length of the longest run without white space."""
        return max(map(len, self.text.split()), default=0)


Gate = Callable[[TextFeatures], bool]


def digits(minimum: int) -> Gate:
    """Opens for texts with at least so many digits."""
    return lambda features: features.digits >= minimum


def contains(*needles: str) -> Gate:
    """Opens for texts with one of these strings, as written."""
    return lambda features: any(needle in features.text for needle in needles)


def mentions(*words: str, minimum_digits: int = 0) -> Gate:
    """Opens for texts with one of these lower-case strings in any case, and enough digits."""

    def gate(features: TextFeatures) -> bool:
        return features.digits >= minimum_digits and any(word in features.folded for word in words)

    return gate


def matches(pattern: str, *, minimum_digits: int = 0, minimum_token: int = 0) -> Gate:
    """Opens for texts in which a pattern is found in any case, with enough digits and a long enough token."""
    compiled = regex.compile(pattern, regex.IGNORECASE)

    def gate(features: TextFeatures) -> bool:
        return (
            features.digits >= minimum_digits
            and features.longest_token >= minimum_token
            and compiled.search(features.text) is not None
        )

    return gate


def _may_hold_ip_address(features: TextFeatures) -> bool:
    text = features.text
    if "::" in text or _DOTTED.search(text):
        return True
    return text.count(":") >= 6 and _COLONS.search(text) is not None  # noqa: PLR2004 - six groups


def _may_hold_mac_address(features: TextFeatures) -> bool:
    text = features.text
    has_pairs = text.count(":") >= 5 or text.count("-") >= 5  # noqa: PLR2004 - six pairs
    return (has_pairs and _HEX_PAIRS.search(text) is not None) or _CISCO.search(text) is not None


def _may_hold_track(features: TextFeatures) -> bool:
    return features.digits >= 12 and ("=" in features.text or "^" in features.text)  # noqa: PLR2004 - shortest number


_DOTTED: Final = regex.compile(r"\d\.\d{1,3}\.\d")
_COLONS: Final = regex.compile(r":[0-9a-f]{1,4}:", regex.IGNORECASE)
_HEX_PAIRS: Final = regex.compile(r"[:-][0-9a-f]{2}[:-]", regex.IGNORECASE)
_CISCO: Final = regex.compile(r"\.[0-9a-f]{4}\.", regex.IGNORECASE)
#: By recognizer name; a recognizer without an entry always runs.
GATES: Final[Mapping[str, Gate]] = MappingProxyType(
    {
        "AbaRoutingRecognizer": digits(9),
        "AuMedicareRecognizer": digits(10),
        "AuTfnRecognizer": digits(9),
        "BankAccountRecognizer": mentions("account", "acct", "a/c", minimum_digits=5),
        "CaSinRecognizer": digits(9),
        "CardPinRecognizer": mentions("pin", minimum_digits=4),
        "CardVerificationRecognizer": mentions(
            "cv", "csc", "cav2", "security", "verification", "validation", minimum_digits=3
        ),
        "CryptoRecognizer": matches(r"[^\W_]{26}", minimum_digits=1, minimum_token=26),
        "DateRecognizer": matches(r"\d[-/.]|-\d", minimum_digits=1),
        "DeSocialSecurityRecognizer": digits(11),
        "DeTaxIdRecognizer": digits(11),
        "EmailRecognizer": contains("@"),
        "EsNieRecognizer": digits(7),
        "EsNifRecognizer": digits(7),
        "FiPersonalIdentityCodeRecognizer": digits(9),
        "IbanRecognizer": matches(r"\d{2}(?<=[^\W\d_]{2}\d{2})[ -]?[A-Z0-9]{4}", minimum_digits=2),
        "InAadhaarRecognizer": digits(12),
        "InGstinRecognizer": matches(r"\d{2}[^\W_]{13}", minimum_digits=2),
        "InPanRecognizer": matches(r"\d{4}(?<=[^\W\d_]{5}\d{4})", minimum_digits=4),
        "InternalEmailRecognizer": contains("@"),
        "IpRecognizer": _may_hold_ip_address,
        "ItFiscalCodeRecognizer": matches(r"[^\W_]{16}", minimum_token=16),
        "KeyShapeRecognizer": contains(
            "AKIA", "ASIA", "AROA", "AIDA", "ghp_", "gho_", "ghu_", "ghs_", "ghr_", "github_pat_", "glpat-", "_live_",
            "_test_", "xox", "sk-", "AIza", "SG.", "npm_", "pypi-", "hf_",
        ),
        "KrRrnRecognizer": digits(13),
        "LabelledAadhaarRecognizer": mentions("aadha", "uidai", minimum_digits=12),
        "LabelledIdRecognizer": mentions(
            "national", "identity", "personal", "member", "patient", "employee", "student", "customer", "subscriber",
            "policy", "insurance", "beneficiary", "tax", "voter", "citizen", "resident", "case", "claim", "badge",
            "user", minimum_digits=1,
        ),
        "LabelledLicenseRecognizer": mentions("driv", "dl", minimum_digits=1),
        "LabelledPanRecognizer": mentions("pan", "permanent", minimum_digits=4),
        "LabelledRoutingRecognizer": mentions("routing", "aba", "rtn", minimum_digits=9),
        "LabelledSecretRecognizer": mentions("key", "token", "secret", "bearer", "credential"),
        "LabelledTinRecognizer": mentions("tin", "ein", minimum_digits=9),
        "LabelledSsnRecognizer": mentions("ssn", "social", minimum_digits=4),
        "MacAddressRecognizer": _may_hold_mac_address,
        "MedicalLicenseRecognizer": matches(r"\d{7}", minimum_digits=7),
        "MedicalRecordRecognizer": mentions("mrn", "medical", "patient", minimum_digits=1),
        "NhsRecognizer": digits(10),
        "PassportRecognizer": mentions("passport", minimum_digits=1),
        "PasswordRecognizer": mentions("pass", "pw", "pin", "login", "@"),
        "PaymentCardRecognizer": digits(12),
        "PhoneRecognizer": matches(ENOUGH_DIGITS, minimum_digits=7),
        "PinBlockRecognizer": mentions("block"),
        "PlPeselRecognizer": digits(11),
        "PrivateKeyRecognizer": contains("-----BEGIN"),
        "SePersonnummerRecognizer": digits(10),
        "SgFinRecognizer": digits(7),
        "SortCodeRecognizer": mentions("sort", minimum_digits=6),
        "SwiftRecognizer": mentions("swift", "bic"),
        "TokenShapeRecognizer": contains("eyJ", "earer ", "://"),
        "TrNationalIdRecognizer": digits(11),
        "TrackDataRecognizer": _may_hold_track,
        "UkNinoRecognizer": digits(6),
        "UrlRecognizer": matches(r"\.[^\W\d_]"),
        "UsBankRecognizer": matches(r"\d{8}", minimum_digits=8),
        "UsItinRecognizer": digits(9),
        "UsLicenseRecognizer": matches(r"\d(?:(?<=[^\W\d_]\d)|[^\W\d_]|\d{5})", minimum_digits=1),
        "UsMbiRecognizer": matches(r"\d[^\W\d_]", minimum_digits=4),
        "UsNpiRecognizer": digits(10),
        "UsPassportRecognizer": matches(r"\d{8}", minimum_digits=8),
        "UsSsnRecognizer": digits(9),
        "UuidRecognizer": matches(r"[0-9a-f]{8}-[0-9a-f]{4}-"),
        "ZaIdNumberRecognizer": digits(13),
    }
)  # fmt: skip

#: Patterns that have a narrower gate than their recognizer, by recognizer and pattern name.
PATTERN_GATES: Final[Mapping[tuple[str, str], Gate]] = MappingProxyType(
    {
        ("UrlRecognizer", "Standard Url"): contains("://"),
        ("UrlRecognizer", "Quoted URL"): matches(r"[\"']http"),
        ("UrlRecognizer", "Quoted Non-schema URL"): matches(r"[\"'][a-z0-9.\-]+\.[^\W\d_]"),
        ("IpRecognizer", "IPv6"): matches(r"::|:[0-9a-f]{1,4}:"),
        ("IpRecognizer", "IPv6_unspecified"): contains("::"),
        ("IpRecognizer", "IPv4_mapped"): contains("::"),
        ("IpRecognizer", "IPv4_embedded"): contains(":"),
    }
)
