"""Reads the labelled corpora that a developer keeps beside the checkout, all of them column files."""

import gzip
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import orjson

from anonymization.names.training.examples import Example, Label

_TYPES: Final = {
    "PER": "PERSON", "PERSON": "PERSON", "LOC": "LOCATION", "LOCATION": "LOCATION", "ORG": "ORGANIZATION",
    "CORPORATION": "ORGANIZATION", "GROUP": "ORGANIZATION", "DATETIME": "DATE_TIME",
}  # fmt: skip
_CLOSING: Final = frozenset(".,!?;:)]}%'\"\u2026\u201d\u2019") | {
    "'s",
    "n't",
    "'re",
    "'ve",
    "'ll",
    "'m",
    "'d",
    "\u2019s",
    "''",
}
_OPENING: Final = frozenset("([{$#\u201c\u2018") | {"``"}


def read_columns(path: Path, *, word: int = 0, tag: int = -1) -> list[Example]:
    """Sentences of a file with one word and its tag (IOB or IOB2) a line and blank lines between sentences."""
    return [_example(*_without_handles(words, tags)) for words, tags in _sentences(path, word, tag)]


def read_court_decisions(path: Path) -> list[Example]:
    """The Text Anonymization Benchmark as JSON lines: whole documents with the mentions of one annotator."""
    examples = []
    with gzip.open(path, "rb") as lines:
        for line in lines:
            document = orjson.loads(line)
            examples.append(Example(document["text"], _mentions(document), "court"))
    return examples


def _mentions(document: dict[str, object]) -> tuple[Label, ...]:
    entities = document["entities"]
    assert isinstance(entities, list)
    return tuple(
        Label(entity["start_offset"], entity["end_offset"], _TYPES.get(entity["entity_type"], entity["entity_type"]))
        for entity in entities
        if entity["entity_type"] in {"PERSON", "LOC", "ORG", "DATETIME"}
    )


def _sentences(path: Path, word: int, tag: int) -> Iterator[tuple[list[str], list[str]]]:
    words: list[str] = []
    tags: list[str] = []
    for line in path.read_text(encoding="utf-8", errors="replace").split("\n"):
        columns = line.split("\t") if "\t" in line else line.split()
        if line.startswith("# ") and "\t" not in line:
            continue
        if len(columns) < 2 or columns[0] == "-DOCSTART-":  # noqa: PLR2004 - a word and a tag
            if words:
                yield words, tags
            words, tags = [], []
        elif columns[word].strip():
            words.append(columns[word].strip())
            tags.append(columns[tag])
    if words:
        yield words, tags


def _without_handles(words: Sequence[str], tags: Sequence[str]) -> tuple[list[str], list[str]]:
    """Joins "@" and the handle after it; handles are found by other means and are no names here."""
    joined: list[str] = []
    kept: list[str] = []
    for word, tag in zip(words, tags, strict=True):
        if joined and joined[-1] in {"@", "#"}:
            joined[-1] += word
        else:
            joined.append(word)
            kept.append("O" if word[0] in "@#" else tag)
    return joined, kept


def _example(words: Sequence[str], tags: Sequence[str]) -> Example:
    text, places = _joined(words)
    labels: list[Label] = []
    is_open = False
    for (start, end), tag in zip(places, tags, strict=True):
        kind = _TYPES.get(tag[2:].upper()) if len(tag) > 1 else None
        if kind and is_open and labels[-1].entity_type == kind and not tag.startswith("B"):
            labels[-1] = Label(labels[-1].start, end, kind)
        elif kind:
            labels.append(Label(start, end, kind))
        is_open = kind is not None
    return Example(text, tuple(labels), "corpus")


def _joined(words: Sequence[str]) -> tuple[str, list[tuple[int, int]]]:
    """Running text from words, without blanks where punctuation takes none, and the place of each word in it."""
    text, before, is_quoted = "", "", False
    places: list[tuple[int, int]] = []
    for word in words:
        tight = not text or word in _CLOSING or before in _OPENING
        if word in {'"', "'"}:
            tight = is_quoted or not text or before in _OPENING
            is_quoted = not is_quoted
        elif before in {'"', "'"} and is_quoted:
            tight = True
        start = len(text) + (not tight)
        text += word if tight else f" {word}"
        places.append((start, start + len(word)))
        before = word
    return text, places


def read_training(folder: Path) -> list[Example]:
    """The sets that may be trained on, all CC BY 4.0: Broad Twitter Corpus, WNUT 2017 and WikiGold."""
    return [
        *read_columns(folder / "btc/btc.train"),
        *read_columns(folder / "wnut17/train.conll"),
        *read_columns(folder / "wikigold/wikigold.conll.txt"),
    ]
