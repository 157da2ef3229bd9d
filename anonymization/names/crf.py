"""The finder that ships: a conditional random field over words, and rules for dates, ages, nationalities and titles."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property
from itertools import chain, islice
from pathlib import Path
from typing import Final

import numpy as np
import orjson

from anonymization.detectors.base import Span
from anonymization.findings import ACT_FROM
from anonymization.names import rules
from anonymization.names.base import NameFinder
from anonymization.names.decoding import Floats, Layout, Places, allowed, best_labels, first_scores, probabilities
from anonymization.names.emissions import Emissions
from anonymization.names.features import manner_of
from anonymization.names.lexicon import Kind
from anonymization.names.model import load_model
from anonymization.names.reading import RECOGNIZER, Reading, spans_of
from anonymization.names.tokens import Line, lines_of

SHIPPED: Final = Path(__file__).parent / "data" / "english.names"

#: Words scored at once: enough to spread the cost of numpy, few enough for little memory.
_BATCH_WORDS: Final = 16_000
#: A line is passed over when "no name" leads by more than this at each of its words.
_OUT_OF_REACH: Final = -6.0


class CrfNameFinder(NameFinder):
    """Finds names with the model at ``path``, by default the one that ships, made for English.

    All words of many texts are scored and decoded together in numpy; what a word contributes is computed once and kept,
    as is usual for words of a language; after 60,000 different words it begins anew. A score is the probability that
    the words are some name, and never under ACT_FROM: what is reported is meant to be acted on. Raises
    NameModelMissing or NameModelMalformed when the file is not there or not a model.
    """

    version: Final = "3"

    def __init__(self, path: str | Path = SHIPPED) -> None:
        self._model = load_model(Path(path))
        self._emissions = Emissions(self._model)
        labels = self._model.labels
        self._transitions = allowed(labels, self._model.transitions)
        self._first = first_scores(labels)
        self._kinds = ("", *dict.fromkeys(label[2:] for label in labels[1:]))
        self._kind_of = np.array([self._kinds.index(label[2:]) for label in labels])
        self._begins = np.array([label[0] == "B" for label in labels])
        words = self._model.lexicon.words
        nations = [word for word, kinds in words.items() if kinds & Kind.NATION]
        self._nations = frozenset(form for word in nations for form in (word.title(), word.upper()))

    @cached_property
    def content_hash(self) -> bytes:
        description = [RECOGNIZER, self.version, rules.VERSION, self._model.content_hash.hex()]
        return hashlib.sha256(orjson.dumps(description)).digest()

    @property
    def language(self) -> str:
        return self._model.language

    def find(self, texts: Sequence[str], *, strict: bool = False) -> list[list[Span]]:
        lines = [list(lines_of(text)) for text in texts]
        readings = self._readings(chain.from_iterable(lines), strict=strict)
        return [
            spans_of(text, list(islice(readings, len(own))), self._model.lexicon, self._nations)
            for text, own in zip(texts, lines, strict=True)
        ]

    def _readings(self, lines: Iterable[Line], *, strict: bool) -> Iterator[Reading]:
        batch: list[Line] = []
        size = 0
        for line in lines:
            batch.append(line)
            size += len(line.words)
            if size >= _BATCH_WORDS:
                yield from self._read(batch, strict=strict)
                batch, size = [], 0
        if batch:
            yield from self._read(batch, strict=strict)

    def _read(self, lines: Sequence[Line], *, strict: bool) -> list[Reading]:
        scores, starts = self._emissions.of([line.words for line in lines], [manner_of(line) for line in lines])
        scores[starts] += self._first
        layout = self._worth_reading(scores, starts, np.array([len(line.words) for line in lines], dtype=np.int64))
        chosen = best_labels(scores, self._transitions, layout)
        by_label = probabilities(scores, self._transitions, layout)
        by_kind = np.stack([by_label[:, self._kind_of == kind].sum(axis=1) for kind in range(len(self._kinds))], axis=1)
        kinds = self._kind_of[chosen]
        below = self._model.strict_below if strict else self._model.report_below
        unsure = (kinds == 0) & (by_kind[:, 0] < below) & (by_kind[:, 0] > 0)
        kinds[unsure] = by_kind[unsure, 1:].argmax(axis=1) + 1
        sure = np.maximum(1 - by_kind[:, 0], ACT_FROM)
        names = [self._kinds[kind] for kind in kinds.tolist()]
        begins, sures = self._begins[chosen].tolist(), sure.tolist()
        return [
            Reading(line, names[start:end], begins[start:end], sures[start:end])
            for line, start in zip(lines, starts.tolist(), strict=True)
            for end in (start + len(line.words),)
        ]

    def _worth_reading(self, scores: Floats, starts: Places, lengths: Places) -> Layout:
        """The lines in which some word comes near a name; in the others the best path holds none, nor does strict mode.

        The transitions can add less than the margin, so that what is passed over here was never within reach.
        """
        gains = scores[:, 1:].max(axis=1) - scores[:, 0]
        for row_between in (0, 1):
            gains[starts + lengths + row_between] = _OUT_OF_REACH
        near = np.maximum.reduceat(gains, starts) > _OUT_OF_REACH
        return Layout(starts[near], lengths[near])
