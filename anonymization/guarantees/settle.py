"""The last step of every algorithm: classes judged by what is really released, what falls short dropped or hidden."""

from dataclasses import replace
from typing import Final

import numpy as np

from anonymization.guarantees.condition import Condition
from anonymization.guarantees.errors import GuaranteeUnreachable
from anonymization.guarantees.grouping import dense, group_rows, members
from anonymization.guarantees.guarantee import Guarantee
from anonymization.guarantees.hierarchy import ANY
from anonymization.guarantees.table import Codes, Flags, Ids, Recoding, Table

#: Judging again after rows were dropped; each round drops or hides at least one class more.
_ROUNDS: Final = 30


def unify(classes: Ids, cells: Codes, texts: tuple[tuple[str, ...], ...]) -> tuple[Ids, Codes]:
    """Classes that show the same texts are one class."""
    groups, first = group_rows([cells[:, column] for column in range(cells.shape[1])], list(map(len, texts)))
    if len(first) == len(cells):
        return classes, cells
    return np.where(classes >= 0, groups[classes], -1), cells[first]


def settle(recoding: Recoding, table: Table, guarantee: Guarantee) -> Recoding:
    """A recoding that meets the guarantee, judged by the rows it releases alone.

    Rows of classes that fall short are dropped as far as the suppression limit allows; beyond it they become one class
    of which nothing is shown, into which the most general other classes are drawn until it meets the guarantee too.
    Raises GuaranteeUnreachable.
    """
    room = int(guarantee.suppression * len(table) + 1e-9)
    for _ in range(_ROUNDS):
        released = np.flatnonzero(recoding.classes >= 0)
        if not len(released):
            break
        condition = Condition.of(table, guarantee, released)
        good = condition.holds(recoding.classes[released], recoding.count, released)
        short = members(recoding.classes, ~good)
        dropped = len(table) - len(released)
        if not len(short) and dropped <= room:
            return _compact(recoding, good)
        fits = dropped + len(short) <= room
        recoding = _dropped(recoding, short) if fits else _hidden(recoding, good, condition)
    raise GuaranteeUnreachable


def _dropped(recoding: Recoding, rows: Ids) -> Recoding:
    classes = recoding.classes.copy()
    classes[rows] = -1
    return replace(recoding, classes=classes)


def _hidden(recoding: Recoding, good: Flags, condition: Condition) -> Recoding:
    """Everything that falls short, or was dropped, in one class that shows nothing and meets the condition."""
    tops = np.array([texts.index(ANY) for texts in recoding.texts], np.int32)
    is_top = (recoding.cells == tops).all(axis=1)
    order = np.argsort(-recoding.class_loss(), kind="stable")
    order = order[(good & ~is_top)[order]]
    drawn = 0
    while True:
        into = ~good | is_top
        into[order[:drawn]] = True
        rows = np.union1d(members(recoding.classes, into), np.flatnonzero(recoding.classes < 0))
        if condition.holds(np.zeros(len(rows), np.int64), 1, rows)[0]:
            break
        if drawn >= len(order):
            raise GuaranteeUnreachable
        drawn = min(drawn * 2 or 1, len(order))
    classes = recoding.classes.copy()
    classes[rows] = recoding.count
    return _compact(replace(recoding, classes=classes, cells=np.vstack([recoding.cells, tops])), None)


def _compact(recoding: Recoding, good: Flags | None) -> Recoding:
    """Classes without rows are no classes."""
    if good is not None and good.all():
        return recoding
    kept = recoding.classes >= 0
    numbers, _ = dense(recoding.classes[kept])
    classes = np.full(len(recoding.classes), -1, np.int64)
    classes[kept] = numbers
    return replace(recoding, classes=classes, cells=recoding.cells[np.unique(recoding.classes[kept])])
