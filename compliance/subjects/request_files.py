"""What a search found of a person in files of requests, and which of it goes with their erasure."""

from collections import Counter
from uuid import UUID

from compliance.models import SubjectStore
from compliance.requests.files import FACTS, take_out
from compliance.subjects.search import accepted_matches


def files_to_clear(search_id: UUID) -> list[tuple[UUID, str, str]]:
    """(request, place, part) in files that others made, in the open scope: those of the person's own requests stay."""
    matches = [one for one in accepted_matches(search_id) if one.store == SubjectStore.REQUEST]
    own = {one.object_id for one in matches if one.place == FACTS}
    return [(one.object_id, one.place, one.record_id) for one in matches if one.object_id not in own]


def clear_files(search_id: UUID) -> Counter[str]:
    """In the open scope: take out what goes; how much went (``request``), and how much stays (``request_left``)."""
    found = sum(one.store == SubjectStore.REQUEST for one in accepted_matches(search_id))
    gone = sum(take_out(*one) for one in files_to_clear(search_id))
    return Counter({"request": gone, "request_left": found - gone} if found else {})
