"""Signatures of releases, and what several of them together tell: which subjects remain alike in all of them.

A signature says of each released subject which class it is in and which value it has in every sensitive column, each as
64 bits of keyed hashes. Whoever holds several releases can tell subjects apart that are in different classes in any of
them; who is missing from one of them is told apart, too, since the difference of two releases shows it. So subjects are
alike only where they agree on everything: these cells must keep what each of the releases promised.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Words = NDArray[np.uint64]
Rows = NDArray[Any]

#: Rows of a sealed segment.
SEGMENT_ROWS: Final = 65_536
#: Subjects whose cells are counted at a time; more take more passes over the signatures, not more memory.
PASS_SUBJECTS: Final = 2_000_000
SUBJECT_BYTES: Final = 16
_ABSENT: Final = np.uint64(0)
#: Names kept at hand, and bytes of rows collected at once.
_BATCH: Final = 100_000
_BATCH_BYTES: Final = 24 * _BATCH


def row_type(columns: int = 1) -> np.dtype[Any]:
    """Subject, class and a value for each of the sensitive ``columns`` (at least one): little-endian words."""
    return np.dtype([("subject", "<u8"), ("group", "<u8"), ("value", "<u8", (columns,))])


@dataclass(frozen=True)
class Promise:
    """What a release promises of every class: at least ``k`` subjects, and ``l_diversity`` distinct values of every
    sensitive column.
    """

    k: int
    l_diversity: int


@dataclass(frozen=True)
class Released:
    """A release as it is compared: its promise, how many subjects it has, and its rows by segment as often as asked."""

    promise: Promise
    subjects: int
    segments: Callable[[], Iterator[Rows]]


@dataclass(frozen=True)
class Breach:
    """What would break: ``guarantee`` is "k" or "l"; the least a cell would keep is ``found`` of ``required``."""

    guarantee: str
    required: int
    found: int
    subjects: int


def collect(classes: Iterable[tuple[bytes, bytes, Sequence[bytes]]], *, key: bytes) -> Rows:
    """The signature of a release, one row a subject in order of subject, from one tuple a released row.

    The last member of a tuple has a value for each sensitive column, b"" for none; all have as many as the first. A
    subject with several rows is in the class of all their classes, and has in each column the value of all their
    values. Raises ValueError for a subject key under 16 bytes and for another number of values. Takes 16 bytes and 8 a
    sensitive column for each row, and as much again while sorting.
    """
    parts: list[bytes] = []
    batch = bytearray()
    known: dict[bytes, bytes] = {}
    columns: int | None = None
    for subject, group, values in classes:
        columns = len(values) if columns is None else columns
        if len(subject) < SUBJECT_BYTES or len(values) != columns:
            msg = f"a subject key has at least {SUBJECT_BYTES} bytes, and every row a value for each column"
            raise ValueError(msg)
        batch += subject[:8]
        batch += known.get(group) or _short(known, group, key)
        for value in values or (b"",):
            batch += (known.get(value) or _short(known, value, key)) if value else bytes(8)
        if len(batch) >= _BATCH_BYTES:
            parts.append(bytes(batch))
            batch.clear()
    parts.append(bytes(batch))
    kind = row_type(columns or 1)
    return _folded(np.concatenate([np.frombuffer(part, kind) for part in parts]))


def _short(known: dict[bytes, bytes], text: bytes, key: bytes) -> bytes:
    if len(known) >= _BATCH:
        known.clear()
    known[text] = blake2b(text, digest_size=8, key=key).digest()
    return known[text]


def _folded(rows: Rows) -> Rows:
    subjects = np.unique(rows["subject"])
    folded = np.zeros(len(subjects), rows.dtype)
    folded["subject"] = subjects
    folded["group"] = _sums_of_sets(rows["subject"], rows["group"], subjects)
    for column in range(rows["value"].shape[1]):
        folded["value"][:, column] = _sums_of_sets(rows["subject"], rows["value"][:, column], subjects)
    # Zero says that somebody is absent.
    folded["group"][folded["group"] == _ABSENT] = 1
    return folded


def _sums_of_sets(subjects: Words, words: Words, unique: Words) -> Words:
    """For each subject the sum of its distinct words, mixed: the same for the same set, in whatever order."""
    order = np.lexsort((words, subjects))
    subjects, words = subjects[order], words[order]
    is_new = np.ones(len(words), bool)
    is_new[1:] = (subjects[1:] != subjects[:-1]) | (words[1:] != words[:-1])
    subjects, words = subjects[is_new], mixed(words[is_new])
    if not len(unique):
        return words
    return np.add.reduceat(words, np.searchsorted(subjects, unique))


def mixed(words: Words) -> Words:
    """SplitMix64's finalizer: a bijection under which sums of distinct words do not meet."""
    words = words + np.uint64(0x9E3779B97F4A7C15)
    words = (words ^ (words >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    words = (words ^ (words >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return words ^ (words >> np.uint64(31))


def segments_of(rows: Rows) -> Iterator[Rows]:
    for start in range(0, len(rows), SEGMENT_ROWS):
        yield rows[start : start + SEGMENT_ROWS]


def find_breach(releases: Sequence[Released], *, pass_subjects: int = PASS_SUBJECTS) -> Breach | None:
    """What these releases, held by one hand, break of what each of them promises; None: nothing.

    Streams the signatures, joined by subject; memory is bounded by ``pass_subjects``.
    """
    passes = max(1, -(-sum(release.subjects for release in releases) // pass_subjects))
    breaches = [_breach_in(releases, number, passes) for number in range(passes)]
    for guarantee in ("k", "l"):
        found = [breach for breach in breaches if breach is not None and breach.guarantee == guarantee]
        if found:
            worst = min(found, key=lambda breach: breach.found - breach.required)
            return Breach(guarantee, worst.required, worst.found, sum(breach.subjects for breach in found))
    return None


def _breach_in(releases: Sequence[Released], number: int, passes: int) -> Breach | None:
    """Looks at the cells whose hash leaves ``number`` when divided by ``passes``."""
    blocks = []
    for groups, values in _joined(releases):
        cells = _cells(groups)
        mine = slice(None) if passes == 1 else np.flatnonzero(cells % np.uint64(passes) == np.uint64(number))
        blocks.append((cells[mine], groups[:, mine] != _ABSENT, [column[mine] for column in values]))
    if not blocks:
        return None
    cells = np.concatenate([block[0] for block in blocks])
    present = np.concatenate([block[1] for block in blocks], axis=1)
    values = [np.concatenate(parts) for parts in zip(*(block[2] for block in blocks), strict=True)]
    return _k_breach(releases, cells, present) or _l_breach(releases, cells, present, values)


def _cells(groups: Words) -> Words:
    cells = np.zeros(groups.shape[1], np.uint64)
    for group in groups:
        cells = mixed(cells * np.uint64(0x9E3779B97F4A7C15) + group)
    return cells


def _k_breach(releases: Sequence[Released], cells: Words, present: NDArray[np.bool_]) -> Breach | None:
    _, first, sizes = np.unique(cells, return_index=True, return_counts=True)
    promised = np.array([release.promise.k for release in releases])
    required = np.max(np.where(present[:, first], promised[:, None], 1), axis=0, initial=1)
    return _breach("k", sizes, required, sizes)


def _l_breach(
    releases: Sequence[Released], cells: Words, present: NDArray[np.bool_], values: Sequence[Rows]
) -> Breach | None:
    """The first release's whose promise breaks, in the first of its columns in which it does."""
    for number, release in enumerate(releases):
        if release.promise.l_diversity <= 1:
            continue
        mine = present[number]
        unique, sizes = np.unique(cells[mine], return_counts=True)
        for column in values[number][mine].T:
            pairs = np.unique(np.stack([cells[mine], column]), axis=1)
            _, distinct = np.unique(pairs[0], return_counts=True)
            breach = _breach("l", distinct, np.full(len(unique), release.promise.l_diversity), sizes)
            if breach is not None:
                return breach
    return None


def _breach(guarantee: str, found: NDArray[Any], required: NDArray[Any], sizes: NDArray[Any]) -> Breach | None:
    broken = np.flatnonzero(found < required)
    if not len(broken):
        return None
    worst = broken[np.argmin(found[broken] - required[broken])]
    return Breach(guarantee, int(required[worst]), int(found[worst]), int(sizes[broken].sum()))


def _joined(releases: Sequence[Released]) -> Iterator[tuple[Words, list[Rows]]]:
    """Blocks of subjects in order: their groups, a row of each a release, and their values by release and column;
    absent ones have zeros.
    """
    sources = [release.segments() for release in releases]
    waiting = [next(source, None) for source in sources]
    kinds = [row_type() if rows is None else rows.dtype for rows in waiting]
    while any(rows is not None for rows in waiting):
        end = min(rows["subject"][-1] for rows in waiting if rows is not None)
        taken: list[Rows] = []
        for number, rows in enumerate(waiting):
            cut = 0 if rows is None else int(np.searchsorted(rows["subject"], end, side="right"))
            taken.append(np.zeros(0, kinds[number]) if rows is None else rows[:cut])
            if rows is not None:
                waiting[number] = rows[cut:] if cut < len(rows) else next(sources[number], None)
        yield _aligned(taken)


def _aligned(taken: Sequence[Rows]) -> tuple[Words, list[Rows]]:
    subjects = np.unique(np.concatenate([rows["subject"] for rows in taken]))
    groups = np.zeros((len(taken), len(subjects)), np.uint64)
    values = [np.zeros((len(subjects), rows["value"].shape[1]), np.uint64) for rows in taken]
    for number, rows in enumerate(taken):
        places = np.searchsorted(subjects, rows["subject"])
        groups[number, places], values[number][places] = rows["group"], rows["value"]
    return groups, values
