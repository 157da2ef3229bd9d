"""Numbers a state gives people: passports, driving licences, national, tax and social security numbers."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from typing import Final

from presidio_analyzer import EntityRecognizer, Pattern

from anonymization.detectors.recognizers import checksums
from anonymization.detectors.recognizers.labels import (
    ANNOUNCED,
    CODE,
    NO_DATE,
    SPACED_CODE,
    CheckedRecognizer,
    Identifier,
    labelled,
    shaped,
)

_MASKED_SSN: Final = r"[x*#\u2022]{3}[ -]?[x*#\u2022]{2}[ -]?\d{4}"
_DRIVING: Final = (
    r"driv(?:er['\u2019]?s?['\u2019]?|ing)[\s_-]?(?:licen[cs]es?|permits?|id)|dl(?=[\s:#-])|dln|cdl"
    r"|learner['\u2019]?s?\spermit|f\u00fchrerschein|permis\sde\sconduire|patente(?:\sdi\sguida)?|carn\u00e9?t?\sde\sconducir|rijbewijs"
)
_PASSPORT: Final = (
    r"(?:[a-z]{2,12}[\s_-])?passports?(?:[\s_-]?(?:book|card|id))?|passeport|reisepass|pasaporte|passaporto|paspoort"
)
_PEOPLE: Final = (
    r"(?:national|identity|personal|member|membership|patient|employee|staff|personnel|student|pupil|customer|client"
    r"|subscriber|policy|policyholder|insurance|beneficiary|tax(?:payer)?|voter|citizen|resident|badge"
    r"|applicant|passenger|traveler|tenant|donor|inmate|prisoner"
    r"|frequent[\s_-]flyer|(?:known|redress)[\s_-]traveler|green[\s_-]card|visa|account[\s_-]holder)"
    r"(?:[\s_-]?(?:id|identification|identifier|identity|insurance|card|file|member|registration|reference|record)){0,2}"
)

#: Words that number a person only with a word such as "id" or "number" behind them.
_ROLES: Final = (
    r"(?:case|claim|candidate|guest|officer|agent|contractor|driver|rider|loyalty|military|service|dod|alien|holder|pension"
    r"|library[\s_-]card|enrol?lment|admission|payroll|suspect|victim|witness|defendant|person|individual|worker)"
    r"(?:[\s_-](?:identification|registration|reference|card|badge))?(?=[\s_-]{0,2}(?:ids?\b|numbers?\b|no\b\.?|nr\b|#))"
)

_NATIONAL: Final = (
    Identifier(
        "US_SSN",
        "LabelledSsnRecognizer",
        r"ssns?|social[\s_-]?security(?:[\s_-](?:number|no\.?|num|card|details?|id)){0,2}|social(?=\s(?:is|number|:))|soc(?:ial)?\ssec",
        rf"(?:\d{{3}}[ .\u2013-]?\d{{2}}[ .\u2013-]?\d{{4}}|{_MASKED_SSN})(?![\w@])(?!-\d)",
    ),
    Identifier(
        "US_SSN",
        "SsnLastFourRecognizer",
        r"last[\s_-](?:four|4)(?:[\s_-]digits)?\s(?:of\s(?:my|his|her|their|your|the)?\s?)?(?:ssn|social)",
        r"\d{4}\b",
    ),
    Identifier(
        "US_ITIN", "LabelledItinRecognizer", r"itin|individual[\s_-]taxpayer", r"9\d{2}[ -]?[4-9]\d[ -]?\d{4}\b"
    ),
    Identifier("US_TIN", "LabelledTinRecognizer", r"tin|f?ein|atin|employer[\s_-]identification", r"\d{2}-?\d{7}[A-Z]?\b"),
    Identifier("UK_NINO", "LabelledNinoRecognizer", r"nino|ni|national[\s_-]insurance",
               r"[A-Z]{2}[ -]?\d{2}[ -]?\d{2}[ -]?\d{2}[ -]?[A-D]\b"),
    Identifier("UK_NHS", "LabelledNhsRecognizer", r"nhs", r"\d{3}[ -]?\d{3}[ -]?\d{4}\b"),
    Identifier(
        "DE_TAX_ID",
        "LabelledDeTaxRecognizer",
        r"steuer-?(?:id(?:entifikationsnummer)?|nummer|idnr\.?)|idnr\.?|german\stax\s?(?:id|number)|tax[\s_-]id",
        r"[1-9]\d[ ]?\d{3}[ ]?\d{3}[ ]?\d{3}\b",
    ),
    Identifier(
        "DE_SOCIAL_SECURITY",
        "LabelledDeSocialRecognizer",
        r"(?:renten|sozial)versicherungs?-?(?:nummer|nr\.?)?|rvnr|svnr",
        r"\d{2}[ ]?\d{6}[ ]?[A-Z][ ]?\d{3}\b",
    ),
    Identifier(
        "FR_NIR",
        "LabelledNirRecognizer",
        r"nir|insee|(?:num\u00e9ro\sde\s)?s\u00e9curit\u00e9\ssociale|carte\svitale|french\ssocial\ssecurity",
        r"[12][ ]?\d{2}[ ]?\d{2}[ ]?(?:\d{2}|2[AB])[ ]?\d{3}[ ]?\d{3}(?:[ ]?\d{2})?\b",
        check=lambda text: len(checksums.compact(text)) > 13 and checksums.passes_nir(text),  # noqa: PLR2004
    ),
    Identifier(
        "IT_FISCAL_CODE",
        "LabelledFiscalCodeRecognizer",
        r"codice\sfiscale|c\.?f\.?|fiscal\scode|italian\stax\scode",
        r"[A-Z]{6}[ ]?[0-9LMNPQRSTUV]{2}[ ]?[A-Z][0-9LMNPQRSTUV]{2}[ ]?[A-Z][0-9LMNPQRSTUV]{3}[A-Z]\b",
    ),
    Identifier("ES_NIF", "LabelledNifRecognizer", r"dni|nif|documento\snacional", r"\d{1,2}\.?\d{3}\.?\d{3}[ -]?[A-Z]\b"),
    Identifier("ES_NIE", "LabelledNieRecognizer", r"nie|extranjero", r"[XYZ][ -]?\d{7}[ -]?[A-Z]\b"),
    Identifier(
        "IN_AADHAAR",
        "LabelledAadhaarRecognizer",
        r"aa?dhaa?r(?:[\s_-]?card)?|uidai|uid",
        r"(?:\d{4}[ -]?\d{4}[ -]?\d{4,8}|[x*]{4}[ -]?[x*]{4}[ -]?\d{4})\b",
    ),
    Identifier(
        "IN_PAN",
        "LabelledPanRecognizer",
        r"pan(?:[\s_-]?card)?|permanent[\s_-]account",
        r"[A-Z]{4,10}\d{3,6}[A-Z]{0,2}\b",
    ),
    Identifier("IN_VOTER", "LabelledVoterRecognizer", r"epic|voter(?:[\s_-](?:id|card))*|electoral\sphoto", r"[A-Z]{3}\d{7}\b"),
    Identifier("BR_CPF", "LabelledCpfRecognizer", r"cpf(?:/mf)?|cadastro\sde\spessoas?", r"\d{3}\.?\d{3}\.?\d{3}-?\d{2}\b",
               check=checksums.passes_cpf),
    Identifier("BR_CNPJ", "LabelledCnpjRecognizer", r"cnpj", r"\d{2}\.?\d{3}\.?\d{3}/?\d{4}-?\d{2}\b",
               check=checksums.passes_cnpj),
    Identifier("AU_TFN", "LabelledTfnRecognizer", r"tfn|tax[\s_-]file", r"\d{3}[ -]?\d{3}[ -]?\d{2,3}\b"),
    Identifier("AU_MEDICARE", "LabelledMedicareRecognizer", r"medicare(?:[\s_-]card)?", r"[2-6]\d{3}[ -]?\d{5}[ -]?\d(?:[ /-]?\d)?\b"),
    Identifier("SG_NRIC_FIN", "LabelledNricRecognizer", r"nric(?:/fin)?|fin", r"[STFGM]\d{7}[A-Z]\b"),
    Identifier("CA_SIN", "LabelledSinRecognizer", r"sin|social[\s_-]insurance", r"\d{3}[ -]?\d{3}[ -]?\d{3}\b"),
    Identifier("PL_PESEL", "LabelledPeselRecognizer", r"pesel", r"\d{11}\b"),
    Identifier("NL_BSN", "LabelledBsnRecognizer", r"bsn|burgerservicenummer|sofi-?nummer", r"\d{3}[ .]?\d{3}[ .]?\d{3}\b",
               check=checksums.passes_bsn),
    Identifier("CH_AHV", "LabelledAhvRecognizer", r"ahv(?:-?(?:nummer|nr\.?))?|avs|oasi", r"756[ .]?\d{4}[ .]?\d{4}[ .]?\d{2}\b",
               check=checksums.passes_ahv),
    Identifier("SE_PERSONNUMMER", "LabelledPersonnummerRecognizer", r"personnummer|samordningsnummer|swedish\sid",
               r"(?:19|20)?\d{6}[-+ ]?\d{4}\b"),
    Identifier("DK_CPR", "LabelledCprRecognizer", r"cpr(?:-?(?:nummer|nr\.?))?|personnummer", r"\d{6}-?\d{4}\b"),
    Identifier("NO_FNR", "LabelledFodselsnummerRecognizer", r"f\u00f8dselsnummer|fnr|personnummer", r"\d{6}[ ]?\d{5}\b"),
    Identifier("ZA_ID_NUMBER", "LabelledZaIdRecognizer", r"(?:south\safrican|rsa|sa)\sid", r"\d{6}[ ]?\d{4}[ ]?\d{3}\b"),
    Identifier("JP_MY_NUMBER", "LabelledMyNumberRecognizer", r"my\snumber\s?card|individual\snumber|\u30de\u30a4\u30ca\u30f3\u30d0\u30fc",
               r"\d{4}[ -]?\d{4}[ -]?\d{4}\b"),
    Identifier("MX_CURP", "LabelledCurpRecognizer", r"curp", r"[A-Z]{4}\d{6}[HMX][A-Z]{5}[A-Z0-9]\d\b"),
    Identifier("MX_RFC", "LabelledRfcRecognizer", r"rfc", r"[A-Z\u00d1&]{3,4}\d{6}[A-Z0-9]{3}\b"),
)  # fmt: skip

_DOCUMENTS: Final = (
    Identifier("PASSPORT_NUMBER", "PassportRecognizer", _PASSPORT, SPACED_CODE),
    Identifier("DRIVER_LICENSE", "LabelledLicenseRecognizer", _DRIVING, SPACED_CODE),
    Identifier(
        "DRIVER_LICENSE",
        "VagueLicenseRecognizer",
        r"licen[cs]e(?=[\s_-]{0,2}(?:numbers?\b|no\b|nr\b|id\b|#))",
        rf"{NO_DATE}(?=[A-Z0-9-]{{0,18}}\d[A-Z0-9-]{{0,6}}\d)(?-i:[A-Z])[A-Z0-9]{{0,4}}(?:-?[A-Z0-9]){{4,16}}(?![\w@])",
        score=0.5,
    ),
    Identifier(
        "CERTIFICATE_NUMBER",
        "CertificateRecognizer",
        r"(?:(?:birth|death|marriage|citizenship|naturali[sz]ation|professional|medical|nursing|teaching|pilot|bar|state)"
        r"[\s_-]){0,2}(?:certificates?|certification|licen[cs]ure|bar|dea|npi|diploma)",
        CODE,
        ANNOUNCED,
        0.5,
    ),
    Identifier("ID_NUMBER", "LabelledIdRecognizer", _PEOPLE, CODE, ANNOUNCED),
    Identifier("ID_NUMBER", "RoleIdRecognizer", _ROLES, CODE, ANNOUNCED, 0.5),
    Identifier("ID_NUMBER", "IdCardRecognizer", r"(?:national\s)?(?:id|identity)[\s_-](?:card|document)|personalausweis\w{0,8}|carta\sd['\u2019]identit\u00e0"
               r"|cni|ausweisnummer|government\sid|state\sid", SPACED_CODE, score=0.5),
    Identifier("ID_NUMBER", "SayIdRecognizer", r"(?:my|his|her|their|your)\sid", CODE, score=0.5),
    Identifier("ID_NUMBER", "IdentificationRecognizer",
               r"(?<!order )(?<!item )(?<!product )(?<!ticket )(?<!build )(?<!batch )(?<!process )(?<!request )(?<!transaction )(?<!message )"
               r"(?:id|identification|pid|social\scredit)(?=[\s_-]?(?:numbers?\b|no\b|nr\b|#))",
               r"(?=[A-Z0-9/._-]{0,24}\d[A-Z0-9/._-]{0,4}\d)(?=[A-Z0-9/._-]{6})" + CODE, score=0.5),
    Identifier("ID_NUMBER", "AlienNumberRecognizer", r"a-?number|alien(?:\sregistration)?|uscis", r"A?[- ]?\d{3}[- ]?\d{3}[- ]?\d{3}\b"),
)  # fmt: skip


def identity_recognizers() -> list[EntityRecognizer]:
    """Recognizers of numbers after their label, whatever their check digits say: people mistype them too."""
    return labelled(*_NATIONAL, *_DOCUMENTS)


def checked_identity_recognizers() -> list[EntityRecognizer]:
    """Recognizers of numbers whose form and check digits together are rare enough, or that a supporting word makes so."""
    return [
        CheckedRecognizer(
            "BR_CPF",
            "CpfRecognizer",
            [
                Pattern("punctuated", r"(?<![\w.])\d{3}\.\d{3}\.\d{3}-\d{2}(?![\w-])", 0.5),
                Pattern("bare", r"(?<!\w)\d{9}-?\d{2}(?!\w)", 0.3),
            ],
            check=checksums.passes_cpf,
            context=["cpf", "cadastro", "contribuinte"],
            certain=True,
        ),
        CheckedRecognizer(
            "BR_CNPJ",
            "CnpjRecognizer",
            [
                Pattern("punctuated", r"(?<![\w.])\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}(?![\w-])", 0.5),
                Pattern("bare", r"(?<!\w)\d{14}(?!\w)", 0.3),
            ],
            check=checksums.passes_cnpj,
            context=["cnpj"],
            certain=True,
        ),
        CheckedRecognizer(
            "FR_NIR",
            "NirRecognizer",
            [
                Pattern("grouped", r"(?<!\w)[12] \d{2} (?:0[1-9]|1[0-2]) (?:\d{2}|2[AB]) \d{3} \d{3} \d{2}(?!\w)", 0.5),
                Pattern("bare", r"(?<!\w)[12]\d{2}(?:0[1-9]|1[0-2])(?:\d{2}|2[AB])\d{6}[ ]?\d{2}(?!\w)", 0.3),
            ],
            check=checksums.passes_nir,
            context=["nir", "insee", "s\u00e9curit\u00e9", "securite", "vitale"],
            certain=True,
        ),
        CheckedRecognizer(
            "CH_AHV",
            "AhvRecognizer",
            [
                Pattern("punctuated", r"(?<![\w.])756\.\d{4}\.\d{4}\.\d{2}(?!\w)", 0.5),
                Pattern("bare", r"(?<!\w)756\d{10}(?!\w)", 0.3),
            ],
            check=checksums.passes_ahv,
            context=["ahv", "avs", "oasi"],
            certain=True,
        ),
        CheckedRecognizer(
            "MX_CURP",
            "CurpRecognizer",
            [
                Pattern(
                    "curp",
                    r"(?<!\w)[A-Z]{4}\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])[HMX][A-Z]{5}[A-Z0-9]\d(?!\w)",
                    0.5,
                )
            ],
            check=checksums.passes_curp,
            context=["curp"],
            certain=True,
        ),
        CheckedRecognizer(
            "NL_BSN",
            "BsnRecognizer",
            [Pattern("bare", r"(?<!\w)\d{9}(?!\w)", 0.2)],
            check=checksums.passes_bsn,
            context=["bsn", "burgerservicenummer", "sofinummer"],
            certain=False,
        ),
        shaped(
            "UK_DRIVING_LICENCE",
            "UkDrivingLicenceShapeRecognizer",
            (
                "DVLA",
                r"(?<!\w)[A-Z9]{5}\d(?:0[1-9]|1[0-2]|5[1-9]|6[0-2])(?:0[1-9]|[12]\d|3[01])\d[A-Z9]{2}[A-Z0-9][A-Z]{2}(?!\w)",
                0.5,
            ),
        ),
        shaped(
            "PASSPORT_NUMBER",
            "MrzRecognizer",
            (
                "machine-readable zone",
                r"P[A-Z<][A-Z]{3}[A-Z<]{39}\s{1,2}[A-Z0-9<]{9}\d[A-Z]{3}\d{7}[MFX<]\d{7}[A-Z0-9<]{14}[\d<]\d",
                0.9,
            ),
        ),
    ]
