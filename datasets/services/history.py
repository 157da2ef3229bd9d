"""The history of a dataset: which versions a version comes from, and where two of them part.

A version's number in its dataset is higher than those of its parents, so that reading rows in descending order meets
every version before what it comes from: one pass over a few columns, in memory of the lines of history still open.
"""

from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import islice, takewhile
from typing import Final, NamedTuple
from uuid import UUID

from datasets.models import Dataset, Version

_BATCH: Final = 1000
_OURS, _THEIRS = 1, 2
_BOTH: Final = _OURS | _THEIRS


class Step(NamedTuple):
    """One version as histories need it."""

    id: UUID
    parent: UUID | None
    merge_parent: UUID | None
    sequence: int

    @property
    def parents(self) -> Iterator[UUID]:
        return (parent for parent in (self.parent, self.merge_parent) if parent is not None)


def merge_base(a: Version, b: Version) -> Version | None:
    """The best common ancestor of two versions of one dataset; a version is its own. None: they share none.

    Best is one from which no other common ancestor comes; of several (after crossed merges) the latest.
    """
    top = max(a.sequence, b.sequence)
    found = common_ancestor(steps_from(a.dataset_id, top), a.pk, b.pk)
    return None if found is None else Version.objects.select_related("parent").get(pk=found)


def common_ancestor(steps: Iterable[Step], ours: UUID, theirs: UUID) -> UUID | None:
    """Of ``steps``, which come in descending order, the first from which both come."""
    marks: dict[UUID, int] = {ours: _OURS}
    marks[theirs] = marks.get(theirs, 0) | _THEIRS
    for step in steps:
        mark = marks.pop(step.id, 0)
        if mark == _BOTH:
            return step.id
        for parent in step.parents if mark else ():
            marks[parent] = marks.get(parent, 0) | mark
        if mark and len(set(marks.values())) < 2 and _BOTH not in marks.values():  # noqa: PLR2004 - the two sides
            return None  # one side's history has ended
    return None


def ancestry(steps: Iterable[Step], head: UUID) -> Iterator[Step]:
    """Of ``steps``, which come in descending order, ``head`` and every version it comes from."""
    open_lines = {head}
    for step in steps:
        if step.id in open_lines:
            open_lines.remove(step.id)
            open_lines.update(step.parents)
            yield step
            if not open_lines:
                return


def steps_from(dataset: Dataset | UUID, top: int) -> Iterator[Step]:
    """The versions of a dataset from number ``top`` downwards, read in batches."""
    rows = Version.objects.filter(dataset=dataset).order_by("-sequence")
    columns = rows.values_list("pk", "parent_id", "merge_parent_id", "sequence")
    while batch := [Step(*row) for row in columns.filter(sequence__lte=top)[:_BATCH]]:
        yield from batch
        top = batch[-1].sequence - 1


def comes_from(version: Version, earlier: Version) -> bool:
    """Whether ``earlier`` is ``version`` or one it comes from."""
    walked = ancestry(steps_from(version.dataset_id, version.sequence), version.pk)
    return any(step.id == earlier.pk for step in takewhile(lambda step: step.sequence >= earlier.sequence, walked))


def read_log(
    head: Version, *, below: int | None = None, since: datetime | None = None, author: UUID | None = None, limit: int
) -> list[Version]:
    """``head`` and what it comes from, over both parents, newest first: at most ``limit`` with a number < ``below``.

    ``since`` and ``author`` leave out the versions made earlier, or by others.
    """
    rows = Version.objects.select_related("parent", "merge_parent").order_by("-sequence")
    rows = rows if below is None else rows.filter(sequence__lt=below)
    rows = rows if since is None else rows.filter(created_at__gte=since)
    rows = rows if author is None else rows.filter(author=author)
    walked = ancestry(steps_from(head.dataset_id, head.sequence), head.pk)
    found: list[Version] = []
    while len(found) < limit and (batch := list(islice(walked, _BATCH))):
        if below is None or batch[-1].sequence < below:
            found += rows.filter(pk__in=[step.id for step in batch])[: limit - len(found)]
    return found
