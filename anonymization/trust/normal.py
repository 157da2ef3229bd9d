"""How values of lists are compared: what a person would call the same value has the same digest."""

import unicodedata
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Final

from vaultsite.kernel.crypto.keys import SecretKey

#: Raise it when a normalizer changes: digests stored before would be digests of something else.
_VERSION: Final = b"llm-data-vault/trust/value/v1\0"


def _as_text(value: str) -> str:
    """Compatibility forms, letter case and runs of space do not matter."""
    return " ".join(unicodedata.normalize("NFKC", value).casefold().split())


def _as_number(value: str) -> str:
    """Only letters and digits matter: ``DE89 3704`` is ``de893704``."""
    return "".join(char for char in _as_text(value) if char.isalnum())


_NORMALIZERS: Final[Mapping[str, Callable[[str], str]]] = MappingProxyType({"text": _as_text, "number": _as_number})
_NUMBERS: Final = frozenset(
    """
    ABA_ROUTING_NUMBER AU_ABN AU_ACN AU_MEDICARE AU_TFN BANK_ACCOUNT BR_CNPJ BR_CPF CA_SIN CREDIT_CARD
    DE_SOCIAL_SECURITY DE_TAX_ID DRIVER_LICENSE ES_NIE ES_NIF FAX_NUMBER FR_NIR IBAN_CODE ID_NUMBER IN_AADHAAR IN_PAN
    IT_FISCAL_CODE MAC_ADDRESS MEDICAL_RECORD_NUMBER PASSPORT_NUMBER PHONE_NUMBER PL_PESEL SG_NRIC_FIN SWIFT_CODE
    UK_NHS UK_NINO US_BANK_NUMBER US_DRIVER_LICENSE US_ITIN US_PASSPORT US_SSN VIN
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)


def normalizer_of(entity_type: str) -> str:
    """The name of the normalizer for values of an entity type; ``""``, any type, is compared as text."""
    return "number" if entity_type in _NUMBERS else "text"


def value_digest(key: SecretKey, normalizer: str, value: str) -> bytes:
    """HMAC-SHA-256 over the normalized value, 32 bytes; ``key`` belongs to the tenant and this use alone."""
    normal = _NORMALIZERS[normalizer](value)
    return key.mac(_VERSION + normalizer.encode() + b"\0" + normal.encode("utf-8", "surrogatepass"))


def is_empty(normalizer: str, value: str) -> bool:
    """Whether nothing is left of the value that could be compared."""
    return not _NORMALIZERS[normalizer](value)
