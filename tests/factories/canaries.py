"""Canaries: for every entity type a realistic text that must be found, wherever it enters the vault."""

from dataclasses import dataclass
from typing import Final

#: Found by the name finder, not by recognizers.
BY_NAMES: Final = frozenset({"PERSON", "ORGANIZATION"})


@dataclass(frozen=True, slots=True)
class Canary:
    """A text, and the part of it that a finding of the entity type must cover."""

    entity_type: str
    text: str
    value: str


def _canaries(*rows: tuple[str, str, str]) -> tuple[Canary, ...]:
    return tuple(Canary(entity_type, text.format(value), value) for entity_type, text, value in rows)


_JWT: Final = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJjYW5hcnkifQ.c2lnbmF0dXJlLW9mLWNhbmFyeQ"
_PEM: Final = "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END PRIVATE KEY-----"

CANARIES: Final = _canaries(
    ("PERSON", "Yesterday {} called about the delivery.", "Michael Anderson"),
    ("ORGANIZATION", "She has worked for {} since May.", "Acme Corporation"),
    ("LOCATION", "Please ship it to {}.", "742 Evergreen Terrace, Springfield, IL 62704"),
    ("ZIP_CODE", "my zip code is {}", "94110"),
    ("POSTAL_CODE", "the postcode is {}", "SW1A 2AA"),
    ("GPS_COORDINATES", "GPS coordinates: {}", "48.858370, 2.294481"),
    ("DATE_TIME", "we met on {} there", "2021-03-14"),
    ("DATE_OF_BIRTH", "date of birth: {}", "03/14/1985"),
    ("AGE", "The patient is {} years old.", "47"),
    ("NRP", "Her husband is {}.", "Norwegian"),
    ("EMAIL_ADDRESS", "write to {} today", "jane.canary@example.com"),
    ("PHONE_NUMBER", "call me at {}", "+1 415-555-0132"),
    ("FAX_NUMBER", "Fax: {}", "(415) 555-0199"),
    ("URL", "my page is {} now", "https://www.jane-canary.example.com/about"),
    ("USERNAME", "username: {}", "jane_canary85"),
    ("IP_ADDRESS", "signed in from {} at noon", "203.0.113.77"),
    ("MAC_ADDRESS", "mac address {}", "00:1B:44:11:3A:B7"),
    ("DEVICE_ID", "IMEI: {}", "490154203237518"),
    ("UUID", "user {} signed in", "3f2504e0-4f89-41d3-9a0c-0305e82c3301"),
    ("VIN", "VIN {}", "1M8GDM9AXKP042788"),
    ("LICENSE_PLATE", "license plate {}", "7ABC123"),
    ("CREDIT_CARD", "my card is {}", "4111 1111 1111 1111"),
    ("IBAN_CODE", "IBAN {}", "DE89370400440532013000"),
    ("SWIFT_CODE", "SWIFT: {}", "DEUTDEFF500"),
    ("BANK_ACCOUNT", "account number: {}", "000123456789"),
    ("US_BANK_NUMBER", "my checking account {} was charged", "945456787654"),
    ("ABA_ROUTING_NUMBER", "routing number {}", "021000021"),
    ("UK_SORT_CODE", "sort code {}", "20-00-00"),
    ("AU_BSB", "BSB {}", "062-000"),
    ("IN_IFSC", "IFSC {}", "HDFC0001234"),
    ("CRYPTO", "send it to {}", "1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa"),
    ("PASSPORT_NUMBER", "passport number: {}", "X4829103"),
    ("US_PASSPORT", "US passport {}", "912803456"),
    ("DRIVER_LICENSE", "driver's license {}", "D1234567"),
    ("US_DRIVER_LICENSE", "my driver card says {}", "H12234567"),
    ("UK_DRIVING_LICENCE", "DVLA number {}", "MORGA657054SM9IJ"),
    ("US_SSN", "my SSN is {}", "536-22-8726"),
    ("US_ITIN", "ITIN {}", "912-78-1234"),
    ("US_TIN", "EIN: {}", "12-3456789"),
    ("UK_NINO", "NINO {}", "AB123456C"),
    ("UK_NHS", "NHS number {}", "943 476 5919"),
    ("DE_TAX_ID", "Steuer-ID: {}", "86095742719"),
    ("DE_SOCIAL_SECURITY", "Rentenversicherungsnummer {}", "15070649C103"),
    ("FR_NIR", "NIR {}", "2 55 08 14 168 025 38"),
    ("IT_FISCAL_CODE", "codice fiscale {}", "RSSMRA85T10A562S"),
    ("ES_NIF", "DNI {}", "12345678Z"),
    ("ES_NIE", "NIE {}", "X1234567L"),
    ("PL_PESEL", "PESEL {}", "44051401359"),
    ("NL_BSN", "BSN {}", "111222333"),
    ("CH_AHV", "AHV {}", "756.9217.0769.85"),
    ("SE_PERSONNUMMER", "personnummer {}", "811218-9876"),
    ("DK_CPR", "CPR-nummer {}", "070761-4285"),
    ("NO_FNR", "fødselsnummer {}", "13097248022"),
    ("FI_PERSONAL_IDENTITY_CODE", "hetu {}", "131052-308T"),
    ("TR_NATIONAL_ID", "TC kimlik {}", "10000000146"),
    ("ZA_ID_NUMBER", "South African ID {}", "8001015009087"),
    ("IN_AADHAAR", "Aadhaar {}", "2345 6789 0124"),
    ("IN_PAN", "PAN card {}", "ABCPE1234F"),
    ("IN_VOTER", "voter id {}", "ABC1234567"),
    ("IN_GSTIN", "GSTIN {}", "27AAPFU0939F1ZV"),
    ("BR_CPF", "CPF {}", "529.982.247-25"),
    ("BR_CNPJ", "CNPJ {}", "11.222.333/0001-81"),
    ("MX_CURP", "CURP {}", "HEGG560427MVZRRL04"),
    ("MX_RFC", "RFC {}", "GODE561231GR8"),
    ("AU_TFN", "TFN {}", "123 456 782"),
    ("AU_MEDICARE", "medicare {}", "2123 45670 1"),
    ("SG_NRIC_FIN", "NRIC {}", "S1234567D"),
    ("CA_SIN", "SIN {}", "046 454 286"),
    ("KR_RRN", "RRN {}", "960121-1234567"),
    ("JP_MY_NUMBER", "my number card: {}", "1234 5678 9018"),
    ("CERTIFICATE_NUMBER", "birth certificate number {}", "BC-482910"),
    ("ID_NUMBER", "employee ID: {}", "E-20417"),
    ("MEDICAL_RECORD_NUMBER", "MRN: {}", "00451234"),
    ("HEALTH_INSURANCE_NUMBER", "health insurance number {}", "W123456789"),
    ("INSURANCE_NUMBER", "policy number: {}", "PX-882917"),
    ("PRESCRIPTION_NUMBER", "prescription number {}", "RX-7719234"),
    ("US_MBI", "medicare beneficiary {}", "1EG4-TE5-MK73"),
    ("US_NPI", "NPI {}", "1234567893"),
    ("MEDICAL_LICENSE", "DEA certificate {}", "BB1388568"),
    ("PASSWORD", "my password is {}", "Tr0ub4dor&3"),
    ("SECRET_CODE", "your verification code is {}", "482913"),
    ("API_KEY", "api_key={}", "Zk3vQ9xLw7TtB2mR8sHd"),
    ("ACCESS_TOKEN", "the token {}", _JWT),
    ("PRIVATE_KEY", "{}", _PEM),
    ("URL_CREDENTIALS", "clone {}", "https://bob:Tr0ub4dor3@git.example.com/repo"),
    ("HEALTH", "My brother was diagnosed with {}.", "leukemia"),
    ("RELIGION", "My neighbour is a {}.", "Buddhist"),
    ("ETHNICITY", "ethnicity: {}", "Hispanic"),
    ("POLITICS", "My boss is a {}.", "socialist"),
    ("UNION_MEMBERSHIP", "My uncle is a {}.", "union member"),
    ("SEXUALITY", "sexual orientation: {}", "bisexual"),
    ("BIOMETRIC", "fingerprint template: {}", "Zm9vYmFyYmF6"),
    ("GENETIC", "genotype: {}", "rs429358 CT"),
    ("CONVICTION", "My cousin was {} last year.", "convicted of fraud"),
    ("CARD_VERIFICATION", "CVV: {}", "123"),
    ("CARD_PIN", "my card pin is {}", "4921"),
    ("PIN_BLOCK", "pin block: {}", "0412AC89ABCDEF67"),
    ("TRACK_DATA", "{}", ";4111111111111111=25121011234567890123?"),
    ("UNSCANNABLE", "data:image/png;base64,{}", "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk"),
)
