"""Gates: cheap necessary conditions, so that most recognizers never look at text they cannot match.

A gate may open too often, never too rarely: running everything gives the same findings, which a test keeps true.
"""

from collections.abc import Callable, Mapping
from functools import cached_property
from types import MappingProxyType
from typing import Final

import regex

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


def matches(pattern: str, *, minimum_digits: int = 0) -> Gate:
    """Opens for texts in which a pattern is found, upper and lower case alike, and with enough digits."""
    compiled = regex.compile(pattern, regex.IGNORECASE)

    def gate(features: TextFeatures) -> bool:
        return features.digits >= minimum_digits and compiled.search(features.text) is not None

    return gate


def _may_hold_ip_address(features: TextFeatures) -> bool:
    text = features.text
    return "::" in text or text.count(":") >= 6 or _DOTTED.search(text) is not None  # noqa: PLR2004 - six groups


def _may_hold_track(features: TextFeatures) -> bool:
    return features.digits >= 12 and ("=" in features.text or "^" in features.text)  # noqa: PLR2004 - shortest number


_DOTTED: Final = regex.compile(r"\d\.\d{1,3}\.\d")

#: Digits of a phone number, apart by no more than the punctuation libphonenumber allows (which has an x).
_PHONE_DIGITS: Final = r"\d(?:[^a-wyz\d]{0,4}\d){6}"

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
        "CryptoRecognizer": matches(r"[^\W_]{26}", minimum_digits=1),
        "DateRecognizer": matches(r"\d[-/.]|-\d", minimum_digits=1),
        "DeSocialSecurityRecognizer": digits(11),
        "DeTaxIdRecognizer": digits(11),
        "EmailRecognizer": contains("@"),
        "EsNieRecognizer": digits(7),
        "EsNifRecognizer": digits(7),
        "FiPersonalIdentityCodeRecognizer": digits(9),
        "IbanRecognizer": matches(r"[A-Z]{2}[0-9]{2}[ -]?[A-Z0-9]{4}", minimum_digits=2),
        "InAadhaarRecognizer": digits(12),
        "InGstinRecognizer": matches(r"\d{2}[^\W_]{13}", minimum_digits=2),
        "InPanRecognizer": matches(r"[^\W\d_]{5}\d{4}", minimum_digits=4),
        "InternalEmailRecognizer": contains("@"),
        "IpRecognizer": _may_hold_ip_address,
        "ItFiscalCodeRecognizer": matches(r"[^\W_]{16}"),
        "KeyShapeRecognizer": matches(r"[\w.-]{20}"),
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
        "LabelledSsnRecognizer": mentions("ssn", "social", minimum_digits=4),
        "MacAddressRecognizer": matches(r"[0-9a-f]{2}[:-][0-9a-f]{2}[:-]|[0-9a-f]{4}\.[0-9a-f]{4}\."),
        "MedicalLicenseRecognizer": matches(r"\d{7}", minimum_digits=7),
        "MedicalRecordRecognizer": mentions("mrn", "medical", "patient", minimum_digits=1),
        "NhsRecognizer": digits(10),
        "PassportRecognizer": mentions("passport", minimum_digits=1),
        "PasswordRecognizer": mentions("pass", "pwd", "pw", "pin"),
        "PaymentCardRecognizer": digits(12),
        "PhoneRecognizer": matches(_PHONE_DIGITS, minimum_digits=7),
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
        "UsLicenseRecognizer": matches(r"[^\W\d_]\d|\d[^\W\d_]|\d{6}", minimum_digits=1),
        "UsMbiRecognizer": matches(r"\d[^\W\d_]", minimum_digits=4),
        "UsNpiRecognizer": digits(10),
        "UsPassportRecognizer": matches(r"\d{8}", minimum_digits=8),
        "UsSsnRecognizer": digits(9),
        "UuidRecognizer": matches(r"[0-9a-f]{8}-[0-9a-f]{4}-"),
        "ZaIdNumberRecognizer": digits(13),
    }
)  # fmt: skip
