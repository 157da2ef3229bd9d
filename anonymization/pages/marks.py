"""A text with what was found in it, as pieces a page can show in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from anonymization.trust.trust import Judgement


@dataclass(frozen=True)
class Stretch:
    """A piece of a text; ``number`` is that of the finding which hides it (from 1), None where nothing does."""

    text: str
    number: int | None = None
    entity_type: str = ""


def stretches(text: str, judged: Sequence[tuple[int, Judgement]]) -> list[Stretch]:
    """The whole text cut where findings that count begin and end; of two that overlap the first goes on.

    ``judged`` are the findings in this text with the numbers the page gives them.
    """
    pieces: list[Stretch] = []
    reached = 0
    counting = [(number, one.finding) for number, one in judged if one.counts]
    for number, finding in sorted(counting, key=lambda pair: (pair[1].start, -pair[1].end)):
        start = max(finding.start, reached)
        if start >= finding.end:
            continue
        if start > reached:
            pieces.append(Stretch(text[reached:start]))
        pieces.append(Stretch(text[start : finding.end], number, finding.entity_type))
        reached = finding.end
    if reached < len(text):
        pieces.append(Stretch(text[reached:]))
    return pieces
