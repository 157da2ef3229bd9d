"""What a search found of a person in files of requests, and which of it goes with their erasure."""

from collections import Counter
from typing import TypeAlias
from uuid import UUID

from compliance.models import SubjectStore
from compliance.requests.files import FACTS, take_out
from compliance.subjects.search import accepted_matches

#: Request, place in its file, and part of it.
FilePart: TypeAlias = tuple[UUID, str, str]


def files_to_clear(search_id: UUID) -> list[FilePart]:
    """What lies in files that others made, in the open scope: those of the person's own requests stay."""
    matches = [one for one in accepted_matches(search_id) if one.store == SubjectStore.REQUEST]
    own = {one.object_id for one in matches if one.place == FACTS}
    return [(one.object_id, one.place, one.record_id) for one in matches if one.object_id not in own]


def clear_files(search_id: UUID) -> tuple[Counter[str], list[FilePart]]:
    """In the open scope: take out what goes, and name it.

    Counted are what went (``request``) and what stays (``request_left``).
    """
    found = sum(one.store == SubjectStore.REQUEST for one in accepted_matches(search_id))
    gone = [one for one in files_to_clear(search_id) if take_out(*one)]
    return Counter({"request": len(gone), "request_left": found - len(gone)} if found else {}), gone
