"""The recognizers of presidio-analyzer that the shipped detector uses, with the words that support them."""

from typing import Any

from presidio_analyzer import EntityRecognizer
from presidio_analyzer import predefined_recognizers as stock

#: Recognizer classes as presidio ships them, with our supporting words. Its own lists are replaced where they hold
#: phrases (never matched, since words are compared one by one) or words as common as "us", "check" and "id".
_WITH_CONTEXT: tuple[tuple[Any, list[str]], ...] = (
    (stock.AbaRoutingRecognizer, ["aba", "routing", "bank"]),
    (stock.AuMedicareRecognizer, ["medicare"]),
    (stock.AuTfnRecognizer, ["tfn", "tax"]),
    (stock.CaSinRecognizer, ["sin", "social", "insurance"]),
    (stock.CryptoRecognizer, ["wallet", "btc", "bitcoin", "crypto"]),
    (stock.DateRecognizer, ["date", "birthday", "born", "birth", "dob"]),
    (stock.DeSocialSecurityRecognizer, ["rentenversicherung", "sozialversicherung", "rvnr", "svnr"]),
    (stock.DeTaxIdRecognizer, ["steuer", "steueridentifikation", "idnr", "tax"]),
    (stock.EmailRecognizer, ["email", "mail"]),
    (stock.EsNieRecognizer, ["nie", "extranjero"]),
    (stock.EsNifRecognizer, ["dni", "nif", "identidad"]),
    (stock.IbanRecognizer, ["iban", "bank", "transaction"]),
    (stock.InAadhaarRecognizer, ["aadhaar", "aadhar", "uidai"]),
    (stock.InGstinRecognizer, ["gstin", "gst"]),
    (stock.IpRecognizer, ["ip", "ipv4", "ipv6"]),
    (stock.ItFiscalCodeRecognizer, ["codice", "fiscale", "cf"]),
    (stock.MacAddressRecognizer, ["mac", "hardware", "ethernet"]),
    (stock.MedicalLicenseRecognizer, ["medical", "certificate", "dea"]),
    (stock.NhsRecognizer, ["nhs", "health"]),
    (stock.PlPeselRecognizer, ["pesel"]),
    (stock.SgFinRecognizer, ["fin", "nric"]),
    (stock.TrNationalIdRecognizer, ["kimlik", "tckn", "tc"]),
    (stock.UkNinoRecognizer, ["nino", "insurance"]),
    (stock.UrlRecognizer, ["url", "website", "link"]),
    (stock.UsBankRecognizer, ["account", "acct", "bank", "checking", "savings", "debit"]),
    (stock.UsItinRecognizer, ["taxpayer", "itin", "tax", "taxid", "tin"]),
    (stock.UsLicenseRecognizer, ["driver", "drivers", "driving", "dls", "cdls", "dl"]),
    (stock.UsMbiRecognizer, ["medicare", "mbi", "beneficiary", "medicaid"]),
    (stock.UsNpiRecognizer, ["npi", "provider"]),
    (stock.UsPassportRecognizer, ["passport"]),
    (stock.UsSsnRecognizer, ["social", "security", "ssn", "ssid"]),
    (
        stock.UuidRecognizer,
        [
            "user",
            "customer",
            "patient",
            "member",
            "person",
            "device",
            "advertising",
            "idfa",
            "gaid",
            "subject",
            "client",
            "visitor",
            "employee",
            "subscriber",
        ],
    ),
    (stock.ZaIdNumberRecognizer, ["identity", "rsa"]),
)

#: Of these only the first pattern or two: the others match inside longer numbers and words.
_FIRST_PATTERNS: tuple[tuple[Any, int, list[str]], ...] = (
    (stock.FiPersonalIdentityCodeRecognizer, 1, ["hetu", "henkilötunnus"]),
    (stock.InPanRecognizer, 2, ["pan", "permanent"]),
    (stock.KrRrnRecognizer, 1, ["rrn", "resident"]),
    (stock.SePersonnummerRecognizer, 1, ["personnummer", "samordningsnummer"]),
)


def stock_recognizers() -> list[EntityRecognizer]:
    """Fresh instances, all registered for English so that one pass applies them whatever country they come from."""
    whole = [kind(context=context, supported_language="en") for kind, context in _WITH_CONTEXT]
    parts = [
        kind(patterns=kind.PATTERNS[:count], context=context, supported_language="en")
        for kind, count, context in _FIRST_PATTERNS
    ]
    return [*whole, *parts]
