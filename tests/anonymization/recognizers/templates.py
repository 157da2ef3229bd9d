"""Sentences that carry one piece of personal data each, made from templates and a seed.

The recognizers were developed with the templates under ``train``. Those under ``held_out`` were written afterwards,
without running the detector on them; ADR 0033 says what was found in them at first sight and what was changed then.
"""
# ruff: noqa: E501 - templates read better in one piece

import random
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from faker import Faker

from anonymization.detectors.recognizers import checksums

Maker = Callable[[random.Random], str]

PHONE_LOCALES: Final = (
    "da_DK", "no_NO", "hu_HU", "pl_PL", "de_AT", "de_DE", "fr_FR", "it_IT", "es_ES", "nl_NL", "sv_SE", "de_CH", "en_IN",
    "en_AU", "ja_JP", "pt_BR", "es_MX", "en_GB", "en_US", "fi_FI", "cs_CZ", "pt_PT", "ko_KR", "en_CA",
)  # fmt: skip


def _pattern(*forms: str) -> Maker:
    """``#`` is a digit, ``%`` a digit but 0, ``?`` a capital, ``*`` a small letter."""
    kinds = {"#": string.digits, "%": "123456789", "?": string.ascii_uppercase, "*": string.ascii_lowercase}
    return lambda rng: "".join(rng.choice(kinds[char]) if char in kinds else char for char in rng.choice(forms))


def _checked(forms: tuple[str, ...], check: Callable[[str], bool]) -> Maker:
    make = _pattern(*forms)
    return lambda rng: next(value for value in iter(lambda: make(rng), "") if check(value))


def _words(*choices: str) -> Maker:
    return lambda rng: rng.choice(choices)


def _faked(method: str, *locales: str, **options: object) -> Maker:
    fakers = [Faker(locale) for locale in locales]

    def make(rng: random.Random) -> str:
        faker = rng.choice(fakers)
        faker.seed_instance(rng.getrandbits(64))
        return str(getattr(faker, method)(**options)).replace("\n", ", ")

    return make


def _password(rng: random.Random) -> str:
    word = rng.choice(("Summer", "tiger", "Monday", "Falcon", "coffee", "Dragon", "violet", "Hunter"))
    styles = (
        lambda: f"{word}{rng.randrange(1000, 9999)}!", lambda: f"{word}#{rng.randrange(100)}", lambda: word.lower() + str(rng.randrange(10, 9999)),
        lambda: "".join(rng.choices(string.ascii_letters + string.digits + "!@#$%^&*", k=12)).replace("*", "x") + "7a",
        lambda: f"{word[0].lower()}0{word[1:]}_{rng.randrange(100)}", lambda: f"P@{word}{rng.randrange(10)}!",
    )  # fmt: skip
    return rng.choice(styles)()


def _random_text(length: int, alphabet: str = string.ascii_letters + string.digits) -> Maker:
    return lambda rng: "".join(rng.choices(alphabet, k=length - 2)) + "a7"


def _card(rng: random.Random) -> str:
    prefix, length = rng.choice((("4", 16), ("4", 19), ("51", 16), ("2221", 16), ("34", 15), ("37", 15), ("3528", 16), ("6011", 16), ("36", 14), ("6759", 16), ("6304", 18)))  # fmt: skip
    body = prefix + "".join(rng.choices(string.digits, k=length - len(prefix) - 1))
    digits = next(body + last for last in string.digits if checksums.passes_luhn(body + last))
    groups = [digits[at : at + 4] for at in range(0, length, 4)]
    return rng.choice((digits, " ".join(groups), "-".join(groups))) if length == 16 else digits


