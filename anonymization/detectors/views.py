"""Views: text derived from a piece of a string, which still knows where each of its characters came from."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass


class View(ABC):
    """A text to scan and the way back from its offsets to those of the string it was taken from."""

    text: str

    @abstractmethod
    def origin(self, start: int, end: int) -> tuple[int, int]:
        """Where in the original string the code points ``[start, end)`` of this text stand.

        Empty (start not below end) when they stand nowhere there, as a label put before the text.
        """


@dataclass(frozen=True, slots=True)
class Slice(View):
    """Text copied unchanged from ``offset`` on; a negative offset means text was put before it."""

    text: str
    offset: int = 0

    def origin(self, start: int, end: int) -> tuple[int, int]:
        return max(0, start + self.offset), max(0, end + self.offset)


@dataclass(frozen=True, slots=True)
class Mapped(View):
    """Text of which character ``i`` came from ``[starts[i], ends[i])``."""

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def origin(self, start: int, end: int) -> tuple[int, int]:
        return self.starts[start], self.ends[end - 1]


@dataclass(frozen=True, slots=True)
class Whole(View):
    """Text decoded from a token that can only be hidden as a whole."""

    text: str
    start: int
    end: int

    def origin(self, start: int, end: int) -> tuple[int, int]:
        del start, end
        return self.start, self.end


@dataclass(frozen=True, slots=True)
class Nested(View):
    """A view of a view."""

    inner: View
    outer: View

    @property
    def text(self) -> str:  # type: ignore[override]  # derived here, stored elsewhere
        return self.inner.text

    def origin(self, start: int, end: int) -> tuple[int, int]:
        start, end = self.inner.origin(start, end)
        return self.outer.origin(start, end) if start < end else (0, 0)
