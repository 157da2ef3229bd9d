"""The port to a witness: a place outside the database that holds checkpoints."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar


@dataclass(frozen=True)
class Holding:
    """A checkpoint as a witness has it: where, and until when nobody can change it there (None: it has no lock)."""

    place: str
    locked_until: datetime | None = None


class Witness(ABC):
    """Holds the signed checkpoints of logs; ``log`` is a log's origin (see note.py), ``note`` a signed note as text.

    Every method raises WitnessUnavailable when the witness does not answer, and may take seconds: open no scope and no
    transaction around it. ``is_readable`` tells whether it gives back what it holds.
    """

    name: ClassVar[str]
    is_readable: ClassVar[bool] = True

    @abstractmethod
    def hold(self, log: str, size: int, note: str) -> Holding:
        """Take a checkpoint; it is durable when this returns. Taking the same one again changes nothing.

        Raises WitnessConflict when it holds another one of this log and size, and keeps that.
        """

    @abstractmethod
    def newest(self, log: str) -> str | None:
        """The note of the biggest size it holds of a log; None when it holds none, or cannot be read."""

    @abstractmethod
    def read(self, log: str, size: int) -> str | None:
        """The note of one size; None when it does not hold it, or cannot be read."""

    @abstractmethod
    def locks(self) -> bool:
        """Whether what it holds cannot be changed or removed, by anybody, for a time."""
