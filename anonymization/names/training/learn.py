"""Trains the CRF with crfsuite and takes its weights out into a model of our own."""

import ctypes
import random
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import numpy as np
import pycrfsuite

from anonymization.names.emissions import PAIRS
from anonymization.names.features import EDGE, OFFSETS, manner_of, phrase_marks, word_class, word_features
from anonymization.names.lexicon import Kind, Lexicon
from anonymization.names.model import NameModel
from anonymization.names.tokens import Line, lines_of
from anonymization.names.training.examples import Example, Label

LEARNED: Final = ("PERSON", "LOCATION", "ORGANIZATION")
LABELS: Final = ("O", *(f"{place}-{kind}" for kind in LEARNED for place in "BI"))
_CLASSES: Final = 255
_FREQUENT: Final = 130
#: Kinds of the lexicon that name something; the others describe words and are always seen.
_NAMING: Final = Kind.FIRST | Kind.LAST | Kind.CITY | Kind.COUNTRY | Kind.REGION | Kind.ORG_NAME


@dataclass(frozen=True, slots=True)
class Settings:
    """How to learn: passes over the text, the penalty on weights, and how often the lexicon is hidden from a name.

    Names of generated text are in the lexicon far more often than names of the world, hence the hiding.
    """

    iterations: int = 11
    c2: float = 0.5
    hidden_generated: float = 0.4
    hidden_real: float = 0.1
    smallest_weight: float = 0.04


def learn(examples: Sequence[Example], lexicon: Lexicon, settings: Settings, *, seed: int) -> NameModel:
    """A model of the examples; the same arguments give the same model."""
    lines = [(example, line, labels) for example in examples for line, labels in labelled_lines(example)]
    frequent = _frequent_words(line for _, line, _ in lines)
    classes = _classes(lines, lexicon, frequent)
    builder = Builder(lexicon, frequent, classes)
    hiding = _Hiding(settings, random.Random(seed))  # noqa: S311 - not for secrets
    trainer = pycrfsuite.Trainer(algorithm="l2sgd", verbose=False)
    trainer.set_params({"c2": settings.c2, "max_iterations": settings.iterations, "feature.minfreq": 2})
    for example, line, labels in lines:
        trainer.append(builder.features(line, hiding.of(example, labels)), labels)
    # crfsuite shuffles with the random numbers of the C library.
    ctypes.CDLL(None).srand(seed)
    weights, transitions = _trained(trainer)
    kept = sorted(name for name, row in weights.items() if np.abs(row).max() >= settings.smallest_weight)
    return NameModel(
        language="en",
        labels=LABELS,
        classes=tuple(classes),
        frequent=frequent,
        lexicon=lexicon,
        features=tuple(kept),
        weights=np.stack([weights[name] for name in kept]),
        transitions=transitions,
        report_below=0.5,
        strict_below=0.8,
        facts={},
    )


def labelled_lines(example: Example) -> Iterator[tuple[Line, list[str]]]:
    """The lines of an example with the label of each word."""
    spans = [label for label in example.labels if label.entity_type in LEARNED]
    for line in lines_of(example.text):
        owners = [_owner(start, end, spans) for start, end in line.places]
        yield line, [_label(owners, place) for place in range(len(owners))]


def _owner(start: int, end: int, spans: Sequence[Label]) -> Label | None:
    return next((span for span in spans if start < span.end and span.start < end), None)


def _label(owners: Sequence[Label | None], place: int) -> str:
    owner = owners[place]
    if owner is None:
        return "O"
    return f"{'B' if place == 0 or owners[place - 1] != owner else 'I'}-{owner.entity_type}"


def _frequent_words(lines: Iterator[Line]) -> frozenset[str]:
    counts = Counter(word.lower() for line in lines for word in line.words if not word[0].isdigit())
    return frozenset(word for word, _ in sorted(counts.items(), key=lambda item: (-item[1], item[0]))[:_FREQUENT])


