"""Secrets that people or systems remember: passwords, PINs, codes and keys after a label."""
# ruff: noqa: E501 - a pattern or a row of a table reads better in one piece

from typing import Final

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

from anonymization.detectors.recognizers.secret_shapes import shape_recognizers

_QUOTE: Final = r"[\"'`\u201c\u2018\u201d\u2019*]"
#: From a label to its value: quotes of JSON or code, a type, an assignment.
_ASSIGN: Final = (
    rf"{_QUOTE}{{0,2}}(?:\s?\([^()\r\n]{{1,24}}\))?\s{{0,3}}(?::=|=>|->|=|\||:(?!//)|[-\u2013\u2014](?=\s))\s{{0,3}}"
)
_QUOTED: Final = (
    r"(?:\"\K[^\"\r\n]{3,200}(?=\")|'\K[^'\r\n]{3,200}(?=')|`\K[^`\r\n]{3,200}(?=`)|\u201c\K[^\u201d\r\n]{3,200}(?=\u201d)"
    r"|\u2018\K[^\u2019\r\n]{3,200}(?=\u2019)|\*{1,2}\K[^*\s]{4,200}(?=\*))"
)
#: A value without quotes; what is called or indexed is code.
_BARE: Final = r"\K(?![\w.]{1,80}[(\[])(?!(?-i:[a-z]{2,20}_[a-z_]{2,40})(?![\w!@#$%^&*+-]))[^\s\"'`,;<>(){}\[\]\u201c\u201d]{4,200}(?<![.?:])"
#: The same, of a secret that may hold signs that end a word elsewhere.
_CHOSEN: Final = r"\K(?![\w.]{1,80}\()(?![\"'`])[^\s\"`\u201c\u201d]{6,64}(?<![.,;:)'])"
#: Six and more characters with a digit and either a symbol or both cases.
_LOOKS_CHOSEN: Final = r"(?=\S{6})(?=\S{0,60}?[\d!@#$%^&*])(?=\S{0,60}?[!@#$%^&*+=~]|(?-i:(?=\S{0,60}?[a-z])(?=\S{0,60}?[A-Z])))(?!https?:|www\.)"
_LOOKS_RANDOM: Final = r"(?=\S{0,200}?[\d!@#$%^&*+=~])"
_HAS_LETTER: Final = r"(?=\S{0,40}?[^\W\d_])"
_LOOKS_MIXED: Final = r"(?=[a-z]{2}|\S{0,40}?\d[a-z])(?=\S{0,40}?\d)(?=\S{6})"
_START: Final = r"(?<![^\W_])"

