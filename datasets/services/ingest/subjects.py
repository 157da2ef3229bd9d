"""Index keys of the people a record names, so that their records can be found without reading any."""

import hmac
from collections.abc import Iterable
from typing import Any, Final

from anonymization.findings import ACT_FROM, Finding
from anonymization.services.anonymize import found_text
from vaultsite.kernel.crypto.keys import SecretKey

#: Changes whenever the normal form of a value does; part of every key.
NORMALIZER: Final = b"1"
#: Identifiers that point at one person. Names alone are not index keys: too many people share them.
INDEXED: Final = frozenset(
    {
        "EMAIL_ADDRESS",
        "PHONE_NUMBER",
        "US_SSN",
        "US_ITIN",
        "US_PASSPORT",
        "US_DRIVER_LICENSE",
        "US_BANK_NUMBER",
        "CREDIT_CARD",
        "IBAN_CODE",
        "CRYPTO",
        "MEDICAL_LICENSE",
        "MEDICAL_RECORD_NUMBER",
        "UK_NHS",
        "UK_NINO",
        "IN_AADHAAR",
        "IN_PAN",
        "ES_NIF",
        "IT_FISCAL_CODE",
        "PL_PESEL",
        "SG_NRIC_FIN",
        "AU_TFN",
        "AU_MEDICARE",
    }
)


def normalize(entity_type: str, text: str) -> str:
    """The form in which two spellings of one identifier are equal: case folded, separators dropped."""
    folded = text.casefold().strip()
    if entity_type == "EMAIL_ADDRESS":
        return folded
    return "".join(character for character in folded if character.isalnum())


def subject_key(index: SecretKey, entity_type: str, text: str) -> bytes:
    """HMAC-SHA-256 over entity type, normalizer version and normal form; 32 bytes."""
    message = b"\0".join([entity_type.encode(), NORMALIZER, normalize(entity_type, text).encode()])
    return hmac.digest(index.reveal(), message, "sha256")


def subject_keys(
    index: SecretKey, data: dict[str, Any], metadata: dict[str, Any], findings: Iterable[Finding]
) -> tuple[bytes, ...]:
    """The distinct index keys of one record, sorted."""
    indexed = (finding for finding in findings if finding.entity_type in INDEXED and finding.score >= ACT_FROM)
    record = {"data": data, "metadata": metadata}
    keys = {subject_key(index, found.entity_type, found_text(record, found)) for found in indexed}
    return tuple(sorted(keys))
