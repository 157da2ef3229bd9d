"""Every entity type a finding may carry, by group, and what it is."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

#: By group, then by entity type: what a finding of that type covers. The reference page and the canaries follow it.
ENTITIES: Final[Mapping[str, Mapping[str, str]]] = MappingProxyType(
    {
        "people and places": {
            "PERSON": "name of a person (names in running text: the name finder)",
            "ORGANIZATION": "name of a company, authority or party (the name finder)",
            "LOCATION": "place (the name finder), street address, city with state and ZIP code",
            "ZIP_CODE": "ZIP code of the United States behind a label or a state",
            "POSTAL_CODE": "postal code of another country, by form (GB, CA) or behind a label",
            "GPS_COORDINATES": "latitude and longitude, decimal or in degrees and minutes",
            "DATE_TIME": "date or time",
            "DATE_OF_BIRTH": "date behind a label or a verb of birth",
            "AGE": "age of a person",
            "NRP": "nationality or citizenship",
        },
        "contact": {
            "EMAIL_ADDRESS": "e-mail address, also under domains no registry knows",
            "PHONE_NUMBER": "telephone number, international, national or local",
            "FAX_NUMBER": "number behind a label of fax",
            "URL": "web address",
            "USERNAME": "name an account is signed in with, behind a label",
        },
        "devices and networks": {
            "IP_ADDRESS": "IPv4 or IPv6 address",
            "MAC_ADDRESS": "hardware address",
            "DEVICE_ID": "IMEI, IMSI, ICCID, advertising id, serial number behind a label",
            "UUID": "UUID with a word that says whose it is",
            "VIN": "vehicle identification number, by check digit or label",
            "LICENSE_PLATE": "number plate behind a label",
        },
        "money": {
            "CREDIT_CARD": "card number of 12 to 19 digits by issuer range and check digit, or its masked form behind a label",
            "IBAN_CODE": "IBAN by check digits, or behind a label",
            "SWIFT_CODE": "BIC behind a label",
            "BANK_ACCOUNT": "account number behind a label, also its last digits",
            "US_BANK_NUMBER": "digits with a word that speaks of an account",
            "ABA_ROUTING_NUMBER": "routing number by check digit and word, or behind a label",
            "UK_SORT_CODE": "sort code behind a label",
            "AU_BSB": "BSB behind a label",
            "IN_IFSC": "IFSC behind a label",
            "CRYPTO": "address of a wallet: Bitcoin, Ethereum, Litecoin, Dogecoin, Tron, Monero, Cardano, others behind a label",
        },
        "documents and numbers of states": {
            "PASSPORT_NUMBER": "passport number behind a label, machine-readable zone",
            "US_PASSPORT": "passport number of the United States with a supporting word",
            "DRIVER_LICENSE": "driving licence number behind a label",
            "US_DRIVER_LICENSE": "form of a state's driving licence with a supporting word",
            "UK_DRIVING_LICENCE": "DVLA driver number by its form",
            "US_SSN": "social security number, also its last four digits behind a label",
            "US_ITIN": "individual taxpayer number",
            "US_TIN": "EIN or other taxpayer number behind a label",
            "UK_NINO": "National Insurance number",
            "UK_NHS": "NHS number",
            "DE_TAX_ID": "Steuer-Identifikationsnummer",
            "DE_SOCIAL_SECURITY": "Rentenversicherungsnummer",
            "FR_NIR": "numéro de sécurité sociale",
            "IT_FISCAL_CODE": "codice fiscale",
            "ES_NIF": "DNI or NIF",
            "ES_NIE": "NIE",
            "PL_PESEL": "PESEL",
            "NL_BSN": "burgerservicenummer",
            "CH_AHV": "AHV number",
            "SE_PERSONNUMMER": "personnummer",
            "DK_CPR": "CPR number behind a label",
            "NO_FNR": "fødselsnummer behind a label",
            "FI_PERSONAL_IDENTITY_CODE": "henkilötunnus",
            "TR_NATIONAL_ID": "T.C. kimlik number",
            "ZA_ID_NUMBER": "South African id number",
            "IN_AADHAAR": "Aadhaar",
            "IN_PAN": "permanent account number",
            "IN_VOTER": "voter id behind a label",
            "IN_GSTIN": "goods and services tax number",
            "BR_CPF": "CPF",
            "BR_CNPJ": "CNPJ",
            "MX_CURP": "CURP",
            "MX_RFC": "RFC behind a label",
            "AU_TFN": "tax file number",
            "AU_MEDICARE": "Medicare number of Australia",
            "SG_NRIC_FIN": "NRIC or FIN",
            "CA_SIN": "social insurance number",
            "KR_RRN": "resident registration number",
            "JP_MY_NUMBER": "individual number behind a label",
            "CERTIFICATE_NUMBER": "number of a certificate or diploma behind a label",
            "ID_NUMBER": "number of a person as member, employee, student, customer or the like, behind a label",
        },
        "health and insurance": {
            "MEDICAL_RECORD_NUMBER": "medical record or patient number behind a label",
            "HEALTH_INSURANCE_NUMBER": "health plan, member or beneficiary number behind a label",
            "INSURANCE_NUMBER": "policy or claim number behind a label",
            "PRESCRIPTION_NUMBER": "prescription number behind a label",
            "US_MBI": "Medicare beneficiary identifier",
            "US_NPI": "provider identifier with a supporting word",
            "MEDICAL_LICENSE": "DEA number with a supporting word",
        },
        "secrets": {
            "PASSWORD": "password or passphrase behind a label",
            "SECRET_CODE": "PIN, one-time or access code behind a label",
            "API_KEY": "key behind a label, or by the form its issuer documents",
            "ACCESS_TOKEN": "JWT, bearer token, session cookie, credentials in a URL",
            "PRIVATE_KEY": "private key in PEM or PuTTY form",
            "URL_CREDENTIALS": "URL with a user name and password, or a token in its query",
        },
        "special categories (GDPR articles 9 and 10)": {
            "HEALTH": "illness or treatment of a person",
            "RELIGION": "faith of a person",
            "ETHNICITY": "ethnic origin of a person",
            "POLITICS": "political opinion of a person",
            "UNION_MEMBERSHIP": "membership in a union",
            "SEXUALITY": "sexual orientation or gender identity of a person",
            "BIOMETRIC": "biometric template of a person",
            "GENETIC": "genetic finding of a person",
            "CONVICTION": "conviction or charge of a person",
        },
        "refused at ingest (PCI DSS 4.0, 3.3)": {
            "CARD_VERIFICATION": "verification value of a card",
            "CARD_PIN": "PIN of a card",
            "PIN_BLOCK": "encrypted PIN block",
            "TRACK_DATA": "magnetic stripe of a card",
        },
        "not looked into": {"UNSCANNABLE": "binary or too deeply encoded content; always withheld"},
    }
)


def entity_types() -> frozenset[str]:
    """All entity types of the table."""
    return frozenset(entity for group in ENTITIES.values() for entity in group)
