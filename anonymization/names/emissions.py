"""Scores each word of a batch for each label: a table row for a word, computed once, and sums of shifted rows."""

import threading
from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymization.names.features import EDGE, OFFSETS, USUAL, phrase_marks, word_class, word_features
from anonymization.names.model import NameModel

Scores = NDArray[np.float32]

#: Words kept; when there are more, everything is forgotten and computed again as needed. About 300 bytes each.
_KEPT: Final = 60_000
#: Pairs of classes: the word before and this one, this one and the next, the two around it.
PAIRS: Final = ("P", "N", "S")
_REACH: Final = 2


class _Rows:
    """Words seen so far: the row each has in the table, its class, and whether a longer known name begins with it."""

    def __init__(self, columns: int) -> None:
        self.of: dict[str, int] = {}
        self.table = np.zeros((_KEPT, columns), dtype=np.float32)
        self.classes = np.zeros(_KEPT, dtype=np.int32)
        self.begins = np.zeros(_KEPT, dtype=bool)


class Emissions:
    """Turns lines of words into label scores. May be used from several threads at once."""

    def __init__(self, model: NameModel) -> None:
        self._labels = len(model.labels)
        self._lexicon = model.lexicon
        self._frequent = model.frequent
        self._class_numbers = {name: number for number, name in enumerate(model.classes)}
        self._feature_rows = {name: row for row, name in enumerate(model.features)}
        self._weights = model.weights
        self._pairs = {mark: self._pair_table(mark) for mark in PAIRS}
        self._marks = {mark: self._summed([mark]) for mark in ("m=b", "m=i")}
        self._rows = _Rows(self._labels * len(OFFSETS))
        self._lock = threading.Lock()

    def of(self, lines: Sequence[Sequence[str]], manners: Sequence[str]) -> tuple[Scores, NDArray[np.int64]]:
        """Scores of all words, one row a word and two rows between lines; and the row each line begins at."""
        keys, starts = _keys(lines, manners)
        rows, found = self._find(keys)
        numbers = np.array(found, dtype=np.int64)
        spread = rows.table[numbers].reshape(len(numbers), len(OFFSETS), self._labels)
        scores = spread[:, _REACH].copy()
        for column, offset in enumerate(OFFSETS):
            # A feature "-1:.." is what the word before gives: the word at i gives it to the word at i + 1.
            if offset < 0:
                scores[-offset:] += spread[:offset, column]
            elif offset > 0:
                scores[:-offset] += spread[offset:, column]
        self._add_pairs(scores, rows.classes[numbers])
        self._add_phrases(scores, rows.begins[numbers], lines, starts)
        return scores, starts

    def _add_pairs(self, scores: Scores, classes: NDArray[np.int32]) -> None:
        count = len(self._class_numbers) + 1
        before, after = classes[:-1].astype(np.int64), classes[1:]
        paired = before * count + after
        scores[1:] += self._pairs["P"][paired]
        scores[:-1] += self._pairs["N"][paired]
        scores[1:-1] += self._pairs["S"][before[:-1] * count + classes[2:]]

    def _add_phrases(
        self, scores: Scores, begins: NDArray[np.bool_], lines: Sequence[Sequence[str]], starts: NDArray[np.int64]
    ) -> None:
        if not begins.any():
            return
        places = np.flatnonzero(begins)
        for number in np.unique(np.searchsorted(starts, places, side="right") - 1).tolist():
            start = int(starts[number])
            for place, mark in phrase_marks([word.lower() for word in lines[number]], self._lexicon).items():
                scores[start + place] += self._marks[mark]

    def _find(self, keys: Sequence[str]) -> tuple[_Rows, list[int]]:
        rows = self._rows
        try:
            return rows, [rows.of[key] for key in keys]
        except KeyError:
            pass
        with self._lock:
            rows = self._rows
            missing = {key: None for key in keys if key not in rows.of}
            if len(rows.of) + len(missing) > _KEPT:
                self._rows = rows = _Rows(self._labels * len(OFFSETS))
                missing = dict.fromkeys(keys)
            for key in missing:
                self._learn(rows, key)
            return rows, [rows.of[key] for key in keys]

    def _learn(self, rows: _Rows, key: str) -> None:
        manner, word = (key[0], key[1:]) if key[0] < EDGE and len(key) > 1 else (USUAL, key)
        lowered = word.lower()
        kinds = self._lexicon.kinds(lowered)
        named = word_class(word, manner, kinds, self._frequent)
        row = len(rows.of)
        given = word_features(word, manner, kinds, named)
        rows.table[row] = np.concatenate([self._summed(given[offset]) for offset in OFFSETS])
        rows.classes[row] = self._class_numbers.get(named, len(self._class_numbers))
        rows.begins[row] = lowered in self._lexicon.phrases
        # Last, so that no other thread finds a row that is not ready.
        rows.of[key] = row

    def _summed(self, features: Iterable[str]) -> Scores:
        rows = [self._feature_rows[name] for name in features if name in self._feature_rows]
        return np.asarray(self._weights[rows].sum(axis=0), dtype=np.float32)

    def _pair_table(self, mark: str) -> Scores:
        """Scores by (class number, class number); the last number is that of any class the model does not know."""
        count = len(self._class_numbers) + 1
        table = np.zeros((count * count, self._labels), dtype=np.float32)
        for name, row in self._feature_rows.items():
            if name.startswith(f"{mark}:"):
                first, _, second = name[2:].partition("|")
                table[int(first) * count + int(second)] = self._weights[row]
        return table


def _keys(lines: Sequence[Sequence[str]], manners: Sequence[str]) -> tuple[list[str], NDArray[np.int64]]:
    """All words with the manner of their line before them, two edges around every line, and where each line begins."""
    keys: list[str] = [EDGE, EDGE]
    starts: list[int] = []
    for words, manner in zip(lines, manners, strict=True):
        starts.append(len(keys))
        keys += [manner + word for word in words] if manner else words
        keys += (EDGE, EDGE)
    return keys, np.array(starts, dtype=np.int64)