_FOR: Final = r"(?:[ ](?:that[ ])?(?:I|we|you|he|she|they)[ ]\w{1,12}(?:[ ]\w{1,12}){0,2}(?=[ ](?:is|was)\b|[ ][(])|[ _](?:for|of|to|on|at|in)(?:[ _][\w.@'\u2019-]{1,40}){1,4}?(?=\s(?:is|was|:)|\s?[:=]))?"
#: Labels of secrets that people remember, and of those that systems issue.
_MEMORIZED: Final = (
    rf"{_START}(?:[a-z]{{0,6}}passwords?|[a-z]{{0,6}}passwd|passwort|kennwort|mot[ ]de[ ]passe|contrase\u00f1a|senha|wachtwoord|passcode|passphrase"
    rf"|pass[ _-]?phrase|pass[ _-]?word|pwd|pswd|psw|(?:recovery|seed|mnemonic|secret|backup)[ ]phrase)"
    rf"(?:[ _-](?:hash|salt|string|value|key))?{_FOR}(?![^\W\d_])"
)
#: Labels that are also plain words: the value must look like a secret.
_VAGUE: Final = (
    rf"{_START}(?:pass|pw|pin(?:[ _-]?(?:code|number|no))?|passkey|log[ _-]?in|creds?|credentials?)(?![^\W\d_])"
)
_KIND: Final = (
    r"(?:api|access|secret|private|auth(?:entication|orization)?|client|encryption|decryption|signing|account|storage|licen[cs]e|subscription|master"
    r"|shared|session|refresh|bot|app|application|webhook|deploy|personal|service|consumer|oauth2?|aws|gcp|azure|github"
    r"|gitlab|slack|stripe|openai|anthropic|google|twilio|sendgrid|db|database|jwt|csrf|xsrf|security|product|activation"
    r"|recovery|registration|wallet|ssh|sas|id|x-api|vault|admin|user|root|publishable|wpa2?|wifi|wi-fi|network|hmac|cookie|server|cdn|maps|bearer)"
)
_ISSUED: Final = rf"{_START}(?:(?:{_KIND}[ _.-]?){{1,4}}(?:keys?|tokens?|secrets?|credentials?)|apikeys?)(?:[ _-](?:id|value|string|key)\b)?{_FOR}(?![^\W\d_])"
#: These words alone label secrets only where the value looks random.
_PLAIN: Final = rf"{_START}(?:tokens?|secrets?|bearer|authorization)(?![^\W\d_])"
_CODE_LABEL: Final = (
    rf"{_START}(?:(?:one[ -]?time|otp|verification|2fa|mfa|two[ -]factor|authenticator|authentication|login|log[ -]?in|sign[ -]?in|recovery|backup"
    r"|unlock|door|gate|alarm|access|entry|lock(?:er)?|safe|vault|garage|device|voicemail|sms|security)[ _-]?(?:pass[ _-]?)?(?:codes?|pins?)"
    r"|otps?|one[ -]time[ ]passwords?)(?![^\W\d_])"
)
_PIN_LABEL: Final = rf"{_START}(?-i:[Pp]in|PIN)(?:[ _-]?(?:code|number|no\.?|#))?(?![^\W\d_])"
_SAID: Final = (
    r"\s{0,2}(?:\([^()\r\n]{1,24}\)\s?)?(?:=|:|[.,;]\s(?:it|this|that)(?=\s(?:is|was|should)|['\u2019]s)(?:['\u2019]s)?|(?:is|was|are|to|as|of|ist|est|es|\u00e8|\u00e9|reads|remains|used[ ]to[ ]be|(?:will|should|must)[ ]be|(?:will|should|must)[ ]now[ ]be"
    r"|(?:has[ ]been[ ]|been[ ]|was[ ]|is[ ])?(?:set|changed|reset|updated)[ ]to)\b)\s?:?\s{0,2}"
)

