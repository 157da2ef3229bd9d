"""The rules after scanning: what a span is worth in the light of the text around it and of the other spans."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

import regex

from anonymization.detectors import context
from anonymization.detectors.base import Span

#: Part of a detector's identity: raise it when a rule changes what is found.
RULES_VERSION: Final = 2

#: A run of digits without a supporting word is worth no more than this, whatever checksum it passes; so is half a word.
UNSUPPORTED_SCORE: Final = 0.3

#: The lengths at which issuer range and check digit together are enough evidence for a card number.
_CARD_LENGTHS: Final = range(14, 17)

#: Fewer digits need a supporting word: with the 0 that comes before an area code, and without.
_TRUNK_PHONE_DIGITS: Final = 9
_FULL_PHONE_DIGITS: Final = 10

#: Their check digit holds for every tenth number or so, and their grouping is that of phone numbers and prices.
_DEMANDING: Final = frozenset(
    {
        "AbaRoutingRecognizer",
        "AuMedicareRecognizer",
        "AuTfnRecognizer",
        "CaSinRecognizer",
        "MedicalLicenseRecognizer",
        "NhsRecognizer",
        "UsNpiRecognizer",
        "UuidRecognizer",
    }
)
#: Written with capital letters; in small ones they are rather parts of digests and names.
_IN_CAPITALS: Final = frozenset({"EsNieRecognizer", "EsNifRecognizer", "SgFinRecognizer", "InPanRecognizer"})
#: Words before four numbers with dots that are no address.
_NUMBERED: Final = frozenset(
    {"version", "section", "sections", "chapter", "clause", "release", "build", "v", "article"}
)
#: Patterns whose grouping and check digits together are enough, though they are only digits and spaces.
_GROUPED: Final = frozenset({("NirRecognizer", "grouped"), ("ImeiRecognizer", "grouped")})

#: A date of this form without a word for it is rather a version: "5.1.22".
_SHORT_DATE: Final = regex.compile(r"\d{1,2}\.\d{1,2}\.\d\d")
_BEFORE_DATE: Final = regex.compile(r"\b(?:on|of|am|vom|since|until|till|by|before|after|dated)\s$", regex.IGNORECASE)
_BEFORE_REACH: Final = 8
#: Names of top-level domains that end the names of files and members of objects far more often.
_FILE_ENDINGS: Final = frozenset(
    "so py sh rs md pl ps cc java zip mov app id name info data run map int link set do email work report store".split()  # noqa: SIM905
)
_CODE_FOLLOWS: Final = regex.compile(r"\s?[(\[={]|\.\w|_|\s[+*/-]\s")
#: The longest group of digits in a phone number that starts neither with 0 nor with a sign.
_LONGEST_GROUP: Final = 5
_GROUP: Final = regex.compile(r"\d+")

_CARD_BEHIND: Final = regex.compile(
    r"\b(?:card|credit|debit|visa|mastercard|maestro|expires|exp\.?|cvv|cvc)\b", regex.IGNORECASE
)
_BEHIND_REACH: Final = 40

_PARAMETER: Final = regex.compile(r"[a-z_]{1,20}=(?=[^=@]{1,64}@)", regex.IGNORECASE)

_SUM: Final = regex.compile(r"[\d\s-]+")
_JOINED_SENTENCES: Final = regex.compile(r"[\w-]*\.{2,}[\w.-]*|[\w-]+\.\p{Lu}\p{Ll}+")

#: Field names that give a value its label, beyond the supporting words of the recognizers.
LABELS: Final = frozenset(
    """
    password passwd pass passphrase passcode pwd pw pin secret token key apikey credential credentials bearer cvv
    cvc cvv2 cvc2 csc mrn account acct routing sort swift bic bsb ifsc iban ssn itin ein nino social aadhaar pan
    passport licence license member patient employee student national policy policyholder insurance subscriber
    block medical chart health beneficiary medicaid claim prescription rx customer client staff personnel applicant
    guest passenger tenant voter citizen resident visa military user username login uid handle nickname screen otp
    verification recovery unlock door access security dob birth birthday birthdate born age nationality citizenship
    religion faith ethnicity race orientation sexuality political party union genotype diagnosis condition illness
    allergy allergies medication disability criminal conviction fax phone mobile address zip zipcode postcode
    postal plz plate vin chassis vehicle imei imsi iccid meid serial device hardware android advertising latitude
    longitude lat lng lon certificate diploma cpf cnpj nir nif nie dni curp rfc bsn ahv cpr pesel personnummer nric
    tfn medicare wallet steuer steuernummer codice driver drivers dl webhook authorization connection phrase
    passwort kennwort senha
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the rules know of the recognizers, by name: their supporting words, and which of them ask for a label.

    A recognizer whose patterns contain the label or an unmistakable shape is in ``labelled``: nothing more is asked
    for.
    """

    words: Mapping[str, frozenset[str]]
    labelled: frozenset[str]


def judged(text: str, spans: Sequence[Span], evidence: Evidence) -> list[Span]:
    """The spans of one text after the rules: some left out, some worth less; not sorted, scores not filtered."""
    spans = [_without_parameter(text, span) for span in _outside_addresses(spans)]
    return [_judged(text, _supported_from_behind(text, span), evidence) for span in spans]


def _without_parameter(text: str, span: Span) -> Span:
    """An e-mail address without the name of the parameter it is the value of: "contact=jane@example.com"."""
    if span.entity_type != "EMAIL_ADDRESS":
        return span
    name = _PARAMETER.match(text, span.start, span.end)
    return replace(span, start=name.end()) if name else span


def _supported_from_behind(text: str, span: Span) -> Span:
    """A card number of an ambiguous length that the words behind it speak of: "4012.. is my card"."""
    if span.entity_type != "CREDIT_CARD" or span.score >= context.MIN_SUPPORTED:
        return span
    if not _CARD_BEHIND.search(text[span.end : span.end + _BEHIND_REACH]):
        return span
    return replace(
        span, score=context.supported_score(span.score), context="card", path=(*span.path, "supported-behind")
    )


def _judged(text: str, span: Span, evidence: Evidence) -> Span:
    weakness = _weakness(text, span, evidence)
    if weakness:
        return replace(span, score=min(span.score, UNSUPPORTED_SCORE), path=(*span.path, f"weak:{weakness}"))
    return span


def _weakness(text: str, span: Span, evidence: Evidence) -> str:
    """Why the span is worth little, as a short code; empty when it is not."""
    if span.recognizer in evidence.labelled:
        return ""
    reason = next((code for code, applies in _OBJECTIONS if applies(text, span)), "")
    if reason:
        return reason
    words = context.words_before(text, span.start)
    is_supported = context.is_supported(words, evidence.words.get(span.recognizer, frozenset()))
    if not is_supported and _is_version(text, span):
        return "version"
    if span.path[-1:] == ("supported-behind",) or not _needs_support(text, span):
        return ""
    if context.names_a_thing(words):
        return "names-a-thing"
    return "" if is_supported else "bare-digits"


def _outside_addresses(spans: Sequence[Span]) -> list[Span]:
    """Without the host names and user names inside e-mail addresses that also read as URLs."""
    addresses = [(span.start, span.end) for span in spans if span.entity_type == "EMAIL_ADDRESS"]
    return [
        span
        for span in spans
        if span.entity_type != "URL" or not any(start <= span.start and span.end <= end for start, end in addresses)
    ]


def _is_part_of_word(text: str, span: Span) -> bool:
    """Whether letters or digits go on where the span ends: "db.int" of "db.internal"."""
    before, after = text[max(0, span.start - 1) : span.start], text[span.end : span.end + 1]
    return (before.isalnum() and text[span.start].isalnum()) or (after.isalnum() and text[span.end - 1].isalnum())


def _is_odd_url(text: str, span: Span) -> bool:
    """Whether a URL is rather the end of one sentence and the beginning of the next: "sure.Is"."""
    return span.entity_type == "URL" and _JOINED_SENTENCES.fullmatch(text, span.start, span.end) is not None


def _is_member_of_code(text: str, span: Span) -> bool:
    """Whether a bare host name is rather a file or an attribute: "libc.so.6", "user.name = 1"."""
    if span.entity_type != "URL" or span.pattern != "Non schema URL":
        return False
    host = text[span.start : span.end]
    if "/" in host or host.lower().startswith("www."):
        return False
    is_in_code = text[max(0, span.start - 1) : span.start] in tuple("._$") or _CODE_FOLLOWS.match(text, span.end)
    return bool(is_in_code) or (host.count(".") == 1 and host.rpartition(".")[2].lower() in _FILE_ENDINGS)


def _is_numeric_host(text: str, span: Span) -> bool:
    """Whether what follows the @ ends in a number: a place on a map rather than an address."""
    return span.entity_type == "EMAIL_ADDRESS" and text[span.start : span.end].rpartition(".")[2].isdecimal()


def _is_version(text: str, span: Span) -> bool:
    """Whether a date is three short numbers, and no word leads up to a date."""
    return (
        span.recognizer == "DateRecognizer"
        and _SHORT_DATE.fullmatch(text, span.start, span.end) is not None
        and not _BEFORE_DATE.search(text[max(0, span.start - _BEFORE_REACH) : span.start])
    )


def _is_section(text: str, span: Span) -> bool:
    """Whether four numbers with dots count sections or versions rather than address a host."""
    is_short = span.entity_type == "IP_ADDRESS" and span.pattern == "IPv4"
    return is_short and not _NUMBERED.isdisjoint(context.words_before(text, span.start)[:1])


def _is_lower_case(text: str, span: Span) -> bool:
    """Whether a number that is written in capitals is not."""
    return span.recognizer in _IN_CAPITALS and any(char.islower() for char in text[span.start : span.end])


def _needs_support(text: str, span: Span) -> bool:
    """Whether the number is too plain to be taken for personal data without a word that says so."""
    value = text[span.start : span.end]
    if span.recognizer in _DEMANDING:
        return True
    if (span.recognizer, span.pattern) in _GROUPED:
        return False
    if span.entity_type == "CREDIT_CARD":
        return value.isdecimal() and len(value) not in _CARD_LENGTHS
    if span.entity_type == "PHONE_NUMBER":
        return _is_loose_phone(value)
    if value.replace(" ", "").isdecimal():
        return True
    return _SUM.fullmatch(value) is not None and text[span.end : span.end + 2].lstrip().startswith("=")


def _is_loose_phone(value: str) -> bool:
    """A number without country code that is short, in one piece, or held together otherwise than by hyphens."""
    if "+" in value or "\uff0b" in value:
        return False
    groups = _GROUP.findall(value)
    digits = "".join(groups)
    if len(groups) == 1 or " - " in value or ("." in value and any(len(group) == 1 for group in groups[1:])):
        return True
    if digits[0] == "0":
        return len(digits) < _TRUNK_PHONE_DIGITS
    return len(digits) < _FULL_PHONE_DIGITS or max(map(len, groups)) > _LONGEST_GROUP


#: Rules that make a span weak whatever words stand before it, with the code of each.
_OBJECTIONS: Final[tuple[tuple[str, Callable[[str, Span], bool]], ...]] = (
    ("part-of-word", _is_part_of_word),
    ("joined-sentences", _is_odd_url),
    ("code", _is_member_of_code),
    ("lower-case", _is_lower_case),
    ("section", _is_section),
    ("numeric-host", _is_numeric_host),
)
