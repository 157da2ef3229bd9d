"""Cuts long text into overlapping pieces for models that read only so much at once."""

from collections.abc import Iterator

from anonymization.detectors.base import Span

#: Characters that two neighbouring pieces share, more than any name has.
_SHARED = 100


def pieces_of(text: str, size: int) -> Iterator[tuple[int, str]]:
    """Pieces of at most ``size`` characters with the place each begins at, cut at blanks where there are some."""
    start = 0
    while len(text) - start > size:
        end = text.rfind(" ", start + size - _SHARED, start + size)
        end = start + size if end < 0 else end
        yield start, text[start:end]
        back = text.rfind(" ", start, end - _SHARED)
        start = max(start + 1, end - _SHARED if back < 0 else back + 1)
    if start < len(text):
        yield start, text[start:]


def without_overlaps(spans: list[Span]) -> list[Span]:
    """Of spans that overlap, because two pieces share text, the surer one; sorted by place."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda one: (one.start, -one.score, -one.end)):
        if kept and span.start < kept[-1].end:
            if span.score > kept[-1].score:
                kept[-1] = span
        else:
            kept.append(span)
    return kept