#: What stands after such labels without being a secret.
_PLACEHOLDERS: Final = frozenset(
    """
    password passwd secret token required optional none null nil true false undefined string str text number integer
    bytes varchar hidden redacted masked changeme example your-password your_password not here this that must should
    when what with from input prompt value varies unknown expired invalid incorrect wrong missing reset protected
    policy manager field hash hashed encrypted authentication sha256 sha512 sha-256 md5 bcrypt argon2 argon2id pbkdf2
    base64 utf8 utf-8 oauth2 aes256 aes-256 ntlmv2 api_key apikey n/a tbd todo base32 basic digest very good safe weak
    strong short long same different easy hard important case sensitive simple enough also only still never always
    just really your their mine ours theirs there available stored saved sent known common complex random unique
    secure insecure correct right ready empty blank hello because then than have been being would could will
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
_STARRED: Final = regex.compile(
    r"[*\u2022xX.\-_#?]+|\$\{?\w+\}?\}?|%\w+%|\{\{?.*|<.*>?|\[.*\]?|\\[nrt].*|(?:your|my|the|new|old)[-_].*"
    r"|(?:self|this|args|os|process|config|settings|env|environ|request|req|user|ctx|data|options|params|kwargs|form|body|props"
    r"|state|event|app|cls|opts|cfg|conf|secrets|session|account|credentials)\.[\w.]+"
    r"|https?:.*"
)
#: Names of variables, in code that assigns one to another.
_VARIABLE: Final = regex.compile(
    r"[a-z_.]*(?:password|passwd|pass|token|secret|key|pwd|hash|credential)s?[a-z_.]*|[A-Z]+(?:_[A-Z]+)+"
)
#: Words of sentences about secrets, which passphrases do without.
_PROSE: Final = frozenset(
    """
    must should shall can may will is are was be been the your my our their this that a an at least to of for and or if
    with without not no in on from characters letters digits user users required please enter forgot reset change
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
_PLAIN_ENDINGS: Final = ("ed", "ing", "able", "ible", "ly", "ous", "ive", "ful", "less", "ent", "ant")


class SecretRecognizer(PatternRecognizer):
    """Values after a label of a secret, without the placeholders that documentation puts there."""

    def invalidate_result(self, pattern_text: str) -> bool:
        value = pattern_text.strip(".,;:!?")
        if value.lower() in _PLACEHOLDERS or _STARRED.fullmatch(value.lower()):
            return True
        return _VARIABLE.fullmatch(pattern_text) is not None


class PlainPasswordRecognizer(SecretRecognizer):
    """Passwords that are one ordinary word at the end of a clause: "my password is sunshine"."""

    def __init__(self) -> None:
        label = rf"(?:my|his|her|their|your|our|new|old|current|default|temporary|wi-?fi|account|login)[ ](?:{_MEMORIZED[len(_START) :]})"
        super().__init__(
            supported_entity="PASSWORD",
            name="PlainPasswordRecognizer",
            version="1",
            patterns=[
                Pattern("a word said", rf"{_START}{label}\s(?:is|was)[ ]?:?[ ]\K[^\W\d_]{{4,30}}(?=[.!?,;]?(?:\s*$|[.!?,;]\s|[ ](?:and|but|so|please|in[ ]case|if)\b))", 0.45)
            ],
        )  # fmt: skip

    def invalidate_result(self, pattern_text: str) -> bool:
        return super().invalidate_result(pattern_text) or pattern_text.lower().endswith(_PLAIN_ENDINGS)


class PassphraseRecognizer(SecretRecognizer):
    """Several words that are all there is after a label: the value of a field named "password"."""

    def __init__(self) -> None:
        label = r"(?:passwords?|passwd|passphrase|pass[ ]phrase|pwd|(?:recovery|seed|mnemonic|secret|backup)[ ]phrase)"
        words = r"(?:[^\W\d_]{2,20}[ -]){2,23}[^\W\d_]{2,20}"
        super().__init__(
            supported_entity="PASSWORD",
            name="PassphraseRecognizer",
            version="1",
            patterns=[Pattern("words and nothing else", rf"\A(?:\w{{1,20}}[ ]){{0,3}}{label}:[ ]\K{words}\Z", 0.6)],
        )

    def invalidate_result(self, pattern_text: str) -> bool:
        return not _PROSE.isdisjoint(pattern_text.lower().replace("-", " ").split())


def _assigned(label: str) -> list[Pattern]:
    return [
        Pattern("assigned and quoted", rf"{label}{_ASSIGN}{_QUOTED}", 0.85),
        Pattern("assigned", rf"{label}{_ASSIGN}{_BARE}", 0.75),
        Pattern("said and quoted", rf"{label}\s+(?:is|was|to|as|of|reads|being)?\s*:?\s*{_QUOTED}", 0.6),
        Pattern("said", rf"{label}{_SAID}{_LOOKS_RANDOM}{_BARE}", 0.6),
        Pattern("mentioned", rf"{label},?\s+[(]?{_QUOTE}?{_LOOKS_CHOSEN}{_CHOSEN}", 0.5),
    ]


def secret_recognizers() -> list[EntityRecognizer]:
    """Recognizers of PASSWORD, API_KEY, ACCESS_TOKEN, PRIVATE_KEY and SECRET_CODE."""
    password = [
        *_assigned(_MEMORIZED),
        Pattern("parameter", rf"{_START}(?:pass|password|passwd|pwd|pw)=\K[^&\s\"'<>]{{4,200}}(?=&[\w.]{{1,30}}=)", 0.8),
        Pattern("mentioned with a digit", rf"{_MEMORIZED}\s+{_LOOKS_MIXED}{_BARE}", 0.45),
        Pattern("vaguely assigned", rf"{_VAGUE}{_ASSIGN}{_LOOKS_RANDOM}{_BARE}", 0.6),
        Pattern("vaguely assigned and quoted", rf"{_VAGUE}{_ASSIGN}(?=.{_LOOKS_CHOSEN}){_QUOTED}", 0.5),
        Pattern("after an address", rf"@[\w.-]{{3,80}}(?:\s+/|\s*[:|]|\s+and)\s+{_LOOKS_CHOSEN}{_CHOSEN}", 0.5),
        Pattern("after a user name", rf"{_START}(?:user(?:name)?|login)\s?[:=]?\s?[\w.@-]{{2,64}}\s?[/,|]\s?(?:pass|pw|pwd|password)?\s?[:=]?\s?{_LOOKS_CHOSEN}{_CHOSEN}", 0.5),
    ]  # fmt: skip
    issued = [
        *_assigned(_ISSUED),
        Pattern("mentioned, in pieces", rf"{_ISSUED}\s+(?=[\w-]{{12}})(?=[\w-]{{0,60}}\d){_BARE}", 0.5),
        Pattern(
            "parameter",
            rf"{_START}(?:api[_-]?key|key|(?:access_|auth_)?token|secret|sig|signature)=\K(?=[^&\s]{{0,60}}\d)[^&\s\"'<>]{{8,400}}(?=&[\w.]{{1,30}}=)",
            0.8,
        ),
        Pattern(
            "plainly assigned", rf"{_PLAIN}{_ASSIGN}{_QUOTE}?(?=[^\s\"'`]{{6}}){_HAS_LETTER}{_LOOKS_RANDOM}{_BARE}", 0.6
        ),
        Pattern("plainly said", rf"{_PLAIN}{_SAID}{_QUOTE}?{_HAS_LETTER}{_LOOKS_CHOSEN}{_BARE}", 0.5),
        Pattern("plainly mentioned", rf"{_PLAIN}\s{_HAS_LETTER}{_LOOKS_CHOSEN}(?=[\w-]{{16}}){_BARE}", 0.5),
    ]
    codes = [
        Pattern("code after its label", rf"{_CODE_LABEL}{_FOR}(?:{_SAID}|\s|{_ASSIGN}){_QUOTE}?\K(?=[A-Z-]{{0,10}}\d)[A-Z0-9](?:[A-Z0-9]|-(?=[A-Z0-9])){{3,15}}(?![\w@])(?!:\d)", 0.5),
        Pattern("PIN", rf"{_PIN_LABEL}{_FOR}(?:{_SAID}|\s|{_ASSIGN}){_QUOTE}?\K\d{{4,8}}(?![\w@])(?![.,:]\d)", 0.5),
        Pattern("answer", rf"{_START}(?:security|secret)[ ](?:question[ ])?answer{_FOR}{_SAID}{_QUOTE}?\K[\w '-]{{3,40}}?(?=[\"'`.,;\r\n]|$)", 0.5),
    ]  # fmt: skip
    return [
        SecretRecognizer(supported_entity="PASSWORD", name="PasswordRecognizer", version="2", patterns=password),
        PlainPasswordRecognizer(),
        PassphraseRecognizer(),
        SecretRecognizer(supported_entity="API_KEY", name="LabelledSecretRecognizer", version="2", patterns=issued),
        SecretRecognizer(supported_entity="SECRET_CODE", name="SecretCodeRecognizer", version="1", patterns=codes),
        *shape_recognizers(),
    ]
