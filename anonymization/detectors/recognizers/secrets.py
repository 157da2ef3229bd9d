"""Secrets: passwords after a label, and keys and tokens that are known by their shape."""

from typing import Final

import regex
from presidio_analyzer import EntityRecognizer, Pattern, PatternRecognizer

#: From a label to its value: quotes of JSON or code, a verb, an assignment.
_ASSIGN: Final = r"[\"'`]?\s*(?::=|=>|->|[:=])\s*"
_QUOTED: Final = r"(?:\"\K[^\"\r\n]{3,200}(?=\")|'\K[^'\r\n]{3,200}(?=')|`\K[^`\r\n]{3,200}(?=`))"
_BARE: Final = r"\K[^\s\"'`,;<>(){}\[\]]{4,200}"
#: Six and more characters with a digit and either a symbol or both cases.
_LOOKS_CHOSEN: Final = (
    r"(?=\S{6})(?=\S{0,60}?\d)(?=\S{0,60}?[!@#$%^&*+=~]|(?-i:(?=\S{0,60}?[a-z])(?=\S{0,60}?[A-Z])))(?!https?:|www\.)"
)
_LOOKS_RANDOM: Final = r"(?=\S{0,200}?[\d!@#$%^&*+=~])"

#: Labels of secrets that people remember, and of those that systems issue.
_MEMORIZED: Final = (
    r"(?<![^\W_])(?:password|passwd|passwort|passcode|passphrase|pass[ _-]?phrase|pwd)"
    r"(?:[ _](?:for|of|to|on)[ _]\w{1,20})?"
)
#: Labels that are also plain words: the value must look like a secret.
_VAGUE: Final = r"(?<![^\W_])(?:pass|pw|pin(?:[ _-]?code)?|passkey|login)"
_ISSUED: Final = (
    r"(?<![^\W_])(?:(?:api|access|secret|private|auth|client|encryption|signing|account|storage|license|subscription)"
    r"[ _-]?(?:key|token|secret)(?:[ _-]?(?:id|key))?|apikey|token|secret|bearer|credentials?)"
)

_PEM_LABEL: Final = r"[A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?"

#: What stands after such labels without being a secret.
_PLACEHOLDERS: Final = frozenset(
    """
    password passwd secret token required optional none null nil true false undefined string str text number integer
    bytes varchar hidden redacted masked changeme example your-password your_password not here this that must should
    when what with from input prompt value varies unknown expired invalid incorrect wrong missing reset protected
    policy manager field hash hashed encrypted authentication
    """.split()  # noqa: SIM905 - a table of words reads better than a list
)
_STARRED: Final = regex.compile(r"[*•xX.\-_#?]+|\$\{?\w+\}?|%\w+%|\{\{?.*|<.*>")


class SecretRecognizer(PatternRecognizer):
    """Values after a label of a secret, without the placeholders that documentation puts there."""

    def invalidate_result(self, pattern_text: str) -> bool:
        value = pattern_text.strip(".,;:!?").lower()
        return value in _PLACEHOLDERS or _STARRED.fullmatch(value) is not None


def _labelled(entity: str, name: str, label: str, vague: str | None = None) -> SecretRecognizer:
    patterns = [
        Pattern("assigned and quoted", rf"{label}{_ASSIGN}{_QUOTED}", 0.85),
        Pattern("assigned", rf"{label}{_ASSIGN}{_BARE}", 0.75),
        Pattern("said and quoted", rf"{label}\s+(?:is|was|to|as)?\s*:?\s*{_QUOTED}", 0.6),
        Pattern("said", rf"{label}\s+(?:is|was|to|as)\s*:?\s*{_LOOKS_RANDOM}{_BARE}", 0.6),
    ]
    if vague:
        patterns.append(Pattern("vaguely assigned", rf"{vague}{_ASSIGN}{_LOOKS_RANDOM}{_BARE}", 0.6))
        patterns.append(Pattern("mentioned", rf"{label}\s+{_LOOKS_CHOSEN}{_BARE}", 0.5))
        patterns.append(Pattern("after an address", rf"@[\w.-]{{3,80}}(?:\s+/|\s*[:|])\s+{_LOOKS_CHOSEN}{_BARE}", 0.5))
    return SecretRecognizer(supported_entity=entity, name=name, version="1", patterns=patterns)


def _shaped(entity: str, name: str, *shapes: tuple[str, str]) -> PatternRecognizer:
    return PatternRecognizer(
        supported_entity=entity,
        name=name,
        version="1",
        patterns=[Pattern(kind, shape, 0.9) for kind, shape in shapes],
        global_regex_flags=regex.DOTALL | regex.MULTILINE,
    )


def secret_recognizers() -> list[EntityRecognizer]:
    """Recognizers of PASSWORD, API_KEY, ACCESS_TOKEN and PRIVATE_KEY."""
    return [
        _labelled("PASSWORD", "PasswordRecognizer", _MEMORIZED, _VAGUE),
        _labelled("API_KEY", "LabelledSecretRecognizer", _ISSUED),
        _shaped(
            "API_KEY",
            "KeyShapeRecognizer",
            ("AWS access key id", r"(?<![A-Za-z0-9])(?:AKIA|ASIA|AROA|AIDA)[A-Z2-7]{16}(?![A-Za-z0-9])"),
            ("GitHub", r"(?<![A-Za-z0-9])(?:gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_[A-Za-z0-9_]{22,255})"),
            ("GitLab", r"(?<![A-Za-z0-9])glpat-[A-Za-z0-9_-]{20,64}"),
            ("Stripe", r"(?<![A-Za-z0-9])(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,128}"),
            ("Slack", r"(?<![A-Za-z0-9])xox[abeoprs]-[A-Za-z0-9-]{10,250}"),
            ("OpenAI and Anthropic", r"(?<![A-Za-z0-9])sk-(?:[A-Za-z0-9]+-)*[A-Za-z0-9_-]{20,200}"),
            ("Google", r"(?<![A-Za-z0-9])AIza[A-Za-z0-9_-]{35}"),
            ("SendGrid", r"(?<![A-Za-z0-9])SG\.[A-Za-z0-9_-]{22}\.[A-Za-z0-9_-]{43}"),
            ("npm", r"(?<![A-Za-z0-9])npm_[A-Za-z0-9]{36}"),
            ("PyPI", r"(?<![A-Za-z0-9])pypi-[A-Za-z0-9_-]{50,250}"),
            ("Hugging Face", r"(?<![A-Za-z0-9])hf_[A-Za-z0-9]{30,64}"),
        ),
        _shaped(
            "ACCESS_TOKEN",
            "TokenShapeRecognizer",
            ("JWT", r"(?<![A-Za-z0-9_-])eyJ[A-Za-z0-9_-]{8,4000}\.[A-Za-z0-9_-]{8,8000}\.[A-Za-z0-9_-]{0,2000}"),
            ("bearer", r"(?<=[Bb]earer )[A-Za-z0-9._~+/-]{16,4000}=*"),
            ("credentials in a URL", r"(?<=[a-z]://[^\s/:@]{0,100}:)[^\s/:@]{1,200}(?=@[^\s/]{1,250})"),
        ),
        _shaped(
            "PRIVATE_KEY",
            "PrivateKeyRecognizer",
            ("PEM", rf"-----BEGIN {_PEM_LABEL}-----.{{0,16000}}?(?:-----END {_PEM_LABEL}-----|\Z)"),
        ),
    ]
