"""Names in the forms they are written in: order, initials, diacritics, and what transliteration makes of them."""

import re
import unicodedata
from collections.abc import Iterator
from typing import Final

#: What NFKD does not take apart.
_LETTERS: Final = str.maketrans(
    {
        "ß": "ss", "æ": "ae", "œ": "oe", "ø": "o", "ł": "l", "đ": "d", "ð": "d", "þ": "th", "ı": "i",
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i",
        "й": "i", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t",
        "у": "u", "ф": "f", "х": "kh", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y",
        "ь": "", "э": "e", "ю": "iu", "я": "ia", "і": "i", "ї": "i", "є": "e", "ґ": "g",
        "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th", "ι": "i", "κ": "k",
        "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p", "ρ": "r", "σ": "s", "ς": "s", "τ": "t",
        "υ": "y", "φ": "f", "χ": "ch", "ψ": "ps", "ω": "o",
    }
)  # fmt: skip
#: Müller is written Mueller where there is no ü, and Muller where nobody cares: all three are read as the last.
_DIGRAPHS: Final = str.maketrans({"ä": "a", "ö": "o", "ü": "u"})
_SPELLED_OUT: Final = (("ae", "a"), ("oe", "o"), ("ue", "u"))
_WORD: Final = re.compile(r"[^\W_]+")
_ESCAPED_SPACE: Final = re.compile(r"\\[ntr]")
_BEYOND_ASCII: Final = re.compile(r"[^\x00-\x7f]+")
#: Of ASCII, whatever is no letter and no digit is a space.
_SPACED: Final = bytes(code if chr(code).isalnum() else ord(" ") for code in range(128)) + bytes(128)


class _Folded(dict[int, str]):
    """What a character beyond ASCII is compared as, worked out when it is met first; no more than there are of them."""

    def __missing__(self, code: int) -> str:
        apart = unicodedata.normalize("NFKD", chr(code).translate(_DIGRAPHS).translate(_LETTERS))
        self[code] = "".join(one for one in apart if not unicodedata.combining(one))
        return self[code]


_FOLDED: Final = _Folded()


def fold_name(text: str) -> str:
    """The words of a text with a space before, between and behind them, in the one form that names are compared in."""
    lowered = _ESCAPED_SPACE.sub(" ", text).casefold()
    if not lowered.isascii():
        composed = unicodedata.normalize("NFC", lowered)
        lowered = _BEYOND_ASCII.sub(lambda found: found[0].translate(_FOLDED), composed)
    for long, short in _SPELLED_OUT:
        lowered = lowered.replace(long, short)
    return f" {' '.join(_words(lowered))} "


def _words(lowered: str) -> list[str]:
    if lowered.isascii():
        return lowered.encode().translate(_SPACED).decode().split()
    return _WORD.findall(lowered)


def name_words(name: str) -> list[str]:
    """The folded words of a name in reading order: ``Doe, Jane`` is Jane Doe."""
    last, comma, first = name.partition(",")
    return fold_name(f"{first} {last}" if comma else name).split()


def name_forms(name: str) -> Iterator[tuple[str, str, float]]:
    """(folded form with a space on either side, reason, score) from the surest to the weakest."""
    words = name_words(name)
    first, *middle, last = words
    yield _form(words), "name", 0.8
    if middle:
        yield _form([first, last]), "name_variant", 0.65
        yield _form([last, first, *middle]), "name_variant", 0.7
        yield _form([first, *(word[0] for word in middle), last]), "name_variant", 0.7
    yield _form([last, first]), "name_variant", 0.7
    yield _form([first[0], last]), "initials", 0.4
    yield _form([last, first[0]]), "initials", 0.4
    yield _form([first, last[0]]), "initials", 0.3


def _form(words: list[str]) -> str:
    return f" {' '.join(words)} "