def _classes(
    lines: Sequence[tuple[Example, Line, list[str]]], lexicon: Lexicon, frequent: frozenset[str]
) -> dict[str, int]:
    counts: Counter[str] = Counter([EDGE])
    for _, line, _ in lines:
        manner = manner_of(line)
        counts.update(word_class(word, manner, lexicon.kinds(word.lower()), frequent) for word in line.words)
    ordered = sorted(counts.items(), key=lambda item: (item[0] != EDGE, -item[1], item[0]))
    return {name: number for number, (name, _) in enumerate(ordered[:_CLASSES])}


class Builder:
    """Writes out the features of lines, as :class:`Emissions` sums them."""

    def __init__(self, lexicon: Lexicon, frequent: frozenset[str], classes: Mapping[str, int]) -> None:
        self._lexicon, self._frequent, self._classes = lexicon, frequent, classes
        self._known: dict[tuple[str, str, int], dict[int, list[str]]] = {}

    def features(self, line: Line, hidden: Sequence[bool]) -> list[list[str]]:
        """The features of each word; where ``hidden``, as if the lexicon did not know it as a name."""
        manner = manner_of(line)
        lowered = [word.lower() for word in line.words]
        kinds = [
            self._lexicon.kinds(word) & (~_NAMING if hide else ~0) for word, hide in zip(lowered, hidden, strict=True)
        ]
        words = [EDGE, EDGE, *line.words, EDGE, EDGE]
        all_kinds = [0, 0, *kinds, 0, 0]
        edge_aware = ["", "", *[manner] * len(lowered), "", ""]
        named = [
            word_class(word, how, kind, self._frequent)
            for word, how, kind in zip(words, edge_aware, all_kinds, strict=True)
        ]
        given = [
            self._given(word, how, kind, name)
            for word, how, kind, name in zip(words, edge_aware, all_kinds, named, strict=True)
        ]
        numbers = [self._classes.get(name) for name in named]
        marks = {place: mark for place, mark in phrase_marks(lowered, self._lexicon).items() if not hidden[place]}
        return [self._at(place + 2, given, numbers, marks.get(place)) for place in range(len(lowered))]

    def _at(
        self, place: int, given: Sequence[dict[int, list[str]]], numbers: Sequence[int | None], mark: str | None
    ) -> list[str]:
        found = [feature for offset in OFFSETS for feature in given[place + offset][offset]]
        pairs = (
            (numbers[place - 1], numbers[place]),
            (numbers[place], numbers[place + 1]),
            (numbers[place - 1], numbers[place + 1]),
        )
        for name, (first, second) in zip(PAIRS, pairs, strict=True):
            if first is not None and second is not None:
                found.append(f"{name}:{first}|{second}")
        if mark:
            found.append(mark)
        return found

    def _given(self, word: str, manner: str, kinds: int, named: str) -> dict[int, list[str]]:
        key = (manner + word, named, kinds)
        if key not in self._known:
            self._known[key] = word_features(word, manner, kinds, named)
        return self._known[key]


class _Hiding:
    """Decides from which names the lexicon is hidden."""

    def __init__(self, settings: Settings, dice: random.Random) -> None:
        self._settings, self._dice = settings, dice

    def of(self, example: Example, labels: Sequence[str]) -> list[bool]:
        """For each word; the same for all words of one name."""
        rate = self._settings.hidden_real if example.source == "corpus" else self._settings.hidden_generated
        hidden: list[bool] = []
        for before, label in pairwise(["O", *labels]):
            if label[0] == "B":
                hidden.append(self._dice.random() < rate)
            else:
                hidden.append(label[0] == "I" and before != "O" and hidden[-1])
        return hidden


def _trained(trainer: Any) -> tuple[dict[str, np.ndarray[Any, Any]], np.ndarray[Any, Any]]:
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "crf")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        info = tagger.info()
    column = {label: number for number, label in enumerate(LABELS)}
    weights: dict[str, np.ndarray[Any, Any]] = {}
    for (name, label), weight in info.state_features.items():
        weights.setdefault(name, np.zeros(len(LABELS), dtype=np.float32))[column[label]] = weight
    transitions = np.zeros((len(LABELS), len(LABELS)), dtype=np.float32)
    for (before, after), weight in info.transitions.items():
        transitions[column[before], column[after]] = weight
    return weights, transitions
