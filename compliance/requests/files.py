"""What lies in the files of requests: read for who looks for a person in everything stored, and taken out again.

A file is kept as the proof of what was asked and done. So what names a person is taken out of the files of others
alone, and only once those are done with.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

import orjson

from compliance.models import Correspondence, SubjectRequest
from compliance.models.correction import Correction
from compliance.requests.sealed import Letter, SubjectFacts, open_patches, seal_patches
from compliance.requests.states import DONE

#: Who asks: in their own file, and the reason why a file is somebody's own.
FACTS: Final = "facts"
DETAILS: Final = "details"
LETTER: Final = "letter"
CORRECTION: Final = "correction"
ERASED: Final = "[erased]"
_FILES: Final = 32


@dataclass(frozen=True, slots=True)
class FilePiece:
    """One text in the file of a request: ``part`` is the id of the letter or the correction, else empty."""

    request_id: UUID
    place: str
    part: str
    text: bytes


def read_files(after: UUID | None, *, besides: UUID | None) -> tuple[UUID | None, list[FilePiece]]:
    """The texts of the files behind the request given, in an open scope, and the last request that was read.

    None once there is none left. ``besides``: the request whose file is not looked at. Raises IntegrityFailure,
    KeyUnavailable.
    """
    rows = SubjectRequest.objects.order_by("pk")
    found = list((rows if after is None else rows.filter(pk__gt=after))[:_FILES])
    pieces = [piece for request in found if request.pk != besides for piece in _pieces(request)]
    return (found[-1].pk if found else None), pieces


def _pieces(request: SubjectRequest) -> Iterator[FilePiece]:
    facts = SubjectFacts.of(request)
    who = [facts.name, facts.contact, *facts.identifiers]
    yield FilePiece(request.pk, FACTS, "", "\n".join(who).encode())
    yield FilePiece(request.pk, DETAILS, "", f"{facts.details}\n{facts.explanation}".encode())
    for row in Correspondence.objects.filter(request=request).order_by("pk"):
        letter = Letter.of(row)
        yield FilePiece(request.pk, LETTER, str(row.pk), f"{letter.subject}\n{letter.text}".encode())
    for correction in Correction.objects.filter(request=request).order_by("pk"):
        yield FilePiece(request.pk, CORRECTION, str(correction.pk), orjson.dumps(open_patches(correction)))


def take_out(request_id: UUID, place: str, part: str) -> bool:
    """Take one text out of a file, in the open scope; False where it stays: the request is open, or it says who asked.

    What still waits to be mailed stays as well.
    """
    request = SubjectRequest.objects.select_for_update(no_key=True).filter(pk=request_id, state__in=DONE).first()
    if request is None or place == FACTS:
        return False
    if place == DETAILS:
        facts = SubjectFacts.of(request)
        explanation = ERASED if facts.explanation else ""
        request.facts = replace(facts, details=ERASED, explanation=explanation).seal_for(request)
        request.save(update_fields=["facts"])
        return True
    return _take_letter(request, part) if place == LETTER else _take_correction(request, part)


def _take_letter(request: SubjectRequest, part: str) -> bool:
    row = Correspondence.objects.select_for_update().filter(pk=part, request=request, mail_at=None).first()
    if row is None:
        return False
    row.body = Letter(ERASED, ERASED).seal_for(row)
    row.save(update_fields=["body"])
    return True


def _take_correction(request: SubjectRequest, part: str) -> bool:
    row = Correction.objects.select_for_update().filter(pk=part, request=request).first()
    if row is None:
        return False
    row.patches = seal_patches(row, [])
    row.save(update_fields=["patches"])
    return True
