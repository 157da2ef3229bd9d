"""What stands against an erasure: which records are kept, and on what ground."""

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from compliance.models import PartState, SubjectErasure, SubjectErasurePart
from datasets.errors import DatasetHeld
from datasets.services.holds import is_held

#: On what ground data is kept although somebody asks for its erasure, by the code of the error that says so.
_GROUNDS: Final = {
    DatasetHeld.code: "Legal hold: establishment, exercise or defence of legal claims (GDPR Art. 17(3)(e))",
}
#: Why something proven is still there when everything is read again, where somebody said so.
REVIEWED: Final = "somebody else's, as reviewed"
REFUSED: Final = "may not be erased"
_OTHER_GROUND: Final = "A legal obligation to keep the data (GDPR Art. 17(3)(b))"
#: The numbers of parts that a hold split off begin here: more than there are of one dataset.
_SPLIT_OFF: Final = 1_000_000


def refuse_part(part: SubjectErasurePart, code: str) -> None:
    """Nothing is left out silently: why, and on what ground. The caller saves it."""
    part.state, part.conflict = PartState.REFUSED, code
    part.basis = _GROUNDS.get(code, _OTHER_GROUND)


def conflicts_of(erasure: SubjectErasure) -> list[SubjectErasurePart]:
    """In the open scope: what a dataset refused to erase, each with its ground."""
    return list(SubjectErasurePart.objects.filter(erasure=erasure, state=PartState.REFUSED).order_by("dataset_id"))


def found_again(erasure: SubjectErasure) -> int:
    """Places where the person was found once everything was done; not what was refused or is somebody else's."""
    return sum(int(count) for why, count in erasure.remaining.items() if why not in {REVIEWED, REFUSED})


def split_off_held(part: SubjectErasurePart) -> None:
    """In the open scope: records that a hold keeps become a part of their own, so that the others can go."""
    held = held_among(part.dataset_id, part.record_ids)
    free = sorted(set(part.record_ids) - set(held))
    if not held or not free:
        return
    kept = SubjectErasurePart(
        erasure_id=part.erasure_id, dataset_id=part.dataset_id, number=_SPLIT_OFF + part.number, record_ids=list(held)
    )
    refuse_part(kept, DatasetHeld.code)
    kept.save(force_insert=True)
    part.record_ids = free


def held_among(dataset_id: UUID, record_ids: Sequence[str]) -> Sequence[str]:
    """Those of the records that a hold keeps: by halves, as holds are asked about many at once."""
    if not is_held(dataset_id, record_ids):
        return []
    if len(record_ids) == 1 or is_held(dataset_id, ()):
        return record_ids
    middle = len(record_ids) // 2
    return [*held_among(dataset_id, record_ids[:middle]), *held_among(dataset_id, record_ids[middle:])]
