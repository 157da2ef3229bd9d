"""What an erasure of a person took beside the records: as facts that a restored database can be given again.

Nothing in them says who the person was: ids of rows, and hashes under keys of the vault.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from anonymization.services.token_vault.upkeep import remove_tokens
from compliance.models import SubjectErasure, SubjectSearch, SubjectStore
from compliance.requests.files import take_out
from compliance.subjects.request_files import files_to_clear
from compliance.subjects.search import accepted_matches
from datasets.services.holdings.files import remove_rejects
from datasets.services.holdings.texts import blank_text
from datasets.services.suppression import suppress_again, suppressed_by
from vaultsite.kernel.jobs import FINAL


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
    files: tuple[tuple[UUID, str, str], ...] = ()

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
            tuple((UUID(request), place, part) for request, place, part in told.get("files", ())),
        )


def people_erased() -> Iterator[tuple[UUID, PersonFacts]]:
    """In an open scope: every erasure of a person that has taken what lies beside the records."""
    for erasure in SubjectErasure.objects.filter(checkpoint__stage="look").order_by("pk"):
        texts, rejects = [], []
        for match in accepted_matches(erasure.search_id):
            if match.store == SubjectStore.TEXT:
                texts.append((match.place, match.object_id))
            elif match.store == SubjectStore.REJECTS:
                rejects.append(match.object_id)
        tokens = tuple(UUID(one) for one in erasure.checkpoint.get("tokens", ()))
        files = tuple(files_to_clear(erasure.search_id))
        facts = PersonFacts(erasure.search_id, tuple(texts), tuple(rejects), tokens, suppressed_by(erasure.pk), files)
        yield erasure.pk, facts


def erase_beside_again(erasure_id: UUID, facts: PersonFacts) -> None:
    """In an open scope of a restored database, once the records are gone; a second time it changes nothing.

    The identifiers of the search are forgotten, unless the backup was made while the erasure was under way: then it
    goes on by itself, and forgets them at its end.
    """
    remove_tokens(facts.tokens)
    for ingest_id in facts.rejects:
        remove_rejects(ingest_id)
    for place, row in facts.texts:
        blank_text(place, row)
    for request_id, place, part in facts.files:
        take_out(request_id, place, part)
    suppress_again(facts.suppressed, erasure_id=erasure_id)
    going_on = SubjectErasure.objects.filter(search=facts.search).exclude(status__in=FINAL)
    if not going_on.exists():
        SubjectSearch.objects.filter(pk=facts.search).update(identifiers=None)