def _nir(rng: random.Random) -> str:
    body = f"{rng.choice('12')}{rng.randrange(100):02d}{rng.randrange(1, 13):02d}{rng.randrange(1, 96):02d}{rng.randrange(1000):03d}{rng.randrange(1000):03d}"
    number = f"{body}{97 - int(body) % 97:02d}"
    spaced = " ".join((number[0], number[1:3], number[3:5], number[5:7], number[7:10], number[10:13], number[13:]))
    return rng.choice((number, spaced))


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of data: what it may be called, how values are made, and sentences with ``{}`` where they stand."""

    entity_types: frozenset[str]
    make: Maker
    train: tuple[str, ...]
    held_out: tuple[str, ...]


def _kind(entity_types: str, make: Maker, train: tuple[str, ...], held_out: tuple[str, ...]) -> Kind:
    return Kind(frozenset(entity_types.split()), make, train, held_out)


#: Around a label ``@`` and a value ``{}``, for every kind that is known by its label.
_TRAIN_FRAMES: Final = (
    "@: {}", "My @ is {}.", "Her @ is {} as far as I know.", '{{"@": "{}"}}', "@ {} is on file", "Please update my @ to {}", "@ = {}",
    "the @ on the form reads {}", "@ #{}", "Hi, my @ ({}) does not work", "- @: `{}`", "can you check @ {}?", "@ for Maria Keller is {}",
    "We have your @ as {}, correct?",
    "Applicant's @ \u2014 {}", "| @ | {} |", "@:{}", "@\t{}", "You will need the following. @: {}. Thank you!", "his @ was {} back then",
    "**@:** {}", "@ (see attachment): {}", "a customer with @ {} complained", "Subject: @ {}", "The @ I gave you is {}", "'@' => '{}'",
    "What does @ {} stand for?", "@ was entered as {} by mistake", "Name: Ann; @: {}; status: open", "I need to correct my @. It should be {}.",
)  # fmt: skip
_HELD_OUT_FRAMES: Final = (
    "her @, {}, was printed on the receipt", "@ => {}", "<td>@</td><td>{}</td>", "The agent read my @ back to me: {}.",
    "Could you verify the @ {} for me?", "re: @ {}", "@;{};x", "with the @ of {}", "new @: {} (old one expired)", "What if my @ is {}?",
    "The following @ was rejected: {}", "You have the wrong @; mine is {}.",
)  # fmt: skip


def _labelled(entity_types: str, make: Maker, *labels: str) -> Kind:
    """Sentences around a label: the same frames for every kind, others when held out."""

    def fill(frames: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(frame.replace("@", label) for label in labels for frame in frames)

    return Kind(frozenset(entity_types.split()), make, fill(_TRAIN_FRAMES), fill(_HELD_OUT_FRAMES))


KINDS: Final[dict[str, Kind]] = {
    "password": _kind(
        "PASSWORD",
        _password,
        ("password: {}", "my password is {}", "The password for the router is {}.", "login with password {} please", '"password": "{}"', "pwd={}",
         "user jdoe, pass: {}", "I changed my password to {} yesterday", "passphrase: {}", "Password:\n{}", "Here is the wifi password: {}", "use {{'user': 'ann', 'password': '{}'}}", "the admin password was {} until May", "PASSWORD={}",
         "my new password will be {}", "Passwort: {}", "try the password {} and tell me", "root password -> {}", 'db_password = "{}"',
         "pw: {}", "his old password, {}, leaked", "Server=db;User Id=sa;Password={};", "the password I use is {}", "contraseña: {}",
         "Our guest wifi, password {}, is slow", "unlock it with the passcode {}", "passwd -> {}", "| password | {} |", "login: ann / password: {}", "The password you set ({}) is too old", "I keep forgetting that my password is {}", "sudo password {} did not work", "spring.datasource.password={}", "--password {} --verbose", "set the password to {} for everyone", "Mein Passwort ist {}", "pass={}&user=ann", "her email password: {}"),
        ("Your temporary password is: {}", "the Netflix password is {} by the way", "PGPASSWORD={} psql", '{{"user":"ann","pwd":"{}"}}', "(password: {})", "Password - {}", "password of the admin account: {}", "I set my password to {}, ok?", "please reset password {} today", "passphrase is {}", "mot de passe : {}", "psw {}", "My password used to be {}.", "Log in with user ann and password {}")),
    "pin": _kind("SECRET_CODE PASSWORD CARD_PIN", _pattern("####", "######"),
        ("my PIN is {}", "PIN: {}", "the door code is {}", "verification code {}", "Your OTP is {}", "pin number {}", "enter pin {} at the gate", "the alarm code was changed to {}", "one-time code: {}", "2FA code {}", "your login code is {}",
         "the pin code for my phone is {}", "SIM PIN {}", "the safe code: {}", "your verification code is {}. Do not share it.", "unlock code {}", "my voicemail pin was {}"),
        ("My debit PIN is {}", "use code {} to unlock", "OTP {} is valid for 5 minutes", "the gate code is {}", "Security PIN: {}", 'pin: "{}"')),
    "api key": _kind("API_KEY ACCESS_TOKEN PASSWORD", _random_text(32),
        ("api_key={}", "API key: {}", "my api key is {}", '"apiKey": "{}"', "export SECRET_KEY={}", "access token {}", "OPENAI_API_KEY={}", "the client secret is {}", "aws_secret_access_key = {}", "X-API-Key: {}", "Use token {} to call it", "set auth_token to {}",
         "encryption key: {}", "my stripe secret key is {}", '{{"refresh_token":"{}"}}', "webhook secret {}", "license key {}",
         "SLACK_BOT_TOKEN: {}", "| api key | {} |", "--api-key {}", "the access key I use is {}", "headers = {{'X-Auth-Token': '{}'}}", "db encryption key is {} now", "my github token {} expired", "?api_key={}&page=2", "private key: {}"),
        ("GITHUB_TOKEN={} make", "apikey {}", "api-key => {}", "my secret token is {}", "key_secret: {}", '{{"client_secret": "{}"}}', "Authorization: Token {}", "the api token {} was revoked", "signing secret is {}", "const API_KEY = '{}';")),
    "ssn": _labelled("US_SSN", _checked(("%##-%#-%###", "%## %# %###", "%##%#%###"), lambda v: v[0] != "9" and v[:3] != "666"), "SSN", "social security number", "ssn", "Social Security"),
    "itin": _labelled("US_ITIN US_SSN US_TIN", _pattern("9##-7#-####", "9##-8#-####"), "ITIN", "taxpayer ITIN"),
    "passport": _labelled("PASSPORT_NUMBER US_PASSPORT", _pattern("?########", "%########", "??#######", "?%######", "##??#####"), "passport", "passport number", "Passport No.", "US passport"),
    "driver's licence": _labelled("DRIVER_LICENSE US_DRIVER_LICENSE UK_DRIVING_LICENCE", _pattern("?#######", "?###-####-####", "########", "?????######??#??", "??-##-####"), "driver's license", "driving licence", "driver license number", "DL"),
    "nino": _labelled("UK_NINO", _pattern("AB######C", "CE ## ## ## A", "JG######D"), "NINO", "national insurance", "National Insurance number"),
    "nhs": _labelled("UK_NHS", _checked(("4## ### ####", "9#########", "6##-###-####"), lambda v: _passes_nhs(checksums.only_digits(v))), "NHS", "NHS number"),
    "aadhaar": _labelled("IN_AADHAAR", _pattern("%### #### ####", "%###########", "%###-####-####"), "Aadhaar", "aadhar", "Aadhaar card"),
    "pan": _labelled("IN_PAN", _pattern("???P?####?"), "PAN", "PAN card", "permanent account"),
    "cpf": _labelled("BR_CPF", _checked(("###.###.###-##", "###########"), checksums.passes_cpf), "CPF", "cpf"),
    "tfn": _labelled("AU_TFN", _checked(("### ### ###", "#########"), lambda v: _weighted(v, (1, 4, 3, 7, 5, 8, 6, 9, 10), 11)), "TFN", "tax file"),
    "sin": _labelled("CA_SIN", _checked(("4## ### ###", "5##-###-###"), lambda v: checksums.passes_luhn(checksums.only_digits(v))), "SIN", "social insurance"),
    "pesel": _labelled("PL_PESEL", _pattern("##0#0#%####", "##1#1######"), "PESEL", "pesel"),
    "nir": _labelled("FR_NIR", _nir, "NIR", "carte vitale", "sécurité sociale"),
    "steuer-id": _labelled("DE_TAX_ID", _pattern("%# ### ### ###", "%##########"), "Steuer-ID", "tax ID", "Steueridentifikationsnummer"),
    "codice fiscale": _labelled("IT_FISCAL_CODE", _pattern("??????##A##H###?", "??????##M##F###?"), "codice fiscale", "fiscal code"),
    "dni": _labelled("ES_NIF", _pattern("########?", "########-?"), "DNI", "NIF"),
    "nric": _labelled("SG_NRIC_FIN", _pattern("S#######?", "T#######?"), "NRIC", "FIN"),
    "mrn": _labelled("MEDICAL_RECORD_NUMBER ID_NUMBER", _pattern("########", "MRN-######", "?#######", "##-##-##7#"), "MRN", "medical record", "patient ID", "medical record number"),
    "health insurance": _labelled("HEALTH_INSURANCE_NUMBER INSURANCE_NUMBER ID_NUMBER", _pattern("???#########", "W#########", "##########"), "health insurance", "insurance ID", "health plan beneficiary", "member ID"),
    "account": _labelled("BANK_ACCOUNT US_BANK_NUMBER ID_NUMBER", _pattern("%#########", "%#######", "%####-#####"), "account number", "bank account number", "savings account number", "acct no"),
    "routing": _labelled("ABA_ROUTING_NUMBER US_BANK_NUMBER", _checked(("0########", "1########"), lambda v: _weighted(v, (3, 7, 1) * 3, 10)), "routing", "routing number", "ABA"),
    "swift": _labelled("SWIFT_CODE", _pattern("??????##", "????DEFF", "????GB2LXXX"), "SWIFT", "SWIFT code", "BIC"),
    "iban": _kind("IBAN_CODE", _faked("iban", "de_DE", "en_GB", "fr_FR", "it_IT", "nl_NL", "es_ES", "pl_PL"),
        ("IBAN: {}", "pay to {} today", "my iban is {}", "transfer it to {}, please", "the account {} belongs to Ann", "Kontonummer {}"),
        ("IBAN\u00a0{}", "| iban | {} |", "refund goes to {}.")),
    "card": _kind("CREDIT_CARD", _card,
        ("my card is {}", "charge {} please", "credit card number {}", "Visa {} expires 04/29", "card no. {}", "I paid with {} (mastercard)", "debit card: {}", "billing card {}, thanks", "amex {}"),
        ("the card ending is wrong, it is {}", "please use my credit card, {}", "| card | {} |", "new card number {} valid thru 08/27", "My MasterCard: {}.")),
    "plate": _labelled("LICENSE_PLATE", _pattern("?### ???", "??##???", "???-####", "? ?? ###"), "license plate", "plate number", "number plate", "vehicle registration"),
    "vin": _labelled("VIN", lambda rng: "1M8GDM9AXKP" + _pattern("######")(rng), "VIN", "vehicle identification number"),
    "imei": _labelled("DEVICE_ID", _pattern("##############7", "##-######-######-#"), "IMEI", "imei"),
    "serial": _labelled("DEVICE_ID", _pattern("SN#######", "C02???##????", "####-####-###"), "serial number", "device serial number"),
    "certificate": _labelled("CERTIFICATE_NUMBER MEDICAL_LICENSE ID_NUMBER", _pattern("CERT-#####", "?######", "#######"), "certificate number", "birth certificate number"),
    "user name": _labelled("USERNAME", _pattern("j***_####", "****.*****##", "****##"), "username", "user name", "login name", "Discord handle"),
    "employee id": _labelled("ID_NUMBER", _pattern("E-#####", "######", "EMP#####"), "employee ID", "student ID", "badge number", "customer number", "case number"),
    "fax": _labelled("FAX_NUMBER PHONE_NUMBER", _pattern("(%##) %##-####", "+44 20 #### ####"), "Fax", "fax number"),
    "date of birth": _labelled("DATE_OF_BIRTH", _pattern("0#/1#/19##", "19##-0%-1#", "1# March 19##", "May 1#, 19##"), "date of birth", "DOB", "birthday"),
    "ip": _kind("IP_ADDRESS", _faked("ipv4", "en_US"), ("from {} at noon", "client_ip={}", "host {} is down", "ssh bob@{}"),
        ("login from {}:8080", "{} - - GET /index")),
    "ipv6": _kind("IP_ADDRESS", _faked("ipv6", "en_US"), ("from {} at noon", "host {} is down"),
        ("[{}]:443",)),
    "mac": _kind("MAC_ADDRESS", _faked("mac_address", "en_US"), ("mac {}", "the laptop {} joined"),
        ("eth0 ether {}", "MAC={}")),
    "e-mail": _kind("EMAIL_ADDRESS", _faked("email", "en_US", "de_DE", "fr_FR"), ("write to {}", "mail: {}", "<{}>", "cc {}; bcc none", "contact={}&x=1"),
        ("mailto:{}", "From: Ann <{}>", '"email":"{}"')),
    "coordinates": _kind("GPS_COORDINATES", lambda rng: f"{rng.uniform(-80, 80):.6f}, {rng.uniform(-170, 170):.6f}", ("GPS: {}", "we met at coordinates {}", "located at {}", "my position is {} now", "({})"),
        ("lat/lon {}", "the parcel is at {} (GPS)")),
    "bitcoin": _kind("CRYPTO", _words("1A1zP1eP5QGefi2DMPTfTL5SLmv7DivfNa", "bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4", "0x52908400098527886E0F7030069857D2E4169EE7", "3J98t1WpEZ73CNmQviecrnyiWrnqRhWNLy"), ("send to {}", "wallet {}", "btc address: {}", "tip me at {}"),
        ("donations: {}", "paid from {} yesterday")),
    "url with password": _kind("URL_CREDENTIALS ACCESS_TOKEN", lambda rng: f"https://bob:{_random_text(10)(rng)}@git.example.com/x", ("clone {}", "see {} for it"),
        ("git remote add x {}",)),
    "US address": _kind("LOCATION", _faked("street_address", "en_US"), ("I live at {}.", "{}, Springfield, IL 62704", "ship to {}", "our office: {}", "she moved to {} last May", "meet me at {} at noon"),
        ("Deliver to: {}", "I grew up at {}, near the lake")),
    "UK address": _kind("LOCATION", _faked("street_address", "en_GB"), ("I live at {}.", "our office: {}", "she moved to {} last May"),
        ("Deliver to: {}",)),
    "German address": _kind("LOCATION", _faked("street_address", "de_DE"), ("Ich wohne {}.", "office: {}", "ship to {}, 10115 Berlin"),
        ("Adresse: {}",)),
    "French address": _kind("LOCATION", _faked("street_address", "fr_FR"), ("J'habite {}.", "office: {}"),
        ("Adresse : {}",)),
    "ZIP code": _kind("ZIP_CODE LOCATION", _pattern("%####", "9####-####"), ("zip code {}", "ZIP: {}", "Austin, TX {}", "my zip is {}", "Reno, NV {}, USA", "zipcode={}"),
        ("ZIP+4: {}", "Portland, Oregon {}", "shipping zip {}")),
    "postcode": _kind("POSTAL_CODE LOCATION UK_POSTCODE", _faked("postcode", "en_GB", "en_CA"), ("postcode {}", "I live in {}", "post code: {}", "near {} somewhere"),
        ("the postcode is {}", "London {}")),
    "phone, labelled": _kind("PHONE_NUMBER", _faked("phone_number", *PHONE_LOCALES),
        ("call me at {}", "phone: {}", "my number is {}", "Tel. {}", "text her on {} today", '{{"mobile": "{}"}}', "You can reach me under {}.", "WhatsApp {}", "my cell is {}", "Telephone number: {}", "please ring {} after six", "I'm available at {}", "contact number {}", "mob {}", "dial {} for help",
         "Phone (mobile): {}", "| tel | {} |", "You can also contact Ann at {}.", "if urgent call {}", "Ph: {}", "My new phone number is {}.", "mobile no {}", "You may text {} instead", "T: {}", "her landline, {}, is dead"),
        ("Please phone {} tomorrow.", "Our hotline: {}", "phone={}", "Give me a ring on {}", "Cell {}", '"phoneNumber": "{}"', "Handy: {}", "his work phone is {}", "My mobile: {}", "leave a message at {} (phone)", "telefon {}", "you called me from {}")),
    "phone, bare": _kind("PHONE_NUMBER", _faked("phone_number", *PHONE_LOCALES),
        ("Ann Smith, {}", "Thanks, Bob\n{}", "it is {} as far as I know", "{} (Ann)", "Bob Miller\nSales\n{}", "for bookings: {}", "ask for Ann, {}, any time"),
        ("{}", "Dr. Ann Smith\n{}\nann@example.com", "please try {} instead")),
}  # fmt: skip


def _passes_nhs(digits: str) -> bool:
    return sum(int(digit) * weight for digit, weight in zip(digits, (*range(10, 1, -1), 1), strict=True)) % 11 == 0


def _weighted(text: str, weights: tuple[int, ...], modulus: int) -> bool:
    digits = checksums.only_digits(text)
    return sum(int(digit) * weight for digit, weight in zip(digits, weights, strict=True)) % modulus == 0


def sentences(kind: Kind, templates: tuple[str, ...], seed: int, count: int) -> Iterator[tuple[str, int, int]]:
    """``count`` texts with start and end of the value in each; the same for the same seed."""
    rng = random.Random(seed)
    for number in range(count):
        value = kind.make(rng)
        before, _, after = templates[number % len(templates)].replace("{{", "\0").replace("}}", "\1").partition("{}")
        before, after = (part.replace("\0", "{").replace("\1", "}") for part in (before, after))
        yield before + value + after, len(before), len(before) + len(value)
