"""Scores each word of a batch for each label: a table row for a word, computed once, and sums of shifted rows."""

import threading
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from anonymization.names.features import EDGE, OFFSETS, USUAL, phrase_marks, word_class, word_features
from anonymization.names.model import NameModel

Scores = NDArray[np.float32]

#: Words kept; when there are more, everything is forgotten and computed again as needed. About 300 bytes each.
KEPT: Final = 60_000
#: Pairs of classes: the word before and this one, this one and the next, the two around it.
PAIRS: Final = ("P", "N", "S")
_REACH: Final = 2


class _Rows:
    """Words seen so far: the row each has in the table, its class, and whether a longer known name begins with it."""

    def __init__(self, columns: int, room: int) -> None:
        self.of: dict[str, int] = {}
        self.room = room
        self.table = np.zeros((room, columns), dtype=np.float32)
        self.classes = np.zeros(room, dtype=np.int32)
        self.begins = np.zeros(room, dtype=bool)


class Emissions:
    """Turns lines of words into label scores. May be used from several threads at once."""

    def __init__(self, model: NameModel) -> None:
        self._labels = len(model.labels)
        self._lexicon = model.lexicon
        self._frequent = model.frequent
        self._class_numbers = {name: number for number, name in enumerate(model.classes)}
        self._feature_rows = {name: row for row, name in enumerate(model.features)}
        # The last row is nothing: every sum begins with it, so that a sum of no features is 0.
        self._weights = np.vstack([model.weights, np.zeros((1, self._labels), dtype=np.float32)])
        self._pairs = {mark: self._pair_table(mark) for mark in PAIRS}
        self._marks = {mark: self._sums([[mark]])[0] for mark in ("m=b", "m=i")}
        self._rows = _Rows(self._labels * len(OFFSETS), KEPT)
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
        for number in np.unique(np.searchsorted(starts, np.flatnonzero(begins), side="right") - 1).tolist():
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
            if len(rows.of) + len(missing) > rows.room:
                missing = dict.fromkeys(keys)
                self._rows = rows = _Rows(self._labels * len(OFFSETS), max(KEPT, len(missing)))
            if missing:  # else another thread learnt them while this one waited
                self._learn(rows, list(missing))
            return rows, [rows.of[key] for key in keys]

    def _learn(self, rows: _Rows, keys: Sequence[str]) -> None:
        """Computes the rows of some words; they are entered last, so that no other thread finds one half made."""
        features: list[list[str]] = []
        first = len(rows.of)
        for row, key in enumerate(keys, first):
            manner, word = (key[0], key[1:]) if key[0] < EDGE and len(key) > 1 else (USUAL, key)
            lowered = word.lower()
            kinds = self._lexicon.kinds(lowered)
            named = word_class(word, manner, kinds, self._frequent)
            given = word_features(word, manner, kinds, named)
            features += [given[offset] for offset in OFFSETS]
            rows.classes[row] = self._class_numbers.get(named, len(self._class_numbers))
            rows.begins[row] = lowered in self._lexicon.longest
        rows.table[first : first + len(keys)] = self._sums(features).reshape(len(keys), -1)
        rows.of.update(zip(keys, range(first, first + len(keys)), strict=True))

    def _sums(self, features: Sequence[Sequence[str]]) -> Scores:
        """For each list of features the sum of their weights."""
        nothing = len(self._weights) - 1
        numbers: list[int] = []
        starts: list[int] = []
        known = self._feature_rows
        for names in features:
            starts.append(len(numbers))
            numbers.append(nothing)
            numbers += [known[name] for name in names if name in known]
        return np.asarray(np.add.reduceat(self._weights[numbers], starts, axis=0), dtype=np.float32)

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
