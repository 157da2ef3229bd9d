"""Fills templates with made-up people, places and organizations: text whose names are known."""
# ruff: noqa: PLR2004 - a share of a draw means nothing beyond its line

import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Final

from anonymization.names.training.examples import Example, Label
from anonymization.names.training.people import Person, Society

TEMPLATES: Final = Path(__file__).parent / "templates"

_SLOT: Final = re.compile(r"\{([a-z$%])([1-9]?)\}|\[\[([^|\]]+)\|([POL])\]\]")
_KINDS: Final = {"P": "PERSON", "L": "LOCATION", "O": "ORGANIZATION"}
_LOWER, _UPPER, _LOWER_NAMES = 0.07, 0.03, 0.03
_DATE_FORMATS: Final = (
    "%d %B %Y",
    "%B %d, %Y",
    "%Y-%m-%d",
    "%m/%d/%Y",
    "%d.%m.%Y",
    "%A",
    "%B %Y",
    "%Y",
    "%b %d",
    "%d/%m/%y",
)


def read_templates(folder: Path) -> list[str]:
    r"""The templates of all files of a folder; blank lines stand between them, ``\n`` for a blank line inside."""
    found: list[str] = []
    for path in sorted(folder.glob("*.txt")):
        blocks = re.split(r"\n\s*\n", path.read_text(encoding="utf-8").strip())
        found += [block.replace("\\n", "\n") for block in blocks if not block.startswith("#")]
    return found


def generate(templates: Sequence[str], count: int, *, seed: int) -> list[Example]:
    """``count`` filled templates, each drawn as often as any other; the same seed makes the same text."""
    writer = _Writer(Society(seed))
    return [writer.fill(templates[number % len(templates)]) for number in range(count)]


def _plain(text: str) -> str:
    return text.replace("{{", "{").replace("}}", "}")


class _Writer:
    def __init__(self, society: Society) -> None:
        self._society, self._dice, self._english = society, society.dice, society.english
        english, dice = society.english, society.dice
        self._plain: dict[str, Callable[[], str]] = {
            "d": self._date,
            "t": english.phone_number,
            "e": english.email,
            "u": english.user_name,
            "i": lambda: english.bothify("??-####").upper(),
            "$": lambda: f"{dice.choice('$€£')}{dice.randint(5, 90000):,}",
            "k": lambda: str(dice.randint(2, 9999)),
            "j": self._job,
            "y": lambda: str(dice.randint(18, 90)),
            "z": lambda: english.sentence(nb_words=dice.randint(4, 10)),
            "h": lambda: society.one("nationality-adjective"),
            "b": self._capitalized,
            "x": self._heading,
        }
        self._named: dict[str, tuple[str, Callable[[], str]]] = {
            "o": ("ORGANIZATION", society.organization),
            "v": ("ORGANIZATION", society.authority),
            "%": ("ORGANIZATION", lambda: society.one("foreign-authority")),
            "c": ("LOCATION", society.city),
            "n": ("LOCATION", society.country),
            "r": ("LOCATION", society.region),
            "g": ("LOCATION", society.place),
            "w": ("LOCATION", society.landmark),
            "a": ("LOCATION", society.address),
            "s": ("LOCATION", society.street),
        }

    def fill(self, template: str) -> Example:
        known: dict[str, str] = {}
        people: dict[str, Person] = {}
        text, labels = "", []
        for piece, entity_type in self._pieces(template, known, people):
            if entity_type:
                labels.append(Label(len(text), len(text) + len(piece), entity_type))
            text += piece
        return Example(self._cased(text, labels), tuple(labels), "generated")

    def _pieces(self, template: str, known: dict[str, str], people: dict[str, Person]) -> Iterator[tuple[str, str]]:
        end = 0
        for match in _SLOT.finditer(template):
            yield _plain(template[end : match.start()]), ""
            end = match.end()
            letter, number, words, kind = match.groups()
            if words:
                yield words, _KINDS[kind]
            elif letter in "pflmq":
                person = people.setdefault(number, self._society.person()) if number else self._society.person()
                yield from self._person(letter, person, is_fixed=bool(number))
            elif letter in self._named:
                entity_type, draw = self._named[letter]
                value = known.setdefault(letter + number, draw()) if number else draw()
                article = len(value) - len(value.removeprefix("the "))
                yield value[:article], ""
                yield value[article:], entity_type
            else:
                yield self._plain[letter](), ""
        yield _plain(template[end:]), ""

    def _person(self, letter: str, person: Person, *, is_fixed: bool) -> Iterator[tuple[str, str]]:
        """p: the name (any form when the person is not numbered), f and l: one part, m: Mr Last, q: Last, First."""
        if letter == "f":
            yield person.first, "PERSON"
        elif letter == "l":
            yield person.last, "PERSON"
        elif letter == "m":
            yield f"{person.honorific} ", ""
            yield person.last, "PERSON"
        elif letter == "q":
            yield f"{person.last}, {person.first}", "PERSON"
        elif is_fixed:
            yield person.full, "PERSON"
        else:
            yield from self._any_form(person)

    def _any_form(self, person: Person) -> Iterator[tuple[str, str]]:
        draw = self._dice.random()
        if draw < 0.12:
            yield f"{person.honorific} ", ""
        if draw < 0.06:
            yield person.last, "PERSON"
        elif draw < 0.55:
            yield person.full, "PERSON"
        elif draw < 0.75:
            yield person.first, "PERSON"
        elif draw < 0.82:
            yield person.last, "PERSON"
        elif draw < 0.88:
            yield f"{person.first[0]}. {person.last}", "PERSON"
        elif draw < 0.91:
            yield f"{person.first} {person.last[0]}.", "PERSON"
        elif draw < 0.93:
            yield f"{person.first[0]}.{person.last[0]}.", "PERSON"
        else:
            yield f"{person.first} {person.last}", "PERSON"

    def _cased(self, text: str, labels: Sequence[Label]) -> str:
        draw = self._dice.random()
        changed = text
        if draw < _LOWER:
            changed = text.lower()
        elif draw < _LOWER + _UPPER:
            changed = text.upper()
        elif draw < _LOWER + _UPPER + _LOWER_NAMES:
            for label in labels:
                changed = changed[: label.start] + changed[label.start : label.end].lower() + changed[label.end :]
        return changed if len(changed) == len(text) else text

    def _capitalized(self) -> str:
        """Written with capitals, and the name of nobody."""
        draw = self._dice.random()
        if draw < 0.5:
            return self._society.one("capitalized")
        words = self._english.words(self._dice.randint(1, 3))
        if draw < 0.75:
            return " ".join(words).title()
        if draw < 0.85:
            return "".join(word.title() for word in words)
        return words[0].upper() if draw < 0.92 else self._english.bothify("??-##").upper()

    def _heading(self) -> str:
        phrase = str(self._english.catch_phrase())
        return phrase.title() if self._dice.random() < 0.7 else phrase

    def _job(self) -> str:
        return str(self._english.job().split(",")[0].lower())

    def _date(self) -> str:
        return str(self._english.date_object().strftime(self._dice.choice(_DATE_FORMATS))).removeprefix("0")
