"""What an erasure of a person took beside the records: as facts that a restored database can be given again.

Nothing in them says who the person was: ids of rows, and hashes under keys of the vault.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from anonymization.services.token_vault.upkeep import remove_tokens
from compliance.models import SubjectErasure, SubjectSearch, SubjectStore
from compliance.requests.files import take_out
from compliance.subjects.request_files import FilePart
from compliance.subjects.search import accepted_matches
from datasets.services.holdings.files import remove_rejects
from datasets.services.holdings.texts import blank_text
from datasets.services.suppression import suppress_again, suppressed_by
from vaultsite.kernel.jobs import FINAL

#: The stage of an erasure that has taken what lies beside the records.
_CLEARED: Final = "look"


@dataclass(frozen=True)
class PersonFacts:
    """``texts``: place and row of words that were blanked; ``rejects``: uploads whose reports of rejected lines went;
    ``tokens``: rows of the token vault; ``files``: parts of files of requests; ``suppressed``: the person's entries on
    the suppression list.
    """

    search: UUID
    texts: tuple[tuple[str, UUID], ...]
    rejects: tuple[UUID, ...]
    tokens: tuple[UUID, ...]
    suppressed: tuple[bytes, ...]
    files: tuple[FilePart, ...] = ()

    def as_json(self) -> dict[str, Any]:
        return {
            "search": str(self.search),
            "texts": [[place, str(row)] for place, row in self.texts],
            "rejects": [str(one) for one in self.rejects],
            "tokens": [str(one) for one in self.tokens],
            "suppressed": [one.hex() for one in self.suppressed],
            "files": [[str(request), place, part] for request, place, part in self.files],
        }

    @classmethod
    def from_json(cls, told: dict[str, Any]) -> "PersonFacts":
        return cls(
            UUID(told["search"]),
            tuple((place, UUID(row)) for place, row in told["texts"]),
            tuple(UUID(one) for one in told["rejects"]),
            tuple(UUID(one) for one in told["tokens"]),
            tuple(bytes.fromhex(one) for one in told["suppressed"]),
            _file_parts(told),
        )


def _file_parts(told: dict[str, Any]) -> tuple[FilePart, ...]:
    return tuple((UUID(request), place, part) for request, place, part in told.get("files", ()))


def people_erased(known: Collection[str] = ()) -> Iterator[tuple[UUID, PersonFacts]]:
    """In an open scope: every erasure of a person that has taken what lies beside the records, but the known ones."""
    cleared = SubjectErasure.objects.filter(checkpoint__stage=_CLEARED).order_by("pk")
    new = [pk for pk in cleared.values_list("pk", flat=True) if str(pk) not in known]
    for erasure in SubjectErasure.objects.filter(pk__in=new).order_by("pk"):
        texts, rejects = [], []
        for match in accepted_matches(erasure.search_id):
            if match.store == SubjectStore.TEXT:
                texts.append((match.place, match.object_id))
            elif match.store == SubjectStore.REJECTS:
                rejects.append(match.object_id)
        tokens = tuple(UUID(one) for one in erasure.checkpoint.get("tokens", ()))
        files = _file_parts(erasure.checkpoint)
        facts = PersonFacts(erasure.search_id, tuple(texts), tuple(rejects), tokens, suppressed_by(erasure.pk), files)
        yield erasure.pk, facts


def erase_beside_again(erasure_id: UUID, facts: PersonFacts) -> bool:
    """In an open scope of a restored database, once the records are gone; a second time it changes nothing.

    False where the backup is from after it: what stands in the same places now was written since, and stays. Only the
    suppression list is made whole.

    The identifiers of the search are forgotten, unless the backup was made while the erasure was under way: then it
    goes on by itself, and forgets them at its end.
    """
    suppress_again(facts.suppressed, erasure_id=erasure_id)
    if SubjectErasure.objects.filter(pk=erasure_id, checkpoint__stage=_CLEARED).exists():
        return False
    remove_tokens(facts.tokens)
    for ingest_id in facts.rejects:
        remove_rejects(ingest_id)
    for place, row in facts.texts:
        blank_text(place, row)
    for request_id, place, part in facts.files:
        take_out(request_id, place, part)
    going_on = SubjectErasure.objects.filter(search=facts.search).exclude(status__in=FINAL)
    if not going_on.exists():
        SubjectSearch.objects.filter(pk=facts.search).update(identifiers=None)
    return True
